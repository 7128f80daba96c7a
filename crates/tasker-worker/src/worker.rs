//! The worker as a library.

use std::fmt;
use std::sync::Arc;

use tasker_handler::Registration;
use tasker_runtime::{
    Health, Metrics, Process, RunError, Settings, TaskLogs, Telemetry, environment, handlers, interface,
};
use tasker_store::Store;
use tokio_util::sync::CancellationToken;

use crate::ready::Ready;

/// Runs a worker until `shutdown`.
///
/// # Errors
///
/// [`RunError`], which has the exit code.
pub async fn run(settings: Settings, shutdown: CancellationToken) -> Result<(), RunError> {
    Worker::new(settings).run(shutdown).await
}

/// A worker that is about to run.
///
/// A program with a handler of its own:
///
/// ```no_run
/// use std::process::ExitCode;
///
/// use tasker_handler::{HandlerError, StepContext, handler_fn};
/// use tasker_runtime::{Settings, run_program};
/// use tasker_worker::Worker;
///
/// fn main() -> ExitCode {
///     let greet = handler_fn("greet", |name: String, _: StepContext| async move {
///         Ok::<_, HandlerError>(format!("Hello, {name}!"))
///     });
///     run_program("greeter", |shutdown| Worker::new(Settings::default()).handler(greet).run(shutdown))
/// }
/// ```
pub struct Worker {
    settings: Settings,
    store: Option<Arc<dyn Store>>,
    handlers: Vec<Registration>,
    telemetry: Telemetry,
    ready: Box<dyn FnOnce(&Ready) + Send>,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Worker {
    /// A worker with these settings.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            store: None,
            handlers: Vec::new(),
            telemetry: Telemetry::default(),
            ready: Box::new(|_| {}),
        }
    }

    /// Runs on a store that is open already, in the place of the one that the settings name.
    #[must_use]
    pub fn on(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// Offers a handler besides the built-in ones.
    #[must_use]
    pub fn handler(mut self, registration: Registration) -> Self {
        self.handlers.push(registration);
        self
    }

    /// Has traces written, and lets operators change the level of the log over HTTP, as far as the process has them.
    #[must_use]
    pub fn telemetry(mut self, telemetry: Telemetry) -> Self {
        self.telemetry = telemetry;
        self
    }

    /// Calls `ready` once everything runs.
    #[must_use]
    pub fn when_ready(mut self, ready: impl FnOnce(&Ready) + Send + 'static) -> Self {
        self.ready = Box::new(ready);
        self
    }

    /// Runs until `shutdown`; running steps are then given time to end.
    ///
    /// # Errors
    ///
    /// [`RunError`], which has the exit code. What is wrong with settings and bindings is found before anything is
    /// started.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops everything at once.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), RunError> {
        let Self { settings, store, handlers: own, telemetry, ready } = self;
        let registry = handlers(&settings.worker, environment(), own)?;
        let offered = registry.handlers().cloned().collect();
        let metrics = Metrics::with(telemetry.traces);
        metrics.take_facade();
        settings.events.route(metrics.events())?;
        let logs = Arc::new(TaskLogs::default());
        let mut process = Process::new(shutdown.clone()).told_as("tasker-worker", metrics.events());
        let health = Health::new(shutdown, metrics.events().clone());
        let address = match &settings.worker.health_listen {
            Some(address) => {
                let api = interface(&settings.http, &health, &metrics, (telemetry.log, &logs))?;
                Some(process.start_http("worker.health_listen", address, api).await?)
            }
            None => None,
        };
        let Some(store) = process.start_store(store, &settings.database).await? else {
            return process.run().await;
        };
        metrics.opened(Arc::clone(&store));
        logs.opened(Arc::clone(&store));
        let observed = metrics.observed(Arc::clone(&store));
        if let Some(traces) = metrics.traces() {
            process.start_traces(&store, traces, metrics.events());
        }
        // Where there are only workers, they are the ones to rescue what one of them leaves behind.
        if settings.agents.enabled {
            let agents = settings.agents.clone().without_pruning();
            process.start_agents(&observed, &Settings { agents, ..settings.clone() })?;
        } else {
            process.start_scheduler(&observed, &settings.agents);
        }
        process.start_worker(&observed, &settings, registry, &metrics)?;
        health.opened(store);
        process.is_ready();
        ready(&Ready {
            database: settings.database.shown(),
            queues: settings.worker.queues,
            concurrency: settings.worker.concurrency,
            handlers: offered,
            health: address,
        });
        process.run().await
    }
}
