//! Plays a scenario on a store, with one scripted worker and a clock that moves only when nothing else does.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use serde_json::json;
use tasker_core::{
    Failure, FailureKind, LeaseKey, ManualClock, State, StepId, TaskId, TaskTemplate, Timestamp, When,
    WorkerId,
};
use tasker_engine::{Engine, EngineSettings, Rescuer, TaskRequest};
use tasker_store::{
    Attempts, ClaimRequest, Command, Lease, SettleRequest, Settlement, Store, Target, Transition, WhenTaken,
};

use super::parse::{Action, Behaviour, Scenario};

const LEASE: Duration = Duration::from_secs(30);
/// A scenario that takes more rounds than this goes in circles.
const MAX_ROUNDS: u32 = 1_000;

/// Plays a scenario and returns its transcript.
///
/// # Errors
///
/// If the store fails, or a command of the scenario is refused.
pub async fn play(scenario: &Scenario, store: Arc<dyn Store>, clock: Arc<ManualClock>) -> Result<String> {
    let settings = EngineSettings { clock: clock.clone(), ..EngineSettings::default() };
    let engine = Engine::new(Arc::clone(&store), settings);
    let template =
        TaskTemplate::from_definition(&scenario.definition()).map_err(|error| anyhow!("{error}"))?;
    let template = Arc::new(template);
    engine.register(Arc::clone(&template), WhenTaken::Replace).await?;
    let request = TaskRequest::new(template.key().into(), json!({}));
    let start = tasker_core::Clock::now(&*clock);
    let task = engine.submit(request).await?.id();
    let worker = WorkerId::new(start, 1);
    let rescuer = Rescuer::new(Arc::clone(&store), 7);
    let mut player =
        Player { scenario, engine, clock, template, task, start, worker, rescuer, vanished: HashMap::new() };
    player.play().await?;
    player.transcript().await
}

struct Player<'a> {
    scenario: &'a Scenario,
    engine: Engine,
    clock: Arc<ManualClock>,
    template: Arc<TaskTemplate>,
    task: TaskId,
    start: Timestamp,
    worker: WorkerId,
    rescuer: Rescuer,
    vanished: HashMap<StepId, u32>,
}

