//! One task to its end, with a worker and the agents in this process.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt};
use tasker_core::{State, TaskId, Timestamp};
use tasker_engine::{Engine, EngineError, Explanation, Relay, StoreHealth, Watch, Watched};
use tasker_store::{Cause, StoreError, Transition};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until, timeout};

use crate::board::Board;
use crate::desk::Desk;
use crate::embedded::{Embedded, LogLine, Setup};
use crate::ending::Trouble;
use crate::halted;
use crate::ids;
use crate::interrupts::Interrupts;
use crate::progress::{self, Manner, Progress, TICK};
use crate::standstill::Standstill;
use crate::terminal::Terminal;
use crate::words::{count, one_line};

/// A task that does not move is looked at after so long, and then less and less often.
const SILENCE: Duration = Duration::from_secs(1);
const LONGEST_SILENCE: Duration = Duration::from_secs(30);
/// When a retry is due is not read for tasks of more steps.
const CORRECTED: usize = 1_000;
/// The store is given so long to answer a question that the drive can do without.
const PATIENCE: Duration = Duration::from_secs(10);
/// The collector is given so long to take the trace.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long the last transitions are waited for when all has stopped.
const EPILOGUE: Duration = Duration::from_millis(50);

/// How a drive ended.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The task came to a state that it does not leave by itself.
    Ended(State),
    /// Someone interrupted.
    Interrupted,
    /// The time is up.
    TimedOut,
    /// No step can go on, since no live worker offers the handlers.
    Stuck(Explanation),
}

/// What is to be driven, and how it is told.
#[derive(Debug)]
pub(crate) struct Journey {
    pub(crate) task: TaskId,
    /// Where in the feed it begins.
    pub(crate) cursor: i64,
    /// Who drives it.
    pub(crate) user: String,
    pub(crate) manner: Manner,
    pub(crate) time_limit: Option<Duration>,
    /// What is to be known before it begins.
    pub(crate) notes: Vec<String>,
    /// Whether what steps log is told.
    pub(crate) tells_logs: bool,
}

/// Brings a task to its end.
pub(crate) async fn to_its_end(
    desk: &mut Desk,
    engine: &Engine,
    journey: &Journey,
    mut setup: Setup,
) -> Result<Stop, Trouble> {
    let mut interrupts = Interrupts::listen().map_err(anyhow::Error::from)?;
    let offered = setup.offered();
    let logs = journey.tells_logs.then(|| setup.listen());
    let traces = desk.traces.clone();
    let worker = Embedded::start(engine, journey.task, setup, traces.clone());
    let mut drive = Drive::begin(desk, engine, journey, (worker.store(), offered, logs)).await?;
    let deadline = journey.time_limit.map(|limit| Instant::now() + limit);
    let stop = drive.run(&mut interrupts, deadline).await;
    if !matches!(stop, Ok(Stop::Ended(_))) {
        drive.tell_what_is_waited_for();
    }
    if matches!(stop, Ok(Stop::Interrupted | Stop::TimedOut)) {
        drive.halt(&journey.user).await;
    }
    drive.see_off(worker, &mut interrupts).await;
    drive.progress.end();
    if let Some(traces) = traces {
        let report = traces.conclude(&**engine.store(), journey.task, FAREWELL).await;
        if report.failed + report.dropped > 0 {
            let collector =
                "the collector did not take the trace of the task; `tasker trace export` sends it again";
            desk.terminal.note(collector);
        }
    }
    stop
}

/// A task on its way.
struct Drive<'a> {
    terminal: &'a mut Terminal,
    engine: &'a Engine,
    board: Board,
    progress: Box<dyn Progress>,
    feed: Pin<Box<dyn Stream<Item = Result<Transition, StoreError>> + Send>>,
    ticks: Interval,
    /// The store's clock at a moment of the local one.
    reference: (Timestamp, Instant),
    silence: Silence,
    /// The handlers that the worker of this process offers.
    offered: BTreeSet<String>,
    /// What steps log, if it is to be told.
    logs: Option<UnboundedReceiver<LogLine>>,
    /// What has been noted: nothing is noted twice.
    noted: BTreeSet<String>,
    /// How the store does its work, and what was told of that.
    watch: Watch,
    told: StoreHealth,
    /// The feed is not read before: it failed.
    feed_after: Instant,
}

