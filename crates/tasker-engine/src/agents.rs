//! The agents of one process, running until they are told to stop.

mod patience;
mod revival;
mod watch;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tasker_core::Backoff;
use tasker_store::{Retention, Store, StoreError};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::patience::Patience;
use self::revival::Revival;
use self::watch::keep_watch;
use crate::pruner::Pruner;
use crate::rescuer::Rescuer;
use crate::scheduler::Scheduler;

/// Old tasks are looked for so soon after the start, so that also processes that never live long remove some.
const FIRST_PRUNE: Duration = Duration::from_mins(1);

/// How the agents behave.
#[derive(Debug, Clone)]
pub struct AgentSettings {
    /// How long ended tasks are kept; `None` keeps them for ever.
    pub retention: Option<Retention>,
    /// How often old tasks are looked for.
    pub prune_interval: Duration,
    /// How soon a lease that ran out is noticed, while there is work.
    pub rescue_interval: Duration,
    /// How often the store is looked at while nothing happens.
    pub idle_interval: Duration,
    /// What a step waits whose worker went away, as far as its retry policy does not say: what the workers go by.
    pub backoff: Backoff,
    /// Decides the jitter of backoffs.
    pub seed: u64,
}

impl Default for AgentSettings {
    fn default() -> Self {
        let day = Duration::from_hours(24);
        Self {
            retention: Some(Retention { ended: 30 * day, failed: 90 * day }),
            prune_interval: Duration::from_hours(1),
            rescue_interval: Duration::from_secs(5),
            idle_interval: Duration::from_mins(1),
            backoff: Backoff::default(),
            seed: 0,
        }
    }
}

/// The agents of one process.
///
/// None of them ends before it is told to: one that panics says so in the log, and begins anew after a pause
/// that grows from a second to a minute.
#[derive(Debug)]
pub struct Agents {
    tasks: JoinSet<()>,
    revival: Revival,
}

impl Agents {
    /// Starts Rescuer, Scheduler and Pruner on a store.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn start(store: &Arc<dyn Store>, settings: &AgentSettings) -> Self {
        let revival = Revival::default();
        let mut tasks = JoinSet::new();
        let scheduled = Arc::clone(store);
        tasks.spawn(revival.clone().keep("scheduler", move || schedule(Arc::clone(&scheduled))));
        let (watched, calm) = (Arc::clone(store), settings.clone());
        tasks.spawn(revival.clone().keep("rescuer", move || {
            let rescuer = Rescuer::new(Arc::clone(&watched), calm.seed).backoff(calm.backoff.clone());
            keep_watch(Arc::clone(&watched), rescuer, calm.clone())
        }));
        if let Some(retention) = settings.retention {
            let (pruned, interval) = (Arc::clone(store), settings.prune_interval);
            let begin = move || keep_pruned(Pruner::new(Arc::clone(&pruned), retention), interval);
            tasks.spawn(revival.clone().keep("pruner", begin));
        }
        Self { tasks, revival }
    }

    /// How often an agent panicked, and was to begin anew.
    pub fn panics(&self) -> u64 {
        self.revival.panics()
    }

    /// Stops the agents and waits until they have.
    pub async fn stop(mut self) {
        self.revival.end();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Runs a [`Scheduler`], which looks at the store now and then to know its clock.
async fn schedule(store: Arc<dyn Store>) {
    let mut scheduler = Scheduler::new(store);
    let mut patience = Patience::with_the_store();
    // The agent is dropped at the end: nothing has to tell the scheduler of it.
    let never = CancellationToken::new();
    loop {
        match scheduler.look().await {
            Ok(_) => {
                patience = Patience::with_the_store();
                scheduler.signal_due(&never).await;
            }
            Err(error) => {
                note_failure("look at what is due", &error);
                tokio::time::sleep(patience.next()).await;
            }
        }
    }
}

async fn keep_pruned(pruner: Pruner, interval: Duration) {
    let mut wait = interval.min(FIRST_PRUNE);
    loop {
        tokio::time::sleep(wait).await;
        wait = interval;
        match pruner.prune().await {
            Ok(0) => {}
            Ok(tasks) => tracing::info!(tasks, "old tasks were removed"),
            Err(error) => note_failure("remove old tasks", &error),
        }
    }
}

/// Says what could not be done, and why.
fn note_failure(action: &str, error: &StoreError) {
    let source = error.source().map(ToString::to_string);
    tracing::warn!(%error, source, "failed to {action}");
}
