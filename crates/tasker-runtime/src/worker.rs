//! The worker as a part of a process: a runner, and what tells it when waiting steps become due.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tasker_core::{Backoff, Clock, QueueName, SystemClock, WorkerId};
use tasker_engine::Scheduler;
use tasker_handler::{LogSink, Registry, Runner, RunnerSettings, StepContext};
use tasker_logbook::KeptLog;
use tasker_store::Store;
use tokio_util::sync::CancellationToken;

use crate::environment::host_and_process;
use crate::error::RunError;
use crate::metrics::Metrics;
use crate::process::Process;
use crate::settings::{AgentsSection, Settings};

/// What is needed beyond the time that running steps are given.
const MARGIN: Duration = Duration::from_secs(10);
/// What steps logged last is given so long to be kept.
const FAREWELL: Duration = Duration::from_secs(5);
/// The waits between looks at a store that does not answer grow from the one to the other.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

impl Process {
    /// Runs a worker on a store, which offers what `registry` holds, and has `metrics` tell what it does.
    ///
    /// # Errors
    ///
    /// [`RunError::Refused`] if the settings of queues or backoff make no sense.
    pub fn start_worker(
        &mut self,
        store: &Arc<dyn Store>,
        settings: &Settings,
        registry: Registry,
        metrics: &Metrics,
    ) -> Result<(), RunError> {
        let mut random = StdRng::from_os_rng();
        let worker = WorkerId::new(SystemClock.now(), random.random());
        let runner_settings = runner_settings(worker, settings)?;
        let patience = runner_settings.drain_timeout + runner_settings.cancel_grace + FAREWELL + MARGIN;
        let kept =
            settings.worker.keep_logs.then(|| KeptLog::start(Arc::clone(store) as Arc<_>, Arc::new(StepLog)));
        let log: Arc<dyn LogSink> = match &kept {
            Some(kept) => Arc::new(kept.clone()),
            None => Arc::new(StepLog),
        };
        let runner = Runner::new(Arc::clone(store), registry, runner_settings, random)
            .log_to(log)
            .tell(metrics.events().clone());
        let runner = match metrics.traces() {
            Some(traces) => runner.trace_with(Arc::clone(traces) as Arc<_>),
            None => runner,
        };
        metrics.works(runner.counters());
        self.start("worker", patience, |stop| async move {
            let report = runner.run(stop).await;
            if let Some(kept) = kept {
                let dropped = kept.close(FAREWELL).await;
                if dropped > 0 {
                    tracing::warn!(dropped, "lines that steps logged could not be kept");
                }
            }
            let (attempts, unsettled) = (report.attempts(), report.unsettled);
            tracing::info!(attempts, unsettled, "the worker has stopped");
            Ok(())
        });
        Ok(())
    }

    /// Tells the worker of this process when waiting steps become due. The agents do so as well: where they run in
    /// the same process, this is not needed.
    pub fn start_scheduler(&mut self, store: &Arc<dyn Store>, settings: &AgentsSection) {
        let (store, interval) = (Arc::clone(store), settings.idle_interval());
        self.start("scheduler", MARGIN, move |stop| async move {
            schedule(store, interval, stop).await;
            Ok(())
        });
    }
}

impl Settings {
    /// What failed steps wait, or what is wrong with the settings that say so.
    pub(crate) fn usable_backoff(&self) -> Result<Backoff, RunError> {
        Backoff::try_from(&self.backoff)
            .map_err(|error| RunError::Refused { what: format!("backoff: {error}") })
    }
}

fn runner_settings(worker: WorkerId, settings: &Settings) -> Result<RunnerSettings, RunError> {
    let section = &settings.worker;
    let refused = |what: String| RunError::Refused { what };
    let queues: Result<Vec<QueueName>, _> =
        section.queues.iter().map(|queue| QueueName::new(queue)).collect();
    let usual = RunnerSettings::new(worker);
    Ok(RunnerSettings {
        name: section.name.clone().unwrap_or_else(host_and_process),
        queues: queues.map_err(|error| refused(format!("worker.queues: {error}")))?,
        concurrency: section.concurrency,
        lease: Duration::from_secs(u64::from(section.lease_seconds)),
        drain_timeout: Duration::from_secs(u64::from(section.drain_timeout_seconds)),
        backoff: settings.usable_backoff()?,
        ..usual
    })
}

/// Looks now and then when the next step becomes due, and signals what does.
async fn schedule(store: Arc<dyn Store>, interval: Duration, stop: CancellationToken) {
    let mut scheduler = Scheduler::new(store);
    let mut patience = SHORTEST;
    while !stop.is_cancelled() {
        match scheduler.look().await {
            Ok(_) => {
                patience = SHORTEST;
                tokio::select! {
                    () = scheduler.signal_due(&stop) => {}
                    () = tokio::time::sleep(interval) => {}
                }
            }
            Err(error) => {
                let source = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, source, "the scheduler cannot look at the store");
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(patience) => {}
                }
                patience = (patience * 2).min(LONGEST);
            }
        }
    }
}

/// Puts what steps log into the log of the process.
struct StepLog;

impl LogSink for StepLog {
    fn line(&self, step: &StepContext, line: &str) {
        let (task_id, step_name, attempt_number) = (step.task_id(), step.step_name(), step.attempt());
        tracing::info!(target: "tasker::step", %task_id, %step_name, attempt_number, "{line}");
    }
}

#[cfg(test)]
mod tests {
    use tasker_core::{ManualClock, Timestamp};
    use tasker_store::memory::MemoryStore;

    use super::*;
    use crate::settings::WorkerSettings;

    #[tokio::test(start_paused = true)]
    async fn the_worker_is_told_when_a_waiting_step_becomes_due() {
        let now = Timestamp::from_micros(1_000_000);
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(Arc::new(ManualClock::new(now))));
        let shutdown = CancellationToken::new();
        let mut process = Process::new(shutdown.clone());
        process.start_scheduler(&store, &AgentsSection::default());
        let mut ready = store.wake().ready();
        store.wake().due_at(now.plus(Duration::from_secs(5)));
        tokio::time::timeout(Duration::from_secs(6), ready.changed())
            .await
            .expect("in time")
            .expect("a hint");
        shutdown.cancel();
        process.run().await.expect("no failure");
    }

    #[test]
    fn a_worker_without_a_name_is_called_by_host_and_process() {
        let settings = |name: Option<&str>| Settings {
            worker: WorkerSettings { name: name.map(str::to_owned), ..WorkerSettings::default() },
            ..Settings::default()
        };
        let name = |name| {
            let worker = WorkerId::new(Timestamp::from_micros(0), 7);
            runner_settings(worker, &settings(name)).expect("valid").name
        };
        assert_eq!(name(Some("mine")), "mine");
        assert!(name(None).ends_with(&format!(":{}", std::process::id())));
    }

    #[test]
    fn the_settings_of_a_worker_reach_its_runner() {
        let mut settings = Settings::default();
        settings.worker.concurrency = 7;
        settings.worker.lease_seconds = 9;
        settings.worker.drain_timeout_seconds = 11;
        settings.backoff.max_backoff_seconds = 13;
        let runner = runner_settings(WorkerId::new(Timestamp::from_micros(0), 7), &settings).expect("valid");
        assert_eq!((runner.concurrency, runner.lease.as_secs(), runner.drain_timeout.as_secs()), (7, 9, 11));
        assert_eq!(runner.backoff.max_seconds, 13);
    }
}
