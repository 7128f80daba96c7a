//! How a process fares, in numbers: what its metrics tell, put together for people.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value as Json, json};
use tasker_api::{MetricsSource, StatusReport, StatusSource};
use tasker_core::{Clock, Timestamp};
use tasker_metrics::{FamilySnapshot, Snapshot, Value};
use tasker_store::TaskCount;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::environment::{host_and_process, program_name};

/// However many ask, the metrics are read no more often than this.
const FRESH: Duration = Duration::from_secs(5);
/// So many of what waits longest are told.
const LONGEST: usize = 5;

/// What a status is made of.
#[async_trait]
pub(crate) trait Figures: MetricsSource {
    /// How many tasks are in each state; `None` if that cannot be told.
    async fn task_counts(&self) -> Option<Vec<TaskCount>>;
}

/// Tells how a process fares.
pub(crate) struct Fares {
    metrics: Arc<dyn Figures>,
    clock: Arc<dyn Clock>,
    started: (Timestamp, Instant),
    last: Mutex<Option<Look>>,
}

/// What was found at one time.
struct Look {
    at: Instant,
    commits: f64,
    attempts: f64,
    report: StatusReport,
}

impl Fares {
    /// The status of a process that starts now.
    pub(crate) fn of(metrics: Arc<dyn Figures>, clock: Arc<dyn Clock>) -> Self {
        let started = (clock.now(), Instant::now());
        Self { metrics, clock, started, last: Mutex::default() }
    }

    fn report(&self, snapshot: &Snapshot, counts: Option<&[TaskCount]>, last: Option<&Look>) -> Look {
        let now = Instant::now();
        let commits =
            by_outcome(snapshot, "tasker_store_commits_total").values().filter_map(Json::as_f64).sum();
        let attempts = by_outcome(snapshot, "tasker_worker_attempts_total");
        let attempts_made = attempts.values().filter_map(Json::as_f64).sum();
        let is_up = by_outcome(snapshot, "tasker_store_up").values().any(|up| up.as_f64() == Some(1.0));
        let rates = last.map(|last| {
            let seconds = now.duration_since(last.at).as_secs_f64();
            json!({
                "seconds": rounded(seconds),
                "commits_per_second": rounded((commits - last.commits) / seconds),
                "attempts_per_second": rounded((attempts_made - last.attempts) / seconds),
            })
        });
        let facts = json!({
            "service": program_name(),
            "version": env!("CARGO_PKG_VERSION"),
            "instance": host_and_process(),
            "started_at": self.started.0,
            "uptime_seconds": rounded(now.duration_since(self.started.1).as_secs_f64()),
            "store": { "up": is_up, "commits": whole(commits) },
            "worker": worker(snapshot, &attempts),
            "tasks": by_outcome(snapshot, "tasker_tasks_total"),
            "stored": counts.map(stored),
            "steps": {
                "ready": whole(sum(snapshot, "tasker_ready_steps")),
                "running": whole(sum(snapshot, "tasker_running_steps")),
            },
            "waiting": waiting(snapshot),
            "rates": rates,
            "found_at": self.clock.now(),
        });
        let Json::Object(facts) = facts else { unreachable!("invariant: it is written as an object") };
        Look {
            at: now,
            commits,
            attempts: attempts_made,
            report: StatusReport { healthy: is_up, cached: false, facts },
        }
    }
}

#[async_trait]
impl StatusSource for Fares {
    async fn status(&self) -> StatusReport {
        // Whoever asks while somebody looks gets what that one finds.
        let mut last = self.last.lock().await;
        if let Some(look) = last.as_ref().filter(|look| look.at.elapsed() < FRESH) {
            return StatusReport { cached: true, ..look.report.clone() };
        }
        let (snapshot, counts) = tokio::join!(self.metrics.snapshot(), self.metrics.task_counts());
        let look = self.report(&snapshot, counts.as_deref(), last.as_ref());
        last.insert(look).report.clone()
    }
}

