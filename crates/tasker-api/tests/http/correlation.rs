//! Correlation ids over a real socket.

use tasker_core::CorrelationId;

use async_trait::async_trait;
use tasker_api::{Check, Readiness};
use tasker_metrics::Registry;

use crate::support::{Counted, ask, serve_both, serve_silent};

#[tokio::test]
async fn an_answer_has_the_id_of_its_request() {
    let served = serve_silent(|api| api).await;
    for head in [
        "X-Correlation-ID: order-42\r\n",
        "x-request-id: order-42\r\n",
        "X-Request-ID: a\r\nX-Correlation-ID: order-42\r\n",
    ] {
        for path in ["/health/live", "/nothing"] {
            let answer = ask(served.address, "GET", path, head).await;
            assert_eq!(answer.header("x-correlation-id"), Some("order-42"), "{head}");
        }
    }
}

#[tokio::test]
async fn a_request_without_an_id_or_with_one_that_is_none_gets_one() {
    let served = serve_silent(|api| api.seed(7)).await;
    let mut ids = std::collections::BTreeSet::new();
    let long = format!("X-Correlation-ID: {}\r\n", "x".repeat(101));
    for head in
        ["", "X-Correlation-ID: -a\r\n", "X-Correlation-ID: a b\r\n", "X-Correlation-ID: \u{e9}\r\n", &long]
    {
        let answer = ask(served.address, "GET", "/health/live", head).await;
        let id = answer.header("x-correlation-id").expect("an id");
        assert!(id.starts_with("tsk_mjwaid1k_") && id.parse::<CorrelationId>().is_ok(), "{id}");
        ids.insert(id.to_owned());
    }
    assert_eq!(ids.len(), 5);
}

/// Fails whenever it is asked.
struct Broken;

#[async_trait]
impl Readiness for Broken {
    async fn checks(&self) -> Vec<Check> {
        panic!("it is broken")
    }
}

#[tokio::test]
async fn a_panic_is_a_500_that_names_the_request() {
    let served = serve_both(Broken, Counted(Registry::default())).await;
    let answer = ask(served.address, "GET", "/health/ready", "X-Correlation-ID: order-42\r\n").await;
    assert_eq!((answer.status, answer.header("x-correlation-id")), (500, Some("order-42")));
    assert_eq!(answer.json()["error"], "Internal error");
}