/// Since when nothing has moved, and how long that is borne.
struct Silence {
    since: Instant,
    borne: Duration,
}

impl Silence {
    fn begin() -> Self {
        Self { since: Instant::now(), borne: SILENCE }
    }

    /// Whether it has lasted long enough to look; the next look is later.
    fn is_too_long(&mut self) -> bool {
        let is_too_long = self.since.elapsed() >= self.borne;
        if is_too_long {
            self.borne = (self.borne * 2).min(LONGEST_SILENCE);
            self.since = Instant::now();
        }
        is_too_long
    }
}

impl<'a> Drive<'a> {
    async fn begin(
        desk: &'a mut Desk,
        engine: &'a Engine,
        journey: &Journey,
        (store, offered, logs): (Arc<Watched>, BTreeSet<String>, Option<UnboundedReceiver<LogLine>>),
    ) -> Result<Self, Trouble> {
        let view = ids::view(engine, journey.task).await?;
        let board = Board::of(&view);
        let progress = progress::suited(journey.manner, &desk.terminal, &board);
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let watch = store.watch();
        let mut drive = Self {
            terminal: &mut desk.terminal,
            engine,
            board,
            progress,
            feed: Box::pin(Relay::new(store).follow(journey.cursor)),
            ticks,
            reference: (view.now, Instant::now()),
            silence: Silence::begin(),
            offered,
            logs,
            noted: BTreeSet::new(),
            watch,
            told: StoreHealth::Well,
            feed_after: Instant::now(),
        };
        for note in &journey.notes {
            drive.note(note);
        }
        Ok(drive)
    }

    async fn run(&mut self, interrupts: &mut Interrupts, deadline: Option<Instant>) -> Result<Stop, Trouble> {
        let never = Instant::now() + Duration::from_secs(u64::from(u32::MAX));
        loop {
            match self.board.state {
                State::Pending | State::InProgress => {}
                ended => return Ok(Stop::Ended(ended)),
            }
            tokio::select! {
                biased;
                () = interrupts.next() => return Ok(Stop::Interrupted),
                () = sleep_until(deadline.unwrap_or(never)) => return Ok(Stop::TimedOut),
                line = logged(&mut self.logs) => self.logged(&line),
                transition = next(&mut self.feed, self.feed_after) => self.on(transition).await?,
                _ = self.ticks.tick() => {
                    self.tick();
                    if let Some(explanation) = self.look().await? {
                        return Ok(Stop::Stuck(explanation));
                    }
                }
            }
        }
    }

    /// Lets what is at work come to its end, unless someone interrupts once more.
    async fn see_off(&mut self, worker: Embedded, interrupts: &mut Interrupts) {
        let mut stopping = Box::pin(worker.stop());
        loop {
            tokio::select! {
                trouble = &mut stopping => {
                    if let Some(trouble) = trouble {
                        self.note(&trouble);
                    }
                    break;
                }
                () = interrupts.next() => break,
                line = logged(&mut self.logs) => self.logged(&line),
                transition = next(&mut self.feed, self.feed_after) => {
                    if self.on(transition).await.is_err() {
                        break;
                    }
                }
                _ = self.ticks.tick() => self.tick(),
            }
        }
        // The transitions that the end of the last steps brought.
        while self.board.state == State::InProgress
            && let Ok(transition) = timeout(EPILOGUE, next(&mut self.feed, self.feed_after)).await
        {
            if self.on(transition).await.is_err() {
                break;
            }
        }
    }

    async fn on(&mut self, transition: Option<Result<Transition, StoreError>>) -> Result<(), Trouble> {
        match transition {
            Some(Ok(transition)) if transition.task == self.board.task => self.moved(&transition).await,
            Some(Err(error)) if error.is_transient() => {
                self.feed_after = Instant::now() + SILENCE;
                Ok(())
            }
            Some(Err(error)) => Err(error.into()),
            Some(Ok(_)) | None => Ok(()),
        }
    }

