//! What a process counts, as it tells those who scrape it.

mod page;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tasker_api::MetricsSource;
use tasker_core::SystemClock;
use tasker_engine::Observed;
use tasker_events::{Backend, Event, Events, Routes};
use tasker_handler::Counters;
use tasker_metrics::{Facade, FacadeSettings, Registry, Snapshot};
use tasker_monitor::Fold;
use tasker_store::{Store, TaskCount};
use tasker_subscribers::Tallies;
use tokio::time::Instant;

use crate::health::Figures;
use crate::log::EventLog;
use crate::traces::Tracing;
use page::{PATIENCE, Page};

/// The metrics of a process.
///
/// What other parts count anyway is read when somebody scrapes, and costs nothing in between; a program that runs a
/// server or a worker in its own process counts what it likes in [`Metrics::registry`].
pub struct Metrics {
    registry: Registry,
    events: Events,
    traces: Option<Arc<Tracing>>,
    sources: Mutex<Sources>,
}

/// What is read when somebody scrapes.
#[derive(Default, Clone)]
struct Sources {
    store: Option<Arc<dyn Store>>,
    runners: Vec<Arc<Counters>>,
    subscribers: Option<Tallies>,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").field("registry", &self.registry).finish_non_exhaustive()
    }
}

impl Metrics {
    /// The metrics of a process of which nothing runs yet, and that has no traces.
    pub fn new() -> Arc<Self> {
        Self::with(None)
    }

    /// The metrics of a process of which nothing runs yet, and that may have traces.
    pub fn with(traces: Option<Arc<Tracing>>) -> Arc<Self> {
        let registry = Registry::default();
        let exemplars = traces.clone().map(|traces| traces as Arc<_>);
        let fold = Fold::of(&registry, exemplars).expect("invariant: the catalog can be registered");
        let mut events = Events::builder(Routes::default())
            .sink(Backend::Metrics, Arc::new(fold))
            .sink(Backend::Logs, Arc::new(EventLog));
        if let Some(traces) = &traces {
            events = events.sink(Backend::Traces, Arc::clone(traces) as Arc<_>);
        }
        Arc::new(Self { registry, events: events.build(), traces, sources: Mutex::default() })
    }

    /// Has what libraries count through the macros of the crate `metrics` told as well. The first of a process gets it.
    pub fn take_facade(&self) {
        let facade = Facade::new(&self.registry, FacadeSettings::default());
        if let Ok(facade) = facade
            && metrics::set_global_recorder(facade).is_err()
        {
            tracing::debug!("another part of the process takes what libraries count");
        }
    }

    /// The traces of the process, if it has any.
    pub fn traces(&self) -> Option<&Arc<Tracing>> {
        self.traces.as_ref()
    }

    /// What happens in the process; those who want to hear of it subscribe here.
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// Has what is done to a store told as events, and counted.
    pub fn observed(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        Observed::over(store, self.events.clone(), Arc::new(SystemClock))
    }

    /// What is counted besides.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The store is open.
    pub fn opened(&self, store: Arc<dyn Store>) {
        self.sources().store = Some(store);
    }

    /// A worker runs.
    pub(crate) fn works(&self, runner: Arc<Counters>) {
        self.sources().runners.push(runner);
    }

    /// Durable subscribers follow the feed.
    pub(crate) fn followed_by(&self, subscribers: Tallies) {
        self.sources().subscribers = Some(subscribers);
    }

    fn sources(&self) -> MutexGuard<'_, Sources> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl MetricsSource for Metrics {
    async fn snapshot(&self) -> Snapshot {
        let began = Instant::now();
        let Sources { store, runners, subscribers } = self.sources().clone();
        let mut page = Page(self.registry.snapshot());
        page.put_process(self.events.dropped()).await;
        if let Some(traces) = &self.traces {
            page.put_traces(traces.report(), traces.missed());
        }
        if let Some(subscribers) = subscribers {
            page.put_subscribers(&subscribers.counts());
        }
        if !runners.is_empty() {
            page.put_workers(&runners.iter().map(|runner| runner.snapshot()).collect::<Vec<_>>());
        }
        if let Some(store) = store {
            page.put_store(&*store).await;
        }
        let series_count = page.0.families.values().map(|family| family.series.len() as u64).sum();
        let duration = began.elapsed().as_secs_f64();
        self.events.emit(&Event::MetricsScraped { series_count, duration });
        page.0
    }
}

#[async_trait]
impl Figures for Metrics {
    async fn task_counts(&self) -> Option<Vec<TaskCount>> {
        let store = self.sources().store.clone()?;
        tokio::time::timeout(PATIENCE, store.task_counts()).await.ok()?.ok()
    }
}

#[cfg(test)]
pub(crate) use tests::recorded;

#[cfg(test)]
mod tests;
