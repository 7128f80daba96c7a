//! A snapshot with what is read when somebody scrapes.

use std::time::Duration;

use tasker_handler::RunnerReport;
use tasker_metrics::{FamilySnapshot, Labels, ProcessFiles, Snapshot, Value};
use tasker_monitor::Metric;
use tasker_otlp::Report;
use tasker_store::{QueueDepth, Store};
use tasker_subscribers::SubscriberReport;

/// A database that does not answer by then is not waited for: what it would say is left out.
const PATIENCE: Duration = Duration::from_secs(2);

/// A snapshot under construction.
pub(super) struct Page(pub(super) Snapshot);

impl Page {
    /// Its version, how many events were left out for subscribers, and what the operating system tells of the process, as far as it does.
    pub(super) async fn put_process(&mut self, dropped: u64) {
        self.put(Metric::EventsDropped, vec![(Labels::new(&[]), Value::Count(dropped))]);
        self.put(Metric::Build, vec![(Labels::new(&[env!("CARGO_PKG_VERSION")]), Value::Level(1.0))]);
        let read = async |path| tokio::fs::read_to_string(path).await.unwrap_or_default();
        let (stat, status) = (read("/proc/self/stat").await, read("/proc/self/status").await);
        let (limits, machine) = (read("/proc/self/limits").await, read("/proc/stat").await);
        let open_files = std::fs::read_dir("/proc/self/fd").ok().map(|files| files.count() as u64);
        let files =
            ProcessFiles { stat: &stat, status: &status, limits: &limits, machine: &machine, open_files };
        files.tell(&mut self.0);
        let runtime = tokio::runtime::Handle::current().metrics();
        let tasks = u32::try_from(runtime.num_alive_tasks()).unwrap_or(u32::MAX);
        self.put(Metric::RuntimeTasks, vec![(Labels::new(&[]), Value::Level(tasks.into()))]);
    }

    /// What became of spans, and of tasks whose traces were to be written.
    pub(super) fn put_traces(&mut self, report: Report, missed: u64) {
        let spans = [("exported", report.exported), ("dropped", report.dropped), ("failed", report.failed)];
        let spans = spans.map(|(outcome, count)| (Labels::new(&[outcome]), Value::Count(count)));
        self.put(Metric::Spans, spans.to_vec());
        self.put(Metric::TracesMissed, vec![(Labels::new(&[]), Value::Count(missed))]);
    }

    /// What became of the events for durable subscribers in this process.
    pub(super) fn put_subscribers(&mut self, reports: &[SubscriberReport]) {
        let events = reports.iter().flat_map(|report| {
            let counts = [("taken", report.taken), ("refused", report.refused), ("retried", report.retried)];
            counts.map(|(outcome, count)| (Labels::new(&[&report.name, outcome]), Value::Count(count)))
        });
        self.put(Metric::SubscriberEvents, events.collect());
    }

    fn put(&mut self, metric: Metric, mut series: Vec<(Labels, Value)>) {
        series.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        let (description, kind) = metric.declaration();
        let family = FamilySnapshot { description, kind, series };
        self.0.families.insert(metric.name().to_owned(), family);
    }

    pub(super) fn put_workers(&mut self, reports: &[RunnerReport]) {
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
        self.put(Metric::Attempts, attempts.to_vec());
        let busy: u32 = reports.iter().map(|report| report.busy).sum();
        let all: u32 = reports.iter().map(|report| report.capacity).sum();
        let slots = [("busy", busy), ("free", all.saturating_sub(busy))];
        let slots = slots.map(|(state, count)| (Labels::new(&[state]), Value::Level(count.into())));
        self.put(Metric::Slots, slots.to_vec());
    }

    pub(super) async fn put_store(&mut self, store: &dyn Store) {
        self.put(Metric::Commits, vec![(Labels::new(&[]), Value::Count(store.commits()))]);
        let asked = async {
            let lanes = store.lanes().await?;
            Ok::<_, tasker_store::StoreError>((store.deadlines().await?.now, lanes))
        };
        let answer = tokio::time::timeout(PATIENCE, asked).await;
        let is_up = matches!(answer, Ok(Ok(_)));
        self.put(Metric::Up, vec![(Labels::new(&[]), Value::Level(if is_up { 1.0 } else { 0.0 }))]);
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
        self.put(Metric::OldestReady, ages.collect());
    }
}

fn labels(lane: &QueueDepth) -> Labels {
    Labels::new(&[lane.namespace.as_str(), lane.queue.as_str(), lane.handler.as_str()])
}