/// How many tasks are in each state, and how far they are counted.
fn stored(counts: &[TaskCount]) -> Json {
    let tasks = counts.iter().map(|count| (count.state.as_str().to_owned(), json!(count.tasks)));
    json!({ "tasks": tasks.collect::<Map<_, _>>(), "counted_to": TaskCount::COUNTED })
}

/// The slots of the worker and what became of its attempts; null if there is no worker.
fn worker(snapshot: &Snapshot, attempts: &Map<String, Json>) -> Json {
    let slots = by_outcome(snapshot, "tasker_worker_slots");
    let count = |state: &str| slots.get(state).and_then(Json::as_f64).unwrap_or(0.0);
    let (busy, all) = (count("busy"), count("busy") + count("free"));
    if all == 0.0 {
        return Json::Null;
    }
    json!({ "slots": whole(all), "busy": whole(busy), "saturation": rounded(busy / all), "attempts": attempts })
}

/// What has been ready longest and nobody has claimed, the oldest first.
fn waiting(snapshot: &Snapshot) -> Json {
    let mut ages: Vec<(Vec<&str>, f64)> = series(snapshot, "tasker_oldest_ready_step_age_seconds");
    ages.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let oldest = ages.iter().take(LONGEST).map(|(labels, age)| {
        let label = |at: usize| labels.get(at).copied();
        json!({ "namespace": label(0), "queue": label(1), "handler": label(2), "seconds": rounded(*age) })
    });
    let seconds = ages.first().map(|(_, age)| rounded(*age));
    json!({ "lanes": ages.len(), "oldest_ready_seconds": seconds, "oldest": oldest.collect::<Vec<_>>() })
}

/// The sums of a family by its last label, or under no name if it has none.
fn by_outcome(snapshot: &Snapshot, family: &str) -> Map<String, Json> {
    let mut sums = Map::new();
    for (labels, value) in series(snapshot, family) {
        let sum = sums.entry(labels.last().copied().unwrap_or_default()).or_insert(json!(0.0));
        *sum = json!(sum.as_f64().unwrap_or(0.0) + value);
    }
    sums.into_iter().map(|(name, sum)| (name, whole(sum.as_f64().unwrap_or(0.0)))).collect()
}

/// The sum of all series of a family.
fn sum(snapshot: &Snapshot, family: &str) -> f64 {
    series(snapshot, family).iter().map(|(_, value)| value).sum()
}

/// A count, without a fraction.
fn whole(number: f64) -> Json {
    #[expect(clippy::cast_possible_truncation, reason = "no count is that large")]
    let number = number.round() as i64;
    json!(number)
}

/// The series of counters and gauges of a family.
fn series<'s>(snapshot: &'s Snapshot, family: &str) -> Vec<(Vec<&'s str>, f64)> {
    let series = snapshot.families.get(family).map_or(&[][..], |family: &FamilySnapshot| &family.series);
    let read = series.iter().filter_map(|(labels, value)| {
        #[expect(clippy::cast_precision_loss, reason = "counts beyond 2^53 may be rounded for people")]
        let number = match value {
            Value::Count(count) => *count as f64,
            Value::Level(level) => *level,
            Value::Distribution(_) | Value::Exponential(_) => return None,
        };
        Some((labels.values().collect(), number))
    });
    read.collect()
}