impl Player<'_> {
    async fn play(&mut self) -> Result<()> {
        let mut then = self.scenario.then.clone();
        let mut at = self.scenario.at.clone();
        for _ in 0..MAX_ROUNDS {
            let elapsed = self.elapsed();
            while let Some(index) = at.iter().position(|(seconds, _)| *seconds <= elapsed.as_secs()) {
                let (_, action) = at.remove(index);
                self.act(&action).await?;
            }
            let leases = self.claim().await?;
            if !leases.is_empty() {
                self.settle(leases).await?;
                continue;
            }
            self.rescuer.rescue().await?;
            let next_action =
                at.iter().map(|(seconds, _)| self.start.plus(Duration::from_secs(*seconds))).min();
            if let Some(time) = self.next_moment().await?.into_iter().chain(next_action).min() {
                self.clock.advance(time.since(tasker_core::Clock::now(&*self.clock)));
            } else if let Some(action) = then.pop_front() {
                self.act(&action).await?;
            } else {
                return Ok(());
            }
        }
        Err(anyhow!("the scenario goes in circles"))
    }

    fn elapsed(&self) -> Duration {
        tasker_core::Clock::now(&*self.clock).since(self.start)
    }

    async fn claim(&self) -> Result<Vec<Lease>> {
        let handlers = [self.template.steps[0].handler.clone()];
        let queues = [self.template.steps[0].queue.clone()];
        let request = ClaimRequest {
            worker: self.worker,
            queues: queues.into(),
            handlers: handlers.into(),
            capacity: 100,
            lease: LEASE,
            turn: 0,
            task: None,
        };
        Ok(self.engine.store().claim(request).await?)
    }

    async fn settle(&mut self, leases: Vec<Lease>) -> Result<()> {
        let settlements = leases.into_iter().filter_map(|lease| self.answer(lease)).collect();
        self.engine.store().settle(SettleRequest { settlements, claim: None }).await?;
        Ok(())
    }

    /// How the attempt ends; nothing if its worker goes away.
    fn answer(&mut self, lease: Lease) -> Option<Settlement> {
        let LeaseKey { step, attempt } = lease.key;
        let template = &self.template.steps[step.ordinal() as usize];
        let calm = Behaviour::default();
        let behaviour = self.scenario.behaviours.get(template.name.as_str()).unwrap_or(&calm);
        let vanished = self.vanished.entry(step).or_default();
        if *vanished < behaviour.vanishes {
            *vanished += 1;
            return None;
        }
        let settlement = match behaviour.snoozes_seconds {
            Some(seconds) if attempt == 1 => lease.snooze(When::After(Duration::from_secs(seconds))),
            _ if attempt > behaviour.fails => lease.complete(json!({ "attempt": attempt })),
            _ if behaviour.for_good => lease.fail(Failure::new(FailureKind::Permanent, "never")),
            _ => {
                let seconds = template.retry.backoff.base_seconds(i64::from(attempt));
                let failure = Failure::new(FailureKind::Retryable, "not this time");
                lease.retry(failure, When::After(Duration::from_secs(u64::from(seconds))))
            }
        };
        Some(settlement)
    }

    async fn next_moment(&self) -> Result<Option<Timestamp>> {
        let deadlines = self.engine.store().deadlines().await?;
        let moments = deadlines.next_ready_at.into_iter().chain(deadlines.next_expiry);
        Ok(moments.filter(|time| *time > deadlines.now).min())
    }

    async fn act(&self, action: &Action) -> Result<()> {
        let target = match &action.step {
            None => Target::Task(self.task),
            Some(name) => {
                let found = self.template.step(&name.parse()?).context("a step of the graph")?;
                Target::Step(self.task.step(found.0))
            }
        };
        let by = "someone".to_owned();
        let attempts = match action.words.first().map(String::as_str) {
            Some("reset") => Attempts::Reset,
            _ => Attempts::Extend(1),
        };
        let command = match action.verb.as_str() {
            "cancel" => Command::Cancel { target, by, reason: None },
            "retry" => Command::Retry { target, attempts, by },
            "resolve" => Command::Resolve { target, results: None, by, reason: None },
            "pause" => Command::Pause { task: self.task, by, reason: None },
            "resume" => Command::Resume { task: self.task, by },
            verb => return Err(anyhow!("unknown command {verb:?}")),
        };
        self.engine.command(command).await?;
        Ok(())
    }

    async fn transcript(&self) -> Result<String> {
        let mut text = String::new();
        let width = self.scenario.steps.iter().map(|(name, _)| name.len()).max().unwrap_or(0).max(4);
        for transition in self.engine.history(self.task).await? {
            writeln!(text, "{}", self.line(&transition, width))?;
        }
        let view = self.engine.task(self.task).await?.context("the task is stored")?;
        let explanation = self.engine.explain(Target::Task(self.task)).await?;
        let counts = (view.task.unfinished, view.task.active);
        let sentence = self.without_times(&explanation.sentence);
        writeln!(text, "= {} (unfinished {}, active {}): {sentence}", view.task.state, counts.0, counts.1)?;
        Ok(text)
    }

    fn line(&self, transition: &Transition, width: usize) -> String {
        let subject = match transition.step {
            None => "task",
            Some(step) => self.template.steps[step.ordinal() as usize].name.as_str(),
        };
        let seconds = transition.at.since(self.start).as_secs();
        let from = transition.from.map_or("", State::as_str);
        let attempt = transition.attempt.map(|attempt| format!(" #{attempt}")).unwrap_or_default();
        let by = transition.by.as_deref().filter(|by| *by == "someone").map(|by| format!(" by {by}"));
        let (to, cause, by) = (transition.to, transition.cause, by.unwrap_or_default());
        format!("{seconds:>4}s  {subject:width$}  {from:>11} → {to:17}  {cause}{attempt}{by}")
    }

    /// Times relative to the start, so that they are the same in every run.
    fn without_times(&self, sentence: &str) -> String {
        let words = sentence.split(' ').map(|word| {
            let bare = word.trim_end_matches(['.', ';', ',']);
            match bare.parse::<Timestamp>() {
                Ok(time) => word.replace(bare, &format!("+{}s", time.since(self.start).as_secs())),
                Err(_) => word.to_owned(),
            }
        });
        words.collect::<Vec<_>>().join(" ")
    }
}
