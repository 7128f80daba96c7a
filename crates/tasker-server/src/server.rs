//! The server as a library.

use std::fmt;
use std::sync::Arc;

use tasker_engine::Engine;
use tasker_handler::{Registration, Registry};
use tasker_runtime::{
    Health, HttpSettings, Metrics, Process, RunError, Settings, TaskLogs, Telemetry, environment, handlers,
    interface, read_templates, register_templates,
};
use tasker_store::Store;
use tokio_util::sync::CancellationToken;

use crate::ready::Ready;

/// Runs a server until `shutdown`.
///
/// # Errors
///
/// [`RunError`], which has the exit code.
pub async fn run(settings: Settings, shutdown: CancellationToken) -> Result<(), RunError> {
    Server::new(settings).run(shutdown).await
}

/// A server that is about to run.
pub struct Server {
    settings: Settings,
    store: Option<Arc<dyn Store>>,
    handlers: Vec<Registration>,
    telemetry: Telemetry,
    ready: Box<dyn FnOnce(&Ready) + Send>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Server {
    /// A server with these settings.
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

    /// Offers a handler besides the built-in ones, if the settings ask for a worker.
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

    /// Runs until `shutdown`, and then stops in order: the worker, the agents, the HTTP interface.
    ///
    /// # Errors
    ///
    /// [`RunError`], which has the exit code. What is wrong with settings, bindings and templates is found before
    /// anything is started.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops everything at once.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), RunError> {
        let Self { settings, store, handlers: own, telemetry, ready } = self;
        let templates =
            read_templates(&settings.templates.directories, settings.engine.environment.as_deref())?;
        let subscribers = settings.events.subscriber_settings(&environment())?;
        let is_worker = settings.worker.enabled;
        let registry = is_worker.then(|| handlers(&settings.worker, environment(), own)).transpose()?;
        let metrics = Metrics::with(telemetry.traces);
        metrics.take_facade();
        settings.events.route(metrics.events())?;
        let logs = Arc::new(TaskLogs::default());
        let mut process = Process::new(shutdown.clone()).told_as("tasker-server", metrics.events());
        let health = Health::new(shutdown, metrics.events().clone());
        let http = match &settings.http {
            HttpSettings { enabled: false, .. } => None,
            HttpSettings { listen, .. } => {
                let api = interface(&settings.http, &health, &metrics, (telemetry.log, &logs))?;
                Some(process.start_http("http.listen", listen, api).await?)
            }
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
        let engine = Engine::new(Arc::clone(&observed), settings.engine.engine_settings());
        register_templates(&engine, &templates).await?;
        for file in &templates {
            metrics.events().declare(&file.template);
        }
        process.start_subscribers(subscribers, &observed, &metrics)?;
        start_work(&mut process, &observed, &settings, registry.map(|registry| (registry, &*metrics)))?;
        health.opened(store);
        let worker = is_worker.then_some(settings.worker.concurrency);
        process.is_ready();
        ready(&Ready { database: settings.database.shown(), http, worker });
        process.run().await
    }
}

/// Starts the agents and the worker, as far as they are wanted.
fn start_work(
    process: &mut Process,
    store: &Arc<dyn Store>,
    settings: &Settings,
    worker: Option<(Registry, &Metrics)>,
) -> Result<(), RunError> {
    if settings.agents.enabled {
        process.start_agents(store, settings)?;
    }
    let Some((registry, metrics)) = worker else { return Ok(()) };
    if !settings.agents.enabled {
        process.start_scheduler(store, &settings.agents);
    }
    process.start_worker(store, settings, registry, metrics)
}
