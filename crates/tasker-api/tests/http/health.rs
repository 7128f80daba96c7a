//! Health over a real socket.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tasker_api::{Check, Readiness};
use tasker_metrics::Registry;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::support::{Says, Served, serve_both};

async fn serve(readiness: impl Readiness + 'static) -> Served {
    serve_both(readiness, crate::support::Counted(Registry::default())).await
}

/// The status and the body of an answer.
async fn ask(address: SocketAddr, method: &str, path: &str) -> (u16, Value) {
    let answer = crate::support::ask(address, method, path, "").await;
    (answer.status, serde_json::from_str(&answer.body).expect("JSON"))
}

/// Never answers; tells when it is asked.
struct Silent(Arc<Notify>);

#[async_trait]
impl Readiness for Silent {
    async fn checks(&self) -> Vec<Check> {
        self.0.notify_one();
        std::future::pending().await
    }
}

#[tokio::test]
async fn live_says_that_the_process_answers() {
    let served = serve(Says(vec![Check::failed("database", "down")])).await;
    let alive = json!({"alive": true, "service": "tasker", "timestamp": "2026-01-02T03:04:05.000000Z"});
    assert_eq!(ask(served.address, "GET", "/health/live").await, (200, alive.clone()));
    assert_eq!(ask(served.address, "GET", "/tasker/health/live").await, (200, alive));
}

#[tokio::test]
async fn ready_is_200_if_all_is_well() {
    let database = Check::ok("database").after(Duration::from_micros(1_234));
    let served = serve(Says(vec![database, Check::ok("migrations")])).await;
    for path in ["/health/ready", "/tasker/health/ready"] {
        let (status, body) = ask(served.address, "GET", path).await;
        assert_eq!(status, 200);
        insta::allow_duplicates! { insta::assert_snapshot!(body, @r#"{"checks":{"database":{"latency_ms":1.234,"status":"ok"},"migrations":{"status":"ok"}},"degraded_checks":[],"failed_checks":[],"ready":true,"timestamp":"2026-01-02T03:04:05.000000Z"}"#); }
    }
}

#[tokio::test]
async fn ready_is_503_if_anything_is_not_well() {
    let served = serve(Says(vec![Check::failed("database", "it is down"), Check::ok("migrations")])).await;
    let (status, body) = ask(served.address, "GET", "/health/ready").await;
    assert_eq!(status, 503);
    insta::assert_snapshot!(body, @r#"{"checks":{"database":{"message":"it is down","status":"failed"},"migrations":{"status":"ok"}},"degraded_checks":[],"failed_checks":["database"],"ready":false,"timestamp":"2026-01-02T03:04:05.000000Z"}"#);
}

#[tokio::test]
async fn ready_stays_200_if_something_is_not_well_that_is_not_needed() {
    let served = serve(Says(vec![Check::degraded("cache", "it is away"), Check::ok("database")])).await;
    let (status, body) = ask(served.address, "GET", "/health/ready").await;
    assert_eq!((status, &body["degraded_checks"]), (200, &json!(["cache"])));
    assert_eq!(body["checks"]["cache"], json!({ "status": "degraded", "message": "it is away" }));
}

#[tokio::test]
async fn ready_is_503_after_five_seconds_without_an_answer() {
    let asked = Arc::new(Notify::new());
    let served = serve(Silent(Arc::clone(&asked))).await;
    let answer = tokio::spawn(async move { ask(served.address, "GET", "/health/ready").await });
    asked.notified().await;
    tokio::time::pause();
    let (status, body) = answer.await.expect("no panic");
    assert_eq!((status, &body["failed_checks"]), (503, &json!(["answer"])));
}

#[tokio::test]
async fn elsewhere_is_a_404_and_another_method_a_405_in_json() {
    let served = serve(Says(Vec::new())).await;
    let (status, body) = ask(served.address, "GET", "/nothing?x=1").await;
    assert_eq!(status, 404);
    insta::assert_snapshot!(body, @r#"{"error":"Not found","message":"there is nothing at GET /nothing"}"#);
    let (status, body) = ask(served.address, "POST", "/health/live").await;
    assert_eq!(status, 405);
    insta::assert_snapshot!(body, @r#"{"error":"Method not allowed","message":"/health/live does not answer to POST"}"#);
}

#[tokio::test]
async fn a_shutdown_ends_open_connections_that_ask_for_nothing() {
    let served = serve(Says(Vec::new())).await;
    let mut idle = TcpStream::connect(served.address).await.expect("it listens");
    idle.write_all(b"GET /health/live HTTP/1.1\r\nHost: test\r\n\r\n").await.expect("written");
    let mut first = [0; 1];
    idle.read_exact(&mut first).await.expect("an answer");
    served.shutdown.cancel();
    served.task.await.expect("no panic").expect("no error");
}

#[tokio::test]
async fn a_shutdown_cuts_off_what_does_not_end() {
    let asked = Arc::new(Notify::new());
    let served = serve(Silent(Arc::clone(&asked))).await;
    let mut open = TcpStream::connect(served.address).await.expect("it listens");
    open.write_all(b"GET /health/ready HTTP/1.1\r\nHost: test\r\n\r\n").await.expect("written");
    asked.notified().await;
    tokio::time::pause();
    served.shutdown.cancel();
    served.task.await.expect("no panic").expect("no error");
}
