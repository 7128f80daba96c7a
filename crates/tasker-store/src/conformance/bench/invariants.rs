//! What must be true of a store at any time: rows, counters and histories against the pure functions of
//! tasker-core, and indexes against rows.

use std::collections::BTreeMap;

use tasker_core::{ExecutionStatus, Progress, Timestamp};
use tasker_core::{Readiness, State, StepEvent, StepFacts, StepId, StepTally, TaskEvent, TaskId, readiness};

use super::Bench;
use crate::feed::Transition;
use crate::record::{Page, QueueDepth, StepRecord, TaskFilter, TaskRecord, TaskSort};

/// Collects what is wrong.
#[derive(Default)]
struct Findings(Vec<String>);

impl Findings {
    fn unless(&mut self, holds: bool, wrong: impl FnOnce() -> String) {
        if !holds {
            self.0.push(wrong());
        }
    }
}

impl Bench {
    /// Checks everything that is stored.
    pub async fn check_everything(&self) {
        let tasks = self.all_tasks().await;
        let mut steps = Vec::new();
        for task in &tasks {
            self.check_invariants(task.id).await;
            steps.extend(self.steps(task.id).await);
        }
        self.check_deadlines(&steps).await;
        self.check_backlog(&steps).await;
    }

    /// Every task, oldest first.
    pub async fn all_tasks(&self) -> Vec<TaskRecord> {
        let page = Page { limit: 1_000_000, offset: 0, sort: TaskSort::OldestFirst };
        self.store.tasks(&TaskFilter::default(), page).await.expect("the store lists tasks")
    }

    /// Checks a task, its steps and its history.
    ///
    /// # Panics
    ///
    /// If anything is not as it must be.
    pub async fn check_invariants(&self, task: TaskId) {
        let (record, steps) = (self.task(task).await, self.steps(task).await);
        let template = self.template_of(task).await;
        let history = self.transitions(task).await;
        let mut findings = Findings::default();
        findings.unless(steps.len() == template.steps.len(), || format!("{} steps", steps.len()));
        for (ordinal, step) in (0..).zip(&steps) {
            let parents = template.graph().parents(ordinal);
            let unmet =
                parents.iter().filter(|parent| !steps[**parent as usize].state.satisfies_dependents());
            let (parents, unmet) = (count(parents.len()), count(unmet.count()));
            findings.unless(step.id == task.step(ordinal), || format!("step {ordinal} has another's id"));
            findings.unless((step.parents, step.unmet) == (parents, unmet), || {
                format!("step {ordinal}: {parents} parents, {unmet} unmet, not as in {step:?}")
            });
            check_step(step, &record, &mut findings);
            check_attempts(step, &history, &mut findings);
        }
        check_counts(&record, &steps, self.now(), &mut findings);
        check_task(&record, &steps, &mut findings);
        check_history(&record, &steps, &history, &mut findings);
        let picture = self.picture(task).await;
        let history = self.history(task).await;
        assert!(findings.0.is_empty(), "{:#?}\n{picture}\n{history}", findings.0);
    }

    /// Holds what the agents are told against the steps.
    async fn check_deadlines(&self, steps: &[StepRecord]) {
        let deadlines = self.store.deadlines().await.expect("the store reads deadlines");
        let now = self.now();
        let waiting = steps.iter().filter(|step| !step.held).filter_map(|step| step.ready_at);
        let mut leases: Vec<_> =
            steps.iter().filter_map(|step| step.lease.map(|(_, until)| (until, step.id))).collect();
        leases.sort_unstable();
        let expired: Vec<_> = leases.iter().copied().filter(|(until, _)| *until <= now).collect();
        let told = self.expired().await;
        let told: Vec<_> = told.iter().map(|expired| (expired.until, expired.key.step)).collect();
        assert_eq!(deadlines.now, now, "the store's present");
        assert_eq!(deadlines.next_ready_at, waiting.filter(|time| *time > now).min(), "when a step is ready");
        assert_eq!(deadlines.next_expiry, leases.first().map(|(until, _)| *until), "when a lease runs out");
        assert_eq!(told, expired, "expired leases");
    }

    async fn check_backlog(&self, steps: &[StepRecord]) {
        let lanes = self.store.lanes().await.expect("the store reads lanes");
        let now = self.now();
        let ready = steps.iter().filter(|step| !step.held && step.ready_at.is_some_and(|time| time <= now));
        let running = steps.iter().filter(|step| step.state == State::InProgress);
        let told: u32 = lanes.iter().map(|lane| lane.ready).sum();
        if lanes.iter().all(|lane| lane.ready < QueueDepth::COUNTED) {
            assert_eq!(told, count(ready.count()), "steps that are ready");
        }
        let told: u32 = lanes.iter().map(|lane| lane.running).sum();
        assert_eq!(told, count(running.clone().count()), "steps at work");
        let told = lanes.iter().filter_map(|lane| lane.oldest_running_at).min();
        let oldest = running.filter_map(|step| step.started_at).min();
        assert_eq!(told, oldest, "the oldest attempt at work");
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).expect("a count of steps")
}

