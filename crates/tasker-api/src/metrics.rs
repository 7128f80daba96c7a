//! `GET /metrics`: the values of all metrics, as the text that scrapers read.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Json;
use axum::extract::State;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, EXPIRES, PRAGMA, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use serde_json::json;
use tasker_metrics::Snapshot;
use tasker_metrics::text::{Format, encode};

use crate::api;

/// Scrapers give up after ten seconds by default.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Gives the values of all metrics whenever it is asked for them.
///
/// ```
/// use tasker_api::MetricsSource;
/// use tasker_metrics::{Registry, Snapshot};
///
/// struct Counted(Registry);
///
/// #[async_trait::async_trait]
/// impl MetricsSource for Counted {
///     async fn snapshot(&self) -> Snapshot {
///         self.0.snapshot()
///     }
/// }
/// ```
#[async_trait]
pub trait MetricsSource: Send + Sync {
    /// The values now.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped if it takes longer than five seconds.
    async fn snapshot(&self) -> Snapshot;
}

/// Whether `GET /metrics` answers with values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scraping {
    /// It does.
    #[default]
    Enabled,
    /// It answers that it does not.
    Disabled,
}

/// 200 with OpenMetrics for those who like it best, and else Prometheus 0.0.4; 503 if there are no values in time.
pub(crate) async fn metrics(State(state): State<Arc<api::State>>, headers: HeaderMap) -> Response {
    let failed = |error: &str, message: &str| {
        let body = json!({ "error": error, "message": message, "timestamp": state.clock.now() });
        (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
    };
    if state.scraping == Scraping::Disabled {
        return failed("Metrics export failed", "Metrics collection is disabled");
    }
    let accept: Vec<&str> = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let format = Format::accepted(&accept.join(","));
    let text = async { encode(&state.metrics.snapshot().await, format) };
    match tokio::time::timeout(TIMEOUT, AssertUnwindSafe(text).catch_unwind()).await {
        Ok(Ok(text)) => {
            let headers = [
                (CONTENT_TYPE, format.content_type()),
                (CACHE_CONTROL, "no-cache, no-store, must-revalidate"),
                (PRAGMA, "no-cache"),
                (EXPIRES, "0"),
                (VARY, "accept"),
            ];
            (headers, text).into_response()
        }
        Ok(Err(_)) => {
            failed("Metrics endpoint failed", "the program failed to tell its metrics; its log says why")
        }
        Err(_) => {
            let message = format!("there were no values within {} seconds", TIMEOUT.as_secs());
            failed("Metrics export failed", &message)
        }
    }
}
