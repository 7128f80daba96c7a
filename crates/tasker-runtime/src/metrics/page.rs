//! A snapshot with what is read when somebody scrapes.

use std::collections::BTreeMap;
use std::ops::Add;
use std::time::Duration;

use tasker_core::Timestamp;
use tasker_handler::RunnerReport;
use tasker_metrics::{Distribution, FamilySnapshot, Kind, Labels, ProcessFiles, Snapshot, Value};
use tasker_monitor::Metric;
use tasker_otlp::Report;
use tasker_store::{CommitReport, QueueDepth, Store, StoreError};
use tasker_subscribers::SubscriberReport;

/// A database that does not answer by then is not waited for: what it would say is left out.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// A task that nobody has begun is late after so long.
const LATE: Duration = Duration::from_secs(60);

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
        self.put_commits(&store.commit_report());
        let asked = async {
            let lanes = store.lanes().await?;
            let now = store.deadlines().await?.now;
            Ok::<_, StoreError>((now, lanes, store.late(now.minus(LATE)).await?))
        };
        let answer = tokio::time::timeout(PATIENCE, asked).await;
        let is_up = matches!(answer, Ok(Ok(_)));
        self.put(Metric::Up, vec![(Labels::new(&[]), Value::Level(if is_up { 1.0 } else { 0.0 }))]);
        let Ok(Ok((now, lanes, late))) = answer else { return };
        self.put_lanes(now, &lanes);
        let late = late
            .into_iter()
            .map(|(namespace, count)| (Labels::new(&[namespace.as_str()]), Value::Level(count.into())));
        self.put(Metric::LateTasks, late.collect());
    }

    /// What waits and what is at work, by namespace, queue and handler, whatever the priority.
    fn put_lanes(&mut self, now: Timestamp, lanes: &[QueueDepth]) {
        let age = |since: Timestamp| now.since(since).as_secs_f64();
        let waiting = || lanes.iter().filter(|lane| !lane.paused);
        let oldest = waiting().filter_map(|lane| Some((lane, age(lane.oldest_ready_at?))));
        self.put_levels(Metric::OldestReady, oldest, f64::max);
        self.put_levels(Metric::ReadySteps, waiting().map(|lane| (lane, lane.ready.into())), f64::add);
        let running = lanes.iter().filter_map(|lane| Some((lane, age(lane.oldest_running_at?))));
        self.put_levels(Metric::OldestRunning, running, f64::max);
        let at_work = lanes.iter().map(|lane| (lane, lane.running.into()));
        self.put_levels(Metric::RunningSteps, at_work, f64::add);
    }

    /// A level for each namespace, queue and handler, those of its lanes put together.
    fn put_levels<'l>(
        &mut self,
        metric: Metric,
        levels: impl Iterator<Item = (&'l QueueDepth, f64)>,
        together: fn(f64, f64) -> f64,
    ) {
        let mut by_labels = BTreeMap::<Labels, f64>::new();
        for (lane, level) in levels {
            by_labels
                .entry(labels(lane))
                .and_modify(|known| *known = together(*known, level))
                .or_insert(level);
        }
        let series = by_labels.into_iter().map(|(labels, level)| (labels, Value::Level(level)));
        self.put(metric, series.collect());
    }

    /// How the commits for the work went.
    fn put_commits(&mut self, report: &CommitReport) {
        self.put(Metric::Commits, vec![(Labels::new(&[]), Value::Count(report.commits))]);
        let distributions = [
            (Metric::CommitSeconds, report.times.to_vec(), report.in_flight_nanoseconds),
            (Metric::CommitSize, report.sizes.to_vec(), report.rows),
        ];
        for (metric, counts, sum) in distributions {
            let (_, Kind::Histogram(bounds)) = metric.declaration() else { continue };
            let distribution = Distribution { bounds, counts, sum: sum.into(), exemplars: Vec::new() };
            self.put(metric, vec![(Labels::new(&[]), Value::Distribution(Box::new(distribution)))]);
        }
    }
}

fn labels(lane: &QueueDepth) -> Labels {
    Labels::new(&[lane.namespace.as_str(), lane.queue.as_str(), lane.handler.as_str()])
}

#[cfg(test)]
mod tests {
    use tasker_metrics::{Bounds, Unit};

    use super::*;

    #[test]
    fn commits_are_told_by_the_bounds_that_stores_count_them_by() {
        #[expect(clippy::cast_precision_loss, reason = "sizes are small")]
        let sizes = CommitReport::SIZE_BOUNDS.map(|rows| rows as f64);
        let bounds = |metric: Metric| metric.declaration().1;
        let expected = Bounds::in_units(Unit::Seconds, &CommitReport::TIME_BOUNDS_SECONDS);
        assert_eq!(bounds(Metric::CommitSeconds), Kind::Histogram(expected));
        assert_eq!(bounds(Metric::CommitSize), Kind::Histogram(Bounds::in_units(Unit::One, &sizes)));
    }
}
