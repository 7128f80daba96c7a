//! The engine: one handle for everything that is asked of tasks.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};
use tasker_core::{
    Clock, CorrelationId, IdentityStrategy, State, SystemClock, TaskId, TaskTemplate, Timestamp,
};
use tasker_store::{Attempts, Command, Done, PutTemplate, Store, Target, TemplateId, Transition, WhenTaken};

use crate::error::EngineError;
use crate::relay::Relay;
use crate::view::TaskView;

/// How an engine behaves.
#[derive(Debug, Clone)]
pub struct EngineSettings {
    /// What makes two submissions the same task, if they do not say.
    pub identity: IdentityStrategy,
    /// A worker not seen for so long is taken for gone.
    pub worker_gone_after: Duration,
    /// The clock that stamps submissions and ids.
    pub clock: Arc<dyn Clock>,
    /// Seeds the ids; `None` takes the seed from the operating system.
    pub seed: Option<u64>,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            identity: IdentityStrategy::Default,
            worker_gone_after: Duration::from_mins(1),
            clock: Arc::new(SystemClock),
            seed: None,
        }
    }
}

/// Takes submissions and commands, and answers questions. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) settings: EngineSettings,
    random: Arc<Mutex<StdRng>>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine on a store.
    pub fn new(store: Arc<dyn Store>, settings: EngineSettings) -> Self {
        let random = settings.seed.map_or_else(StdRng::from_os_rng, StdRng::seed_from_u64);
        Self { store, settings, random: Arc::new(Mutex::new(random)) }
    }

    /// The store behind it.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Stores a template. The same content under the same key is stored once.
    ///
    /// # Errors
    ///
    /// [`EngineError::Template`] if the key is taken by another content and `when_taken` says to refuse.
    pub async fn register(
        &self,
        template: Arc<TaskTemplate>,
        when_taken: WhenTaken,
    ) -> Result<TemplateId, EngineError> {
        Ok(self.store.put_template(PutTemplate { template, when_taken }).await??)
    }

    /// Carries out a command.
    ///
    /// # Errors
    ///
    /// [`EngineError::Command`] if the present state does not allow it.
    pub async fn command(&self, command: Command) -> Result<Done, EngineError> {
        Ok(self.store.command(command).await??)
    }

    /// Calls off a task with every step that has not ended, or one step.
    ///
    /// # Errors
    ///
    /// As [`Engine::command`].
    pub async fn cancel(&self, target: Target, by: &str, reason: Option<&str>) -> Result<Done, EngineError> {
        let reason = reason.map(str::to_owned);
        self.command(Command::Cancel { target, by: by.to_owned(), reason }).await
    }

    /// Gives failed steps another attempt, now.
    ///
    /// # Errors
    ///
    /// As [`Engine::command`].
    pub async fn retry(&self, target: Target, attempts: Attempts, by: &str) -> Result<Done, EngineError> {
        self.command(Command::Retry { target, attempts, by: by.to_owned() }).await
    }

    /// A task with its template and its steps.
    ///
    /// # Errors
    ///
    /// Only the store's.
    pub async fn task(&self, id: TaskId) -> Result<Option<TaskView>, EngineError> {
        let Some(task) = self.store.task(id).await? else {
            return Ok(None);
        };
        let plan = self.store.read_plan(task.plan).await?;
        let plan = plan.ok_or_else(|| EngineError::NotFound(format!("the plan of task {id}")))?;
        let steps = self.store.steps(id).await?;
        let now = self.store.deadlines().await?.now;
        Ok(Some(TaskView { task, template: Arc::clone(&plan.template), priority: plan.priority, steps, now }))
    }

    /// Waits until a task is in a state that it does not leave by itself: complete, error, cancelled or
    /// resolved.
    ///
    /// # Errors
    ///
    /// [`EngineError::NotFound`] if there is no such task.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect on the task.
    pub async fn wait(&self, id: TaskId) -> Result<State, EngineError> {
        let mut verdicts = self.store.wake().verdicts();
        loop {
            verdicts.mark_unchanged();
            let task = self.store.task(id).await?;
            let task = task.ok_or_else(|| EngineError::NotFound(format!("task {id}")))?;
            match task.state {
                State::Pending | State::InProgress => {}
                ended => return Ok(ended),
            }
            // Hints from other processes may be lost: look again now and then.
            let _ = tokio::time::timeout(Duration::from_secs(5), verdicts.changed()).await;
        }
    }

    /// The transitions of a task so far, in order.
    ///
    /// # Errors
    ///
    /// Only the store's.
    pub async fn history(&self, id: TaskId) -> Result<Vec<Transition>, EngineError> {
        Ok(self.store.history(id).await?)
    }

    /// Carries the feed to those who follow it.
    pub fn relay(&self) -> Relay {
        Relay::new(Arc::clone(&self.store))
    }

    /// A correlation id for a request that has none.
    pub(crate) fn correlation_id(&self, now: Timestamp) -> CorrelationId {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        CorrelationId::generate(now, &mut *random)
    }

    pub(crate) fn random(&self) -> u128 {
        // The generator is sound after every call, also if another holder of the lock panicked.
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        (u128::from(random.next_u64()) << 64) | u128::from(random.next_u64())
    }
}
