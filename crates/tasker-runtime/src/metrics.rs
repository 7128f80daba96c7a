//! What a process counts, as it tells those who scrape it.

mod catalog;
mod dashboard;
mod fold;
mod rules;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tasker_api::MetricsSource;
use tasker_core::SystemClock;
use tasker_engine::Observed;
use tasker_events::{Backend, Events, Routes};
use tasker_handler::{Counters, RunnerReport};
use tasker_metrics::{FamilySnapshot, Labels, Registry, Snapshot, Value};
use tasker_store::{QueueDepth, Store};

use crate::log::EventLog;
use catalog::Known;
use fold::Fold;

pub use catalog::{QueryError, check_query, metrics_reference};
pub use dashboard::dashboard;
pub use rules::{alert_rules, recording_rules};

/// A database that does not answer by then is not waited for: what it would say is left out.
const PATIENCE: Duration = Duration::from_secs(2);

/// The metrics of a process.
///
/// What other parts count anyway is read when somebody scrapes, and costs nothing in between; a program that runs a
/// server or a worker in its own process counts what it likes in [`Metrics::registry`].
pub struct Metrics {
    registry: Registry,
    events: Events,
    sources: Mutex<Sources>,
}

/// What is read when somebody scrapes.
#[derive(Default, Clone)]
struct Sources {
    store: Option<Arc<dyn Store>>,
    runners: Vec<Arc<Counters>>,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").field("registry", &self.registry).finish_non_exhaustive()
    }
}

impl Metrics {
    /// The metrics of a process of which nothing runs yet.
    pub fn new() -> Arc<Self> {
        let registry = Registry::default();
        let fold = Fold::of(&registry).expect("invariant: the catalog can be registered");
        let events = Events::builder(Routes::default())
            .sink(Backend::Metrics, Arc::new(fold))
            .sink(Backend::Logs, Arc::new(EventLog))
            .build();
        Arc::new(Self { registry, events, sources: Mutex::default() })
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

    fn sources(&self) -> MutexGuard<'_, Sources> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl MetricsSource for Metrics {
    async fn snapshot(&self) -> Snapshot {
        let Sources { store, runners } = self.sources().clone();
        let mut page = Page(self.registry.snapshot());
        page.put(Known::Build, vec![(Labels::new(&[env!("CARGO_PKG_VERSION")]), Value::Level(1.0))]);
        if !runners.is_empty() {
            page.put_workers(&runners.iter().map(|runner| runner.snapshot()).collect::<Vec<_>>());
        }
        if let Some(store) = store {
            page.put_store(&*store).await;
        }
        page.0
    }
}

/// A snapshot under construction.
struct Page(Snapshot);

impl Page {
    fn put(&mut self, metric: Known, mut series: Vec<(Labels, Value)>) {
        series.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        let (description, kind) = metric.declaration();
        let family = FamilySnapshot { description, kind, series };
        self.0.families.insert(metric.name().to_owned(), family);
    }

    fn put_workers(&mut self, reports: &[RunnerReport]) {
        let sum = |read: fn(&RunnerReport) -> u64| reports.iter().map(read).sum::<u64>();
        let attempts = [
            ("completed", sum(|report| report.completed)),
            ("retried", sum(|report| report.retried)),
            ("failed", sum(|report| report.failed)),
            ("snoozed", sum(|report| report.snoozed)),
            ("stale", sum(|report| report.stale)),
            ("lost", sum(|report| report.lost)),
            ("unsettled", sum(|report| report.unsettled)),
        ];
        let attempts = attempts.map(|(outcome, count)| (Labels::new(&[outcome]), Value::Count(count)));
        self.put(Known::Attempts, attempts.to_vec());
        let busy: u32 = reports.iter().map(|report| report.busy).sum();
        let all: u32 = reports.iter().map(|report| report.capacity).sum();
        let slots = [("busy", busy), ("free", all.saturating_sub(busy))];
        let slots = slots.map(|(state, count)| (Labels::new(&[state]), Value::Level(count.into())));
        self.put(Known::Slots, slots.to_vec());
    }

    async fn put_store(&mut self, store: &dyn Store) {
        self.put(Known::Commits, vec![(Labels::new(&[]), Value::Count(store.commits()))]);
        let asked = async {
            let lanes = store.lanes().await?;
            Ok::<_, tasker_store::StoreError>((store.deadlines().await?.now, lanes))
        };
        let answer = tokio::time::timeout(PATIENCE, asked).await;
        let is_up = matches!(answer, Ok(Ok(_)));
        self.put(Known::Up, vec![(Labels::new(&[]), Value::Level(if is_up { 1.0 } else { 0.0 }))]);
        let Ok(Ok((now, lanes))) = answer else { return };
        let ages = lanes.iter().filter(|lane| !lane.paused).filter_map(|lane| {
            let age = now.since(lane.oldest_ready_at?);
            Some((labels(lane), age))
        });
        let mut oldest = std::collections::BTreeMap::<Labels, Duration>::new();
        for (labels, age) in ages {
            let known = oldest.entry(labels).or_default();
            *known = age.max(*known);
        }
        let ages = oldest.into_iter().map(|(labels, age)| (labels, Value::Level(age.as_secs_f64())));
        self.put(Known::OldestReady, ages.collect());
    }
}

fn labels(lane: &QueueDepth) -> Labels {
    Labels::new(&[lane.namespace.as_str(), lane.queue.as_str(), lane.handler.as_str()])
}

#[cfg(test)]
mod tests;
