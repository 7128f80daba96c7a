//! The fold: what events become as metrics.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tasker_core::LeaseKey;
use tasker_events::{AttemptRef, Event, EventId, Sink, StepKind, TaskKind};
use tasker_metrics::{Counter, Family, Handle, Histogram, Kind, Origin, RegisterError, Registry};

use crate::catalog::Metric;

/// Says in which trace an attempt is, so that a bucket of a histogram leads to one.
pub trait Exemplars: std::fmt::Debug + Send + Sync {
    /// The span of the attempt now; `None` if it is in no trace that is kept.
    fn of_attempt(&self, attempt: LeaseKey) -> Option<Origin>;
}

/// Counts what happens.
#[derive(Debug)]
pub struct Fold {
    events: Family<Counter>,
    /// The series of `events`, found once.
    known: Vec<OnceLock<Handle<Counter>>>,
    tasks: Family<Counter>,
    task_seconds: Family<Histogram>,
    attempts: Family<Counter>,
    attempt_seconds: Family<Histogram>,
    queue_seconds: Family<Histogram>,
    handler_seconds: Family<Histogram>,
    retries: Family<Counter>,
    expiries: Family<Counter>,
    calls: Family<Histogram>,
    exemplars: Option<Arc<dyn Exemplars>>,
}

/// The series of a step, each found when it is first needed.
#[derive(Default)]
struct StepSeries {
    begun: OnceLock<Handle<Counter>>,
    waited: OnceLock<Handle<Histogram>>,
    completed: OnceLock<Handle<Counter>>,
    completed_seconds: OnceLock<Handle<Histogram>>,
    handled: OnceLock<Handle<Histogram>>,
}

/// The series of a task, each found when it is first needed.
#[derive(Default)]
struct TaskSeries {
    started: OnceLock<Handle<Counter>>,
    completed: OnceLock<Handle<Counter>>,
    completed_seconds: OnceLock<Handle<Histogram>>,
}

impl Fold {
    /// Has its metrics registered; what attempts took has exemplars where there are traces.
    ///
    /// # Errors
    ///
    /// If another has one of their names.
    pub fn of(registry: &Registry, exemplars: Option<Arc<dyn Exemplars>>) -> Result<Self, RegisterError> {
        let counter = |metric: Metric| registry.counter(metric.declaration().0);
        let histogram = |metric: Metric| {
            let (description, kind) = metric.declaration();
            let Kind::Histogram(bounds) = kind else {
                unreachable!("invariant: it is declared as a histogram")
            };
            registry.histogram(description, bounds)
        };
        Ok(Self {
            events: counter(Metric::Events)?,
            known: EventId::ALL.iter().map(|_| OnceLock::new()).collect(),
            tasks: counter(Metric::Tasks)?,
            task_seconds: histogram(Metric::TaskSeconds)?,
            attempts: counter(Metric::StepAttempts)?,
            attempt_seconds: histogram(Metric::StepSeconds)?,
            queue_seconds: histogram(Metric::StepQueue)?,
            handler_seconds: histogram(Metric::HandlerSeconds)?,
            retries: counter(Metric::Retries)?,
            expiries: counter(Metric::LeaseExpiries)?,
            calls: histogram(Metric::Calls)?,
            exemplars,
        })
    }

    fn task(&self, kind: &TaskKind, outcome: &str) -> Handle<Counter> {
        self.tasks.with(&[&kind.namespace, &kind.name, outcome])
    }

    fn task_seconds(&self, kind: &TaskKind, outcome: &str) -> Handle<Histogram> {
        self.task_seconds.with(&[&kind.namespace, &kind.name, outcome])
    }

    /// What happens to every task: its series are kept beside its name.
    fn task_started(&self, kind: &TaskKind) {
        if let Some(series) = kind.cache.get(TaskSeries::default) {
            series.started.get_or_init(|| self.task(kind, "started")).increment();
        }
    }

    fn task_completed(&self, kind: &TaskKind, seconds: f64) {
        let Some(series) = kind.cache.get(TaskSeries::default) else { return };
        series.completed.get_or_init(|| self.task(kind, "completed")).increment();
        let took = series.completed_seconds.get_or_init(|| self.task_seconds(kind, "completed"));
        took.observe(duration(seconds));
    }

    fn task_failed(&self, kind: &TaskKind, seconds: f64) {
        self.task(kind, "failed").increment();
        self.task_seconds(kind, "failed").observe(duration(seconds));
    }