/// A row by itself.
fn check_step(step: &StepRecord, task: &TaskRecord, findings: &mut Findings) {
    let mut holds = |holds: bool, what: &str| findings.unless(holds, || format!("{what}: {step:?}"));
    let runs = step.state == State::InProgress;
    let may_wait = matches!(step.state, State::Pending | State::Error);
    holds(step.lease.is_some() == runs, "a lease if and only if a worker is at it");
    holds(step.held == task.paused.is_some(), "held if and only if its task is paused");
    holds(
        step.ready_at.is_none() || may_wait && step.unmet == 0,
        "a time only for what waits and has nothing unmet",
    );
    if step.state == State::Pending {
        holds(
            step.ready_at.is_some() == (step.unmet == 0),
            "a pending step with nothing unmet may be claimed",
        );
    }
    if matches!(step.state, State::InProgress | State::Error | State::Complete) {
        holds(step.unmet == 0, "nothing runs before what it depends on");
        holds(step.attempts > 0, "nothing runs without an attempt");
    }
    holds(step.started_at.is_some() == (step.attempts > 0), "the latest attempt has begun");
    let has_ended = step.state.is_ended() || step.attempts > 0 && !runs;
    holds(step.ended_at.is_some() == has_ended, "the latest attempt has ended");
    if step.state == State::Complete {
        holds(step.results.is_some() && step.failure.is_none(), "results and no failure");
    } else if step.state != State::ResolvedManually {
        holds(step.results.is_none(), "results without an end");
    }
    if step.state == State::Error {
        holds(step.failure.is_some(), "a failed step says why");
    }
}

/// Each attempt was claimed once, in order.
fn check_attempts(step: &StepRecord, history: &[Transition], findings: &mut Findings) {
    let claimed = history
        .iter()
        .filter(|transition| transition.step == Some(step.id) && transition.to == State::InProgress);
    let attempts: Vec<_> = claimed.filter_map(|transition| transition.attempt).collect();
    let expected: Vec<_> = (1..=step.attempts).collect();
    findings.unless(attempts == expected, || format!("attempts {attempts:?} of {step:?}"));
}

/// The counts of a task against the pure functions.
fn check_counts(task: &TaskRecord, steps: &[StepRecord], now: Timestamp, findings: &mut Findings) {
    let unfinished = count(steps.iter().filter(|step| !step.state.is_ended()).count());
    let active = count(steps.iter().filter(|step| is_active(&step.facts(), now)).count());
    findings.unless((task.unfinished, task.active) == (unfinished, active), || {
        format!("{unfinished} unfinished, {active} active, not as in {task:?}")
    });
}

fn is_active(step: &StepFacts, now: Timestamp) -> bool {
    match readiness(step, now) {
        Readiness::Now | Readiness::At { .. } | Readiness::Held | Readiness::Running => true,
        Readiness::After { .. } | Readiness::Blocked | Readiness::Ended => false,
    }
}

/// The state of a task against its counts.
fn check_task(task: &TaskRecord, steps: &[StepRecord], findings: &mut Findings) {
    let mut holds = |holds: bool, what: &str| findings.unless(holds, || format!("{what}: {task:?}"));
    match task.state {
        State::Pending | State::InProgress => holds(task.active > 0, "something goes on"),
        State::Error => holds(task.active == 0 && task.unfinished > 0, "nothing goes on"),
        State::Complete | State::Cancelled | State::ResolvedManually => {
            holds(task.unfinished == 0, "every step has ended");
        }
    }
    let runs = steps.iter().any(|step| step.state == State::InProgress);
    holds(!runs || task.state == State::InProgress, "a task with a step at work is in progress");
    let waits = matches!(task.state, State::Pending | State::InProgress);
    holds(task.ended_at.is_none() == waits, "a time of its end if and only if it is at one");
    holds(task.state != State::InProgress || task.started_at.is_some(), "what is in progress has begun");
    if task.state == State::Complete {
        let facts: Vec<_> = steps.iter().map(StepRecord::facts).collect();
        let progress = Progress::of(StepTally::of(&facts, task.requested_at));
        holds(progress.execution_status == ExecutionStatus::AllComplete, "progress says complete");
    }
}

/// Each move follows from the one before and is legal, and the last leads to the present.
fn check_history(task: &TaskRecord, steps: &[StepRecord], history: &[Transition], findings: &mut Findings) {
    let mut present: BTreeMap<Option<StepId>, State> =
        steps.iter().map(|step| (Some(step.id), State::Pending)).collect();
    let mut seq = i64::MIN;
    for transition in history {
        let before = present.insert(transition.step, transition.to);
        let is_legal = transition.from.is_none_or(|from| is_legal(transition.step, from, transition.to));
        findings.unless(transition.task == task.id, || format!("another task's: {transition:?}"));
        findings.unless(transition.seq > seq, || format!("out of order: {transition:?}"));
        findings.unless(before == transition.from && is_legal, || {
            format!("cannot follow {before:?}: {transition:?}")
        });
        seq = transition.seq;
    }
    let is_present = |subject, state| present.get(&subject) == Some(&state);
    findings.unless(is_present(None, task.state), || format!("the history does not lead to {task:?}"));
    for step in steps {
        findings.unless(is_present(Some(step.id), step.state), || {
            format!("the history does not lead to {step:?}")
        });
    }
}

fn is_legal(step: Option<StepId>, from: State, to: State) -> bool {
    match step {
        None => TaskEvent::ALL.into_iter().any(|event| from.task_after(event) == Some(to)),
        Some(_) => StepEvent::ALL.into_iter().any(|event| from.step_after(event) == Some(to)),
    }
}
