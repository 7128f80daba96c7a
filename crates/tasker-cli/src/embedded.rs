//! The worker and the agents that run in this process.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};
use tasker_core::{Backoff, Clock, QueueName, StepId, TaskId, TaskTemplate, WorkerId};
use tasker_engine::{AgentSettings, Agents, Engine, Watched};
use tasker_handler::{LogSink, NoLog, Registry, Runner, RunnerReport, RunnerSettings, StepContext};
use tasker_logbook::KeptLog;
use tasker_runtime::{AgentsSection, Settings, Tracing, WorkerSettings, handlers};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::command::Work;
use crate::desk::Desk;
use crate::ending::Trouble;
use crate::remembered::Remembered;
use crate::words::count;

/// How long the lease of this process holds: short, so that a killed one is soon known to be dead.
const LEASE: Duration = Duration::from_secs(4);
/// How long a step that is stopped gets to end by itself.
const GRACE: Duration = Duration::from_secs(2);
/// How long the last lines that steps logged may take to be kept.
const LAST_LINES: Duration = Duration::from_secs(2);
/// How often work is looked for without a hint: a hint from another process may be lost, and someone waits.
const POLL: Duration = Duration::from_secs(2);

/// How the worker of this process is set up.
pub(crate) struct Setup {
    registry: Registry,
    queues: BTreeSet<QueueName>,
    concurrency: u32,
    backoff: Backoff,
    drain_timeout: Duration,
    agents: AgentSettings,
    clock: Arc<dyn Clock>,
    logs: Arc<dyn LogSink>,
}

impl Setup {
    /// As settings, command line and what is remembered of the task say, in this order.
    pub(crate) fn of(
        desk: &Desk,
        settings: &Settings,
        work: &Work,
        remembered: &Remembered,
    ) -> Result<Self, Trouble> {
        let worker = WorkerSettings {
            bindings: remembered.bindings.clone(),
            base_dir: Some(remembered.base_dir.clone()),
            ..settings.worker.clone()
        };
        let registry = handlers(&worker, desk.variables.clone(), Vec::new())?;
        let backoff = Backoff::try_from(&settings.backoff).map_err(anyhow::Error::from)?;
        Ok(Self {
            registry,
            queues: BTreeSet::new(),
            concurrency: work.concurrency.unwrap_or(worker.concurrency),
            backoff: backoff.clone(),
            drain_timeout: Duration::from_secs(u64::from(worker.drain_timeout_seconds)),
            agents: agents(settings).agent_settings(backoff),
            clock: Arc::clone(&desk.clock),
            logs: Arc::new(NoLog),
        })
    }

    /// Serves the queues that the steps of a template wait in, with no more hands than there are steps.
    pub(crate) fn for_template(mut self, template: &TaskTemplate) -> Self {
        let steps = u32::try_from(template.steps.len()).unwrap_or(u32::MAX);
        self.concurrency = self.concurrency.min(steps).max(1);
        self.queues.extend(template.steps.iter().map(|step| step.queue.clone()));
        self
    }

    /// Lets what steps log come through a channel.
    pub(crate) fn listen(&mut self) -> UnboundedReceiver<LogLine> {
        let (lines, heard) = mpsc::unbounded_channel();
        self.logs = Arc::new(Lines(lines));
        heard
    }

    /// The handlers it offers.
    pub(crate) fn offered(&self) -> BTreeSet<String> {
        self.registry.handlers().map(ToString::to_string).collect()
    }
}

/// The agents of a run, which rescues and schedules its own task in any case: nobody else may be there to do it.
fn agents(settings: &Settings) -> AgentsSection {
    let agents = settings.agents.clone();
    // It is for the servers of a database to say what is kept. A file that only runs use must not grow for ever.
    if agents.enabled && !settings.database.is_of_many_machines() { agents } else { agents.without_pruning() }
}

/// A line that a step logged.
#[derive(Debug)]
pub(crate) struct LogLine {
    pub(crate) step: StepId,
    pub(crate) text: String,
}

/// Sends what steps log through a channel.
struct Lines(UnboundedSender<LogLine>);

