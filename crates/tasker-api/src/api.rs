//! The routes, and how they are served.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tasker_core::Clock;
use tasker_events::Events;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

use crate::log_level::LogLevel;
use crate::logs::LogReader;
use crate::metrics::{MetricsSource, Scraping};
use crate::readiness::Readiness;
use crate::status::StatusSource;
use crate::token::{Access, Token};
use crate::{catalog, correlation, gate, live, log_level, logs, metrics, not_found, ready, route, status};

/// Requests under way when the process stops are given so long.
const FAREWELL: Duration = Duration::from_secs(5);
/// No body that is asked for is larger.
const LARGEST_BODY: usize = 64 * 1024;

/// The HTTP interface of a process.
pub struct Api {
    state: State,
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
    pub(crate) status: Option<Arc<dyn StatusSource>>,
    pub(crate) events: Option<Events>,
    pub(crate) log: Option<Arc<dyn LogLevel>>,
    pub(crate) logs: Option<Arc<dyn LogReader>>,
    pub(crate) scraping: Scraping,
    pub(crate) access: Access,
    pub(crate) operator: Option<Token>,
    /// Held by whoever changes routes.
    pub(crate) routing: Mutex<()>,
    pub(crate) random: Mutex<StdRng>,
}

impl Api {
    /// An interface to a process that tells of itself by `readiness` and `metrics`.
    pub fn new(
        readiness: Arc<dyn Readiness>,
        metrics: Arc<dyn MetricsSource>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let seed = clock.now().as_micros().unsigned_abs();
        let state = State {
            readiness,
            metrics,
            clock,
            status: None,
            events: None,
            log: None,
            logs: None,
            scraping: Scraping::default(),
            access: Access::default(),
            operator: None,
            routing: Mutex::default(),
            random: Mutex::new(StdRng::seed_from_u64(seed)),
        };
        Self { state }
    }

    /// Tells at `/health/status` how the process fares.
    #[must_use]
    pub fn status(mut self, status: Arc<dyn StatusSource>) -> Self {
        self.state.status = Some(status);
        self
    }

    /// Lists at `/events` what can happen, and lets operators change where it goes.
    #[must_use]
    pub fn events(mut self, events: Events) -> Self {
        self.state.events = Some(events);
        self
    }

    /// Lets operators change at `/log/level` how much the process says.
    #[must_use]
    pub fn log(mut self, log: Arc<dyn LogLevel>) -> Self {
        self.state.log = Some(log);
        self
    }

    /// Lets operators read at `/tasks/{task_id}/logs` what attempts logged.
    #[must_use]
    pub fn logs(mut self, logs: Arc<dyn LogReader>) -> Self {
        self.state.logs = Some(logs);
        self
    }

    /// Whether `/metrics` answers with values.
    #[must_use]
    pub fn scraping(mut self, scraping: Scraping) -> Self {
        self.state.scraping = scraping;
        self
    }

    /// Who may read metrics, status and events: everybody, if nothing is said.
    #[must_use]
    pub fn readers(mut self, access: Access) -> Self {
        self.state.access = access;
        self
    }

    /// What operators show to change the process while it runs. Without it nobody may.
    #[must_use]
    pub fn operators(mut self, token: Token) -> Self {
        self.state.operator = Some(token);
        self
    }

    /// Where chance begins, for the ids of requests; with the time of the clock, if nothing is said.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.state.random = Mutex::new(StdRng::seed_from_u64(seed));
        self
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
        let state = Arc::new(self.state);
        let told = Router::new()
            .route("/health/status", get(status::status))
            .route("/metrics", get(metrics::metrics))
            .route("/events", get(catalog::list))
            .route("/events/{name}", get(catalog::one))
            .route_layer(from_fn_with_state(Arc::clone(&state), gate::reader));
        let controls = Router::new()
            .route("/events/{name}/route", get(route::get).put(route::put))
            .route("/tasks/{task_id}/logs", get(logs::logs))
            .route("/log/level", get(log_level::get).put(log_level::put))
            .route_layer(from_fn_with_state(Arc::clone(&state), gate::operator));
        let routes = Router::new()
            .route("/health/live", get(live::live))
            .route("/health/ready", get(ready::ready))
            .merge(told)
            .merge(controls)
            .with_state(Arc::clone(&state));
        Router::new()
            .nest("/tasker", routes.clone())
            .merge(routes)
            .fallback(not_found::not_found)
            .method_not_allowed_fallback(not_found::not_allowed)
            .layer(DefaultBodyLimit::max(LARGEST_BODY))
            .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
            .layer(from_fn_with_state(state, correlation::correlate))
    }
}
