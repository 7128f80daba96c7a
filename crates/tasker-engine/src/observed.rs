//! A store that tells what is done to it.

mod delegated;
mod told;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use hashbrown::HashMap;
use tasker_core::{Clock, LeaseKey, TaskId, Timestamp, WorkerId};
use tasker_events::{AttemptRef, Event, Events, StepKind, TaskKind, TaskRef};
use tasker_store::{Lease, PlanId, Store, StoreError};
use tokio::time::Instant;

/// What takes longer is told as slow.
const SLOW: Duration = Duration::from_secs(1);
/// More attempts than that are not remembered; of one that is not, the duration is unknown.
const MOST_ATTEMPTS: usize = 1_000_000;

/// A store that emits an event for what is done to it, after the commit that made it true.
///
/// Each fact is told once, by the process that caused it: claims and settlements of its workers, rescues of its agents,
/// submissions and commands that it was asked for. It answers as the store beneath does. Where nobody wants an event,
/// nothing is read for it.
pub struct Observed {
    store: Arc<dyn Store>,
    events: Events,
    clock: Arc<dyn Clock>,
    kinds: RwLock<HashMap<PlanId, Arc<Kinds>>>,
    attempts: Mutex<HashMap<LeaseKey, Held>>,
    /// Since when the database is out of reach, if it is.
    lost_since: Mutex<Option<Instant>>,
    is_lost: AtomicBool,
    /// The workers of this process, and whether they are draining.
    workers: Mutex<HashMap<WorkerId, bool>>,
}

/// What a plan is of.
struct Kinds {
    task: Arc<TaskKind>,
    steps: Vec<Arc<StepKind>>,
}

/// What the plan is of that was found last.
type Latest = Option<(PlanId, Arc<Kinds>)>;

/// An attempt whose end this process will record.
#[derive(Clone, Copy)]
struct Held {
    plan: PlanId,
    /// When its lease came; `None` if it is another's that ran out.
    began: Option<Instant>,
}

impl std::fmt::Debug for Observed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Observed").finish_non_exhaustive()
    }
}

impl Observed {
    /// Has `events` told what is done to `store`; `clock` is the one that stamps ids.
    pub fn over(store: Arc<dyn Store>, events: Events, clock: Arc<dyn Clock>) -> Arc<dyn Store> {
        Arc::new(Self {
            store,
            events,
            clock,
            kinds: RwLock::default(),
            attempts: Mutex::default(),
            lost_since: Mutex::default(),
            is_lost: AtomicBool::default(),
            workers: Mutex::default(),
        })
    }

    /// Asks the store something, and tells how long it took.
    async fn timed<T>(
        &self,
        operation: &'static str,
        asked: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let began = Instant::now();
        let answer = asked.await;
        let took = began.elapsed();
        let duration = took.as_secs_f64();
        match &answer {
            Ok(_) => {
                self.events.emit(&Event::DatabaseQueryExecuted { operation, duration });
                self.reached();
            }
            Err(error) => {
                let (error_message, is_transient) = (&*error.to_string(), error.is_transient());
                self.events.emit(&Event::DatabaseQueryFailed {
                    operation,
                    duration,
                    error_message,
                    is_transient,
                });
                if is_transient {
                    self.missed(error_message);
                }
            }
        }
        if took > SLOW {
            let threshold = SLOW.as_secs_f64();
            self.events.emit(&Event::PerformanceSlowOperation { operation, duration, threshold });
        }
        answer
    }

    /// The database did not answer: that is told once, until it does.
    fn missed(&self, error_message: &str) {
        if !self.is_lost.swap(true, Ordering::Relaxed) {
            *self.lost_since.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            self.events.emit(&Event::DatabaseConnectionLost { error_message });
        }
    }

    /// The database answered.
    fn reached(&self) {
        if !self.is_lost.load(Ordering::Relaxed) {
            return;
        }
        let since = self.lost_since.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(since) = since {
            self.is_lost.store(false, Ordering::Relaxed);
            let duration = since.elapsed().as_secs_f64();
            self.events.emit(&Event::DatabaseConnectionRestored { duration });
        }
    }

