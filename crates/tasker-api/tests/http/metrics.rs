//! Metrics over a real socket.

use async_trait::async_trait;
use tasker_api::{MetricsSource, Scraping};
use tasker_metrics::{Description, Registry, Snapshot};

use crate::support::{Counted, Says, Served, ask, serve_both, serve_silent};

async fn serve() -> Served {
    let registry = Registry::default();
    let cups = Description::new("cups_total", "Cups.").labels(&["kind"]);
    registry.counter(cups).expect("a counter").with(&["a \"mug\""]).add(2);
    serve_both(Says(Vec::new()), Counted(registry)).await
}

#[tokio::test]
async fn a_scraper_gets_prometheus_unless_it_likes_openmetrics_better() {
    let served = serve().await;
    for path in ["/metrics", "/tasker/metrics"] {
        let answer = ask(served.address, "GET", path, "").await;
        assert_eq!(answer.status, 200);
        assert!(
            answer.head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"),
            "{}",
            answer.head
        );
        assert!(
            answer.head.contains("cache-control: no-cache, no-store, must-revalidate"),
            "{}",
            answer.head
        );
        assert!(answer.body.ends_with("\ncups_total{kind=\"a \\\"mug\\\"\"} 2\n"), "{}", answer.body);
    }
    let accept = "Accept: application/openmetrics-text;version=1.0.0;q=0.6\r\nAccept: text/plain;q=0.3\r\n";
    let answer = ask(served.address, "GET", "/metrics", accept).await;
    assert!(
        answer.head.contains("content-type: application/openmetrics-text; version=1.0.0"),
        "{}",
        answer.head
    );
    assert!(answer.body.ends_with("\n# EOF\n"), "{}", answer.body);
}

/// Never answers; tells when it is asked.
struct Silent(std::sync::Arc<tokio::sync::Notify>);

#[async_trait]
impl MetricsSource for Silent {
    async fn snapshot(&self) -> Snapshot {
        self.0.notify_one();
        std::future::pending().await
    }
}

#[tokio::test]
async fn values_that_do_not_come_in_time_are_a_503() {
    let asked = std::sync::Arc::new(tokio::sync::Notify::new());
    let served = serve_both(Says(Vec::new()), Silent(std::sync::Arc::clone(&asked))).await;
    let answer = tokio::spawn(async move { ask(served.address, "GET", "/metrics", "").await });
    asked.notified().await;
    tokio::time::pause();
    let answer = answer.await.expect("no panic");
    assert_eq!(answer.status, 503);
    let body: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(body["error"], "Metrics export failed");
    assert_eq!(body["message"], "there were no values within 5 seconds");
}

#[tokio::test]
async fn a_text_is_compressed_for_those_who_take_it() {
    let served = serve().await;
    for (accept, encoding) in [
        ("gzip", Some("gzip")),
        ("deflate, gzip;q=0.5, *;q=0.1", Some("gzip")),
        ("gzip;q=0", None),
        ("identity", None),
        ("br", None),
        ("", None),
    ] {
        let answer = ask(served.address, "GET", "/metrics", &format!("Accept-Encoding: {accept}\r\n")).await;
        assert_eq!((answer.status, answer.header("content-encoding")), (200, encoding), "{accept}");
        assert_eq!(answer.body.contains("cups_total"), encoding.is_none(), "{accept}");
        let vary: Vec<&str> = answer.head.lines().filter(|line| line.starts_with("vary: ")).collect();
        assert_eq!(vary, ["vary: accept", "vary: accept-encoding"]);
    }
}

/// M8.
#[tokio::test]
async fn a_process_may_be_told_not_to_tell_its_metrics() {
    let served = serve_silent(|api| api.scraping(Scraping::Disabled)).await;
    let answer = ask(served.address, "GET", "/metrics", "").await;
    assert_eq!(answer.status, 503);
    insta::assert_snapshot!(answer.body, @r#"{"error":"Metrics export failed","message":"Metrics collection is disabled","timestamp":"2026-01-02T03:04:05.000000Z"}"#);
}

/// M9.
#[tokio::test]
async fn without_any_metric_the_text_is_empty() {
    let served = serve_silent(|api| api).await;
    let answer = ask(served.address, "GET", "/metrics", "").await;
    assert_eq!((answer.status, answer.bytes.len()), (200, 0));
}

/// Fails whenever it is asked.
struct Broken;

#[async_trait]
impl MetricsSource for Broken {
    async fn snapshot(&self) -> Snapshot {
        panic!("it is broken")
    }
}

/// P10.
#[tokio::test]
async fn metrics_that_cannot_be_told_are_a_503() {
    let served = serve_both(Says(Vec::new()), Broken).await;
    let answer = ask(served.address, "GET", "/metrics", "").await;
    assert_eq!((answer.status, &answer.json()["error"]), (503, &"Metrics endpoint failed".into()));
}