impl LogSink for Lines {
    fn line(&self, step: &StepContext, line: &str) {
        // Nobody listens any more when the drive is over.
        let _ = self.0.send(LogLine { step: step.step_id(), text: line.to_owned() });
    }
}

/// The worker and the agents, at work.
pub(crate) struct Embedded {
    agents: Agents,
    runner: AbortOnDropHandle<RunnerReport>,
    shutdown: CancellationToken,
    store: Arc<Watched>,
    log: KeptLog,
}

impl Embedded {
    /// Starts them for one task.
    pub(crate) fn start(engine: &Engine, task: TaskId, setup: Setup, traces: Option<Arc<Tracing>>) -> Self {
        let mut random = StdRng::from_os_rng();
        let now = setup.clock.now();
        let worker = WorkerId::new(now, u128::from(random.next_u64()) << 64 | u128::from(random.next_u64()));
        let settings = RunnerSettings {
            name: format!("tasker run ({})", std::process::id()),
            queues: setup.queues.into_iter().collect(),
            task: Some(task),
            concurrency: setup.concurrency,
            lease: LEASE,
            drain_timeout: setup.drain_timeout,
            cancel_grace: GRACE,
            poll: POLL,
            backoff: setup.backoff,
            ..RunnerSettings::new(worker)
        };
        let shutdown = CancellationToken::new();
        let store = Arc::new(Watched::new(Arc::clone(engine.store())));
        let runner = Runner::new(Arc::clone(&store) as Arc<_>, setup.registry, settings, random);
        let log = KeptLog::start(Arc::clone(engine.store()) as Arc<_>, setup.logs);
        let runner = runner.log_to(Arc::new(log.clone()));
        let runner = match traces {
            Some(traces) => runner.trace_with(traces),
            None => runner,
        };
        let runner = AbortOnDropHandle::new(tokio::spawn(runner.run(shutdown.clone())));
        Self { agents: Agents::start(engine.store(), &setup.agents), runner, shutdown, store, log }
    }

    /// The store, which is watched for what it fails.
    pub(crate) fn store(&self) -> Arc<Watched> {
        Arc::clone(&self.store)
    }

    /// Takes no further step, and waits until those at work have ended. Says what went wrong with that.
    pub(crate) async fn stop(self) -> Option<String> {
        self.shutdown.cancel();
        let ended = self.runner.await;
        self.agents.stop().await;
        let dropped = self.log.close(LAST_LINES).await;
        match ended {
            Ok(RunnerReport { unsettled: 0, .. }) if dropped > 0 => {
                let lines = count(usize::try_from(dropped).unwrap_or(usize::MAX), "line");
                Some(format!("{lines} that steps logged could not be kept"))
            }
            Ok(RunnerReport { unsettled: 0, .. }) => None,
            Ok(report) => {
                let steps = count(usize::try_from(report.unsettled).unwrap_or(usize::MAX), "step");
                let they = if report.unsettled == 1 { "it runs" } else { "they run" };
                Some(format!("what {steps} came to could not be recorded: {they} again"))
            }
            // Its leases run out.
            Err(error) => Some(format!("the worker of this process failed: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use tasker_runtime::DatabaseSettings;

    use super::*;

    /// Whether a run removes old tasks from a database.
    fn is_pruned(url: &str, are_agents_enabled: bool) -> bool {
        let database = DatabaseSettings { url: url.to_owned(), ..DatabaseSettings::default() };
        let section = AgentsSection { enabled: are_agents_enabled, ..AgentsSection::default() };
        let settings = Settings { database, agents: section, ..Settings::default() };
        agents(&settings).agent_settings(Backoff::default()).retention.is_some()
    }

    #[test]
    fn a_run_prunes_a_file_and_never_the_database_of_servers() {
        assert!(is_pruned("sqlite:tasker.db", true));
        assert!(!is_pruned("postgres://you@there/tasks", true));
    }

    #[test]
    fn a_run_without_agents_prunes_nothing() {
        assert!(!is_pruned("sqlite:tasker.db", false));
    }
}