    /// What a plan is of; `None` if it cannot be read.
    async fn kinds(&self, plan: PlanId) -> Option<Arc<Kinds>> {
        if let Some(known) = self.kinds.read().unwrap_or_else(PoisonError::into_inner).get(&plan) {
            return Some(Arc::clone(known));
        }
        let stored = self.store.read_plan(plan).await.ok()??;
        let task = TaskKind::of(&stored.template);
        let steps = StepKind::all(&task, &stored.template);
        let mut kinds = self.kinds.write().unwrap_or_else(PoisonError::into_inner);
        // All processes of a name share what listeners keep beside it: the first one stays.
        Some(Arc::clone(kinds.entry(plan).or_insert_with(|| Arc::new(Kinds { task, steps }))))
    }

    /// As [`kinds`](Self::kinds), for one after the other: mostly they are of the same plan.
    async fn kinds_after<'a>(&self, plan: PlanId, latest: &'a mut Latest) -> Option<&'a Kinds> {
        if latest.as_ref().is_none_or(|(of, _)| *of != plan) {
            *latest = Some((plan, self.kinds(plan).await?));
        }
        latest.as_ref().map(|(_, kinds)| &**kinds)
    }

    fn attempts(&self) -> MutexGuard<'_, HashMap<LeaseKey, Held>> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hold(&self, leases: impl Iterator<Item = (LeaseKey, Held)>) {
        let mut attempts = self.attempts();
        for (key, held) in leases {
            if attempts.len() < MOST_ATTEMPTS {
                attempts.entry(key).or_insert(held);
            }
        }
    }

    fn workers(&self) -> MutexGuard<'_, HashMap<WorkerId, bool>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of leases that came with an answer.
    async fn leased(&self, worker: Option<WorkerId>, leases: &[Lease]) {
        let now = Instant::now();
        self.hold(leases.iter().map(|lease| (lease.key, Held { plan: lease.plan, began: Some(now) })));
        let Some(worker) = worker else { return };
        match u32::try_from(leases.len()).unwrap_or(u32::MAX) {
            0 => self.events.emit(&Event::WorkflowNoViableSteps { worker }),
            step_count => self.events.emit(&Event::WorkflowViableStepsDiscovered { step_count }),
        }
        let mut latest = None;
        for lease in leases {
            let Some(kinds) = self.kinds_after(lease.plan, &mut latest).await else { continue };
            let Some(attempt) = kinds.attempt(lease.key) else { continue };
            if lease.starts_task {
                self.started(kinds, lease.key.step.task());
            }
            self.events.emit(&Event::StepExecutionRequested {
                attempt,
                retry_limit: lease.retry_limit,
                worker: lease.worker,
                started_at: lease.claimed_at,
                queue_duration: lease.claimed_at.since(lease.ready_at).as_secs_f64(),
            });
        }
    }

    fn started(&self, kinds: &Kinds, task: TaskId) {
        let (task, queue_duration) = (kinds.task(task), self.age(task));
        self.events.emit(&Event::TaskStartRequested { task, queue_duration });
    }

    /// Seconds since a task was submitted, which its id says to the millisecond.
    fn age(&self, task: TaskId) -> f64 {
        let millis = i64::try_from(task.as_uuid().as_u128() >> 80).unwrap_or(i64::MAX);
        self.clock.now().since(Timestamp::from_micros(millis.saturating_mul(1_000))).as_secs_f64()
    }
}

impl Kinds {
    fn attempt(&self, key: LeaseKey) -> Option<AttemptRef<'_>> {
        Some(AttemptRef { key, kind: self.steps.get(key.step.ordinal() as usize)? })
    }

    fn task(&self, id: TaskId) -> TaskRef<'_> {
        TaskRef { id, kind: &self.task }
    }
}
