//! The status over a real socket.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;
use tasker_api::{StatusReport, StatusSource};

use crate::support::{ask, serve_silent};

/// Always says the same.
struct Fares(StatusReport);

#[async_trait]
impl StatusSource for Fares {
    async fn status(&self) -> StatusReport {
        self.0.clone()
    }
}

fn fares(healthy: bool) -> Arc<Fares> {
    let facts = json!({ "uptime_seconds": 1.5 }).as_object().cloned().expect("an object");
    Arc::new(Fares(StatusReport { healthy, cached: true, facts }))
}

#[tokio::test]
async fn a_process_that_is_well_tells_so_with_200_and_else_with_503() {
    let served = serve_silent(|api| api.status(fares(true))).await;
    let answer = ask(served.address, "GET", "/tasker/health/status", "").await;
    assert_eq!(answer.status, 200);
    insta::assert_snapshot!(answer.body, @r#"{"cached":true,"healthy":true,"status":"healthy","timestamp":"2026-01-02T03:04:05.000000Z","uptime_seconds":1.5}"#);
    let served = serve_silent(|api| api.status(fares(false))).await;
    let answer = ask(served.address, "GET", "/health/status", "").await;
    assert_eq!((answer.status, &answer.json()["status"]), (503, &json!("unhealthy")));
}

#[tokio::test]
async fn a_process_without_a_status_has_none() {
    let served = serve_silent(|api| api).await;
    assert_eq!(ask(served.address, "GET", "/health/status", "").await.status, 404);
}