fn rounded(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use tasker_core::{ManualClock, State};
    use tasker_metrics::{Description, Merge, Registry};

    use super::*;
    use crate::metrics::Metrics;

    /// A process that counts how often it is asked, and commits ten times in between.
    #[derive(Default)]
    struct Counted {
        asked: AtomicU64,
        is_up: bool,
    }

    #[async_trait]
    impl MetricsSource for Counted {
        async fn snapshot(&self) -> Snapshot {
            let asked = self.asked.fetch_add(1, Ordering::Relaxed);
            let registry = Registry::default();
            let counter =
                |name| registry.counter(Description::new(name, "").labels(&["outcome"])).expect("a counter");
            let gauge = |name, labels| {
                registry.gauge(Description::new(name, "").labels(labels), Merge::Sum).expect("a gauge")
            };
            counter("tasker_worker_attempts_total").with(&["completed"]).add(3 * asked);
            let commits = Description::new("tasker_store_commits_total", "");
            registry.counter(commits).expect("a counter").with(&[]).add(10 * asked);
            gauge("tasker_store_up", &[]).with(&[]).set(f64::from(u8::from(self.is_up)));
            let slots = gauge("tasker_worker_slots", &["state"]);
            slots.with(&["busy"]).set(3.0);
            slots.with(&["free"]).set(1.0);
            let ready = gauge("tasker_ready_steps", &["namespace", "queue", "handler"]);
            let ages = gauge("tasker_oldest_ready_step_age_seconds", &["namespace", "queue", "handler"]);
            for seconds in 1..8_u8 {
                let labels = ["default", "mail", &format!("send{seconds}")];
                ready.with(&labels).set(seconds.into());
                ages.with(&labels).set(seconds.into());
            }
            registry.snapshot()
        }
    }

    #[async_trait]
    impl Figures for Counted {
        async fn task_counts(&self) -> Option<Vec<TaskCount>> {
            let of = |state| if state == State::Pending { TaskCount::COUNTED + 1 } else { 2 };
            self.is_up.then(|| TaskCount::of_all(of))
        }
    }

    fn fares(is_up: bool) -> (Arc<Counted>, Fares) {
        let counted = Arc::new(Counted { is_up, ..Counted::default() });
        let clock = Arc::new(ManualClock::new(Timestamp::from_micros(0)));
        (Arc::clone(&counted), Fares::of(counted, clock))
    }

    #[tokio::test(start_paused = true)]
    async fn one_look_serves_all_who_ask_within_five_seconds() {
        let (counted, fares) = fares(true);
        assert!(!fares.status().await.cached);
        tokio::time::advance(FRESH / 2).await;
        assert!(fares.status().await.cached);
        tokio::time::advance(FRESH / 2).await;
        assert!(!fares.status().await.cached);
        assert_eq!(counted.asked.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn the_facts_are_those_of_the_metrics_and_rates_are_since_the_last_look() {
        let (_, fares) = fares(true);
        let first = fares.status().await;
        assert!(first.healthy && first.facts["rates"].is_null());
        tokio::time::advance(Duration::from_secs(10)).await;
        let facts = fares.status().await.facts;
        assert_eq!(
            facts["rates"],
            json!({ "seconds": 10.0, "commits_per_second": 1.0, "attempts_per_second": 0.3 })
        );
        assert_eq!(
            facts["worker"],
            json!({ "slots": 4, "busy": 3, "saturation": 0.75, "attempts": { "completed": 3 } })
        );
        assert_eq!((&facts["uptime_seconds"], &facts["waiting"]["lanes"]), (&json!(10.0), &json!(7)));
        assert_eq!(facts["waiting"]["oldest"].as_array().expect("a list").len(), LONGEST);
        let tasks = json!({
            "pending": 10_000, "in_progress": 2, "complete": 2, "error": 2, "cancelled": 2, "resolved_manually": 2,
        });
        assert_eq!(facts["stored"], json!({ "tasks": tasks, "counted_to": 10_000 }));
        assert_eq!(facts["steps"], json!({ "ready": 28, "running": 0 }));
        let oldest = json!({ "namespace": "default", "queue": "mail", "handler": "send7", "seconds": 7.0 });
        assert_eq!(
            (&facts["waiting"]["oldest"][0], &facts["waiting"]["oldest_ready_seconds"]),
            (&oldest, &json!(7.0))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_whose_database_is_away_or_not_open_yet_is_not_well() {
        let (_, down) = fares(false);
        let status = down.status().await;
        assert!(!status.healthy && status.facts["stored"].is_null());
        let clock = Arc::new(ManualClock::new(Timestamp::from_micros(0)));
        let starting = Fares::of(Metrics::new(), clock).status().await;
        assert!(!starting.healthy && starting.facts["worker"].is_null());
    }
}
