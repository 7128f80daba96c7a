//! The routes, and how they are served.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tasker_core::Clock;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::metrics::MetricsSource;
use crate::readiness::Readiness;
use crate::{live, metrics, not_found, ready};

/// Requests under way when the process stops are given so long.
const FAREWELL: Duration = Duration::from_secs(5);

/// The HTTP interface of a process.
#[derive(Clone)]
pub struct Api {
    state: Arc<State>,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}

/// What the endpoints share.
pub(crate) struct State {
    pub(crate) readiness: Arc<dyn Readiness>,
    pub(crate) metrics: Arc<dyn MetricsSource>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Api {
    /// An interface to a process that tells of itself by `readiness` and `metrics`.
    pub fn new(
        readiness: Arc<dyn Readiness>,
        metrics: Arc<dyn MetricsSource>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { state: Arc::new(State { readiness, metrics, clock }) }
    }

    /// Answers on `listener` until `shutdown`, and then ends what is under way.
    ///
    /// # Errors
    ///
    /// If the listener fails for good.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future takes no more connections; those that are open go on.
    pub async fn serve(self, listener: TcpListener, shutdown: CancellationToken) -> io::Result<()> {
        let stop = shutdown.clone();
        let serving = axum::serve(listener, self.router()).with_graceful_shutdown(stop.cancelled_owned());
        let cut_off = async {
            shutdown.cancelled().await;
            tokio::time::sleep(FAREWELL).await;
        };
        tokio::select! {
            ended = serving => ended,
            () = cut_off => {
                tracing::warn!("connections that did not end in time were cut off");
                Ok(())
            }
        }
    }

    fn router(self) -> Router {
        let routes = Router::new()
            .route("/health/live", get(live::live))
            .route("/health/ready", get(ready::ready))
            .route("/metrics", get(metrics::metrics))
            .with_state(self.state);
        Router::new()
            .nest("/tasker", routes.clone())
            .merge(routes)
            .fallback(not_found::not_found)
            .method_not_allowed_fallback(not_found::not_allowed)
    }
}