    fn attempt(&self, kind: &StepKind, outcome: &str) -> Handle<Counter> {
        self.attempts.with(&[&kind.task.namespace, &kind.task.name, &kind.name, outcome])
    }

    fn seconds(&self, kind: &StepKind, outcome: &str) -> Handle<Histogram> {
        self.attempt_seconds.with(&[&kind.task.namespace, &kind.task.name, &kind.name, outcome])
    }

    fn observe(&self, histogram: &Histogram, seconds: f64, attempt: LeaseKey) {
        match self.exemplars.as_ref().and_then(|exemplars| exemplars.of_attempt(attempt)) {
            Some(origin) => histogram.observe_with(duration(seconds), origin),
            None => histogram.observe(duration(seconds)),
        }
    }

    /// What happens to every step: its series are kept beside its name.
    fn begun(&self, kind: &StepKind, waited: f64) {
        let Some(series) = kind.cache.get(StepSeries::default) else { return };
        series.begun.get_or_init(|| self.attempt(kind, "begun")).increment();
        let seconds = || self.queue_seconds.with(&step_labels(kind));
        series.waited.get_or_init(seconds).observe(duration(waited));
    }

    fn completed(&self, AttemptRef { key, kind }: AttemptRef<'_>, seconds: Option<f64>) {
        let Some(series) = kind.cache.get(StepSeries::default) else { return };
        series.completed.get_or_init(|| self.attempt(kind, "completed")).increment();
        if let Some(seconds) = seconds {
            let took = series.completed_seconds.get_or_init(|| self.seconds(kind, "completed"));
            self.observe(took, seconds, key);
        }
    }

    fn handled(&self, AttemptRef { key, kind }: AttemptRef<'_>, seconds: f64, outcome: &str) {
        let [namespace, task, step] = step_labels(kind);
        let series = || self.handler_seconds.with(&[namespace, task, step, outcome]);
        match kind.cache.get(StepSeries::default) {
            Some(known) if outcome == "done" => {
                self.observe(known.handled.get_or_init(series), seconds, key);
            }
            _ => self.observe(&series(), seconds, key),
        }
    }

    fn failed(&self, AttemptRef { key, kind }: AttemptRef<'_>, seconds: Option<f64>, will_retry: bool) {
        self.attempt(kind, "failed").increment();
        if will_retry {
            self.attempt(kind, "retried").increment();
            self.retries.with(&step_labels(kind)).increment();
        }
        if let Some(seconds) = seconds {
            self.observe(&self.seconds(kind, "failed"), seconds, key);
        }
    }
}

impl Sink for Fold {
    fn take(&self, event: &Event<'_>) {
        let id = event.id();
        self.known[id as usize].get_or_init(|| self.events.with(&[id.name()])).increment();
        match event {
            Event::TaskInitializeRequested { task, .. } => self.task(task.kind, "submitted").increment(),
            Event::TaskCompleted { task, total_execution_duration } => {
                self.task_completed(task.kind, *total_execution_duration);
            }
            Event::TaskFailed { task, total_execution_duration } => {
                self.task_failed(task.kind, *total_execution_duration);
            }
            Event::TaskCancelled { task, .. } => self.task(task.kind, "cancelled").increment(),
            Event::TaskResolvedManually { task, .. } => self.task(task.kind, "resolved").increment(),
            Event::TaskStartRequested { task, .. } => self.task_started(task.kind),
            Event::StepExecutionRequested { attempt, queue_duration, .. } => {
                self.begun(attempt.kind, *queue_duration);
            }
            Event::StepHandle { attempt, duration, outcome } => self.handled(*attempt, *duration, outcome),
            Event::LeaseExpired { attempt } => self.expiries.with(&step_labels(attempt.kind)).increment(),
            Event::StepCompleted { attempt, execution_duration } => {
                self.completed(*attempt, *execution_duration);
            }
            Event::StepFailed { attempt, execution_duration, will_retry, .. } => {
                self.failed(*attempt, *execution_duration, *will_retry);
            }
            Event::StepSnoozed { attempt, .. } => self.attempt(attempt.kind, "snoozed").increment(),
            Event::DatabaseQueryExecuted { operation, duration: seconds } => {
                self.calls.with(&[operation]).observe(duration(*seconds));
            }
            // The others are counted by name alone.
            _ => {}
        }
    }
}

fn step_labels(kind: &StepKind) -> [&str; 3] {
    [&kind.task.namespace, &kind.task.name, &kind.name]
}

fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