    async fn moved(&mut self, transition: &Transition) -> Result<(), Trouble> {
        self.silence = Silence::begin();
        self.attend();
        self.board.apply(transition);
        let may_be_due_later =
            matches!(transition.cause, Cause::Failed | Cause::LeaseExpired | Cause::Snoozed);
        if may_be_due_later && self.board.steps.len() <= CORRECTED {
            let steps = timeout(PATIENCE, self.engine.store().steps(self.board.task)).await;
            let steps = answered(steps.map(|steps| steps.map_err(EngineError::Store)))?.unwrap_or_default();
            let step = transition.step.and_then(|step| steps.get(step.ordinal() as usize));
            if let Some(step) = step {
                self.board.correct(step);
            }
        }
        self.progress.moved(self.terminal, &self.board, transition);
        Ok(())
    }

    fn logged(&mut self, line: &LogLine) {
        let now = self.now();
        self.progress.logged(self.terminal, (now, self.board.name(line.step)), &line.text);
    }

    fn now(&self) -> Timestamp {
        let (time, instant) = self.reference;
        time.plus(instant.elapsed())
    }

    fn tick(&mut self) {
        let now = self.now();
        self.progress.tick(&self.board, now);
        self.attend();
    }

    /// Tells once that the store does not answer or fails, and once that it goes on.
    fn attend(&mut self) {
        let health = self.watch.health();
        let text = match (&health, &self.told) {
            (StoreHealth::Well, StoreHealth::Well)
            | (StoreHealth::Silent(_), StoreHealth::Silent(_) | StoreHealth::Failing(_))
            | (StoreHealth::Failing(_), StoreHealth::Failing(_)) => return,
            (StoreHealth::Well, StoreHealth::Silent(_) | StoreHealth::Failing(_)) => {
                "the database answers again: going on"
            }
            (StoreHealth::Silent(text), StoreHealth::Well)
            | (StoreHealth::Failing(text), StoreHealth::Well | StoreHealth::Silent(_)) => text,
        };
        self.progress.note(self.terminal, &one_line(text));
        self.told = health;
    }

    /// Pauses the task, so that nobody else goes on with it.
    async fn halt(&mut self, user: &str) {
        let halting = timeout(PATIENCE, halted::halt(self.engine, self.board.task, user)).await;
        let reason = match halting {
            Ok(Ok(())) => return,
            Ok(Err(trouble)) => trouble.message(),
            Err(_) => "the database does not answer".to_owned(),
        };
        self.note(&format!("the task could not be paused, and other workers may go on with it: {reason}"));
    }

    /// Looks at a task that has not moved for a while. Says why it cannot go on, if it cannot.
    async fn look(&mut self) -> Result<Option<Explanation>, Trouble> {
        let is_at_work = self.board.steps.iter().any(|step| step.state == State::InProgress);
        if is_at_work || !self.silence.is_too_long() {
            return Ok(None);
        }
        let target = tasker_store::Target::Task(self.board.task);
        let explained = timeout(PATIENCE, self.engine.explain(target)).await;
        let Some(explanation) = answered(explained)? else { return Ok(None) };
        let standstill = Standstill::of(&explanation, &self.offered);
        for note in &standstill.notes {
            self.note(note);
        }
        Ok(standstill.is_stuck.then_some(explanation))
    }

    fn tell_what_is_waited_for(&mut self) {
        let at_work = self.board.steps.iter().filter(|step| step.state == State::InProgress).count();
        if at_work > 0 {
            let steps = count(at_work, "step");
            self.note(&format!("waiting for {steps} at work to end; Ctrl-C stops at once"));
        }
    }

    fn note(&mut self, text: &str) {
        if self.noted.insert(text.to_owned()) {
            self.progress.note(self.terminal, text);
        }
    }
}

/// The next line that a step logs; it never comes if nobody is to be told.
async fn logged(logs: &mut Option<UnboundedReceiver<LogLine>>) -> LogLine {
    if let Some(logs) = logs
        && let Some(line) = logs.recv().await
    {
        return line;
    }
    std::future::pending().await
}

/// The next transition, not before a moment.
async fn next<F>(feed: &mut F, after: Instant) -> Option<F::Item>
where
    F: Stream + Unpin,
{
    sleep_until(after).await;
    feed.next().await
}

/// An answer of the store; none if it cannot be had now. The work that fails meanwhile is told of by its watch.
fn answered<T>(answer: Result<Result<T, EngineError>, Elapsed>) -> Result<Option<T>, Trouble> {
    match answer {
        Ok(Ok(answer)) => Ok(Some(answer)),
        Ok(Err(EngineError::Store(error))) if error.is_transient() => Ok(None),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Ok(None),
    }
}
