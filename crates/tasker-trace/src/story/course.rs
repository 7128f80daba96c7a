//! The course of the steps: who is ready, who is at it, who has done their part.

use std::collections::BTreeMap;
use std::mem;

use serde_json::Value;
use tasker_core::{State, TaskTemplate, Timestamp};
use tasker_store::Cause;

use super::chapters::is_verdict;
use super::{Attempt, Basis, Moment, Outcome, Part, Run, Trigger, Wait, WaitCause};

/// The steps of a task as they stand at a moment of its history.
pub(super) struct Course<'t> {
    template: &'t TaskTemplate,
    steps: Vec<Standing>,
}

/// How a step stands.
struct Standing {
    state: State,
    /// How many of the steps it depends on have not done their part.
    unmet: usize,
    /// The number of its latest attempt; 0 before the first.
    attempts: u32,
    /// Since when it waits for an attempt, if it does.
    waits: Option<(Timestamp, WaitCause)>,
    /// What those that depend on it are based on, once it has done its part.
    basis: Option<Basis>,
}

/// What happens in a run, as it is read.
struct Reading<'a> {
    number: u32,
    steps: BTreeMap<u32, Part<'a>>,
}

impl<'t> Course<'t> {
    pub(super) fn new(template: &'t TaskTemplate) -> Self {
        let graph = template.graph();
        let ordinals = (0..).take(template.steps.len());
        let steps = ordinals.map(|ordinal| Standing {
            state: State::Pending,
            unmet: graph.parents(ordinal).len(),
            attempts: 0,
            waits: None,
            basis: None,
        });
        Self { template, steps: steps.collect() }
    }

    /// Follows the steps through a run.
    pub(super) fn run<'a>(&mut self, number: u32, moments: &[Moment<'a>]) -> Option<Run<'a>> {
        let (first, last) = (moments.first()?, moments.last()?);
        let mut reading = Reading { number, steps: BTreeMap::new() };
        let mut of_task = Vec::new();
        if number == 1 {
            for root in self.template.graph().roots() {
                self.make_ready(root, first.at, &mut reading);
            }
        }
        for moment in moments {
            match moment.transition.step {
                Some(step) => self.follow(step.ordinal(), *moment, Some(&mut reading)),
                None => of_task.push(*moment),
            }
        }
        let trigger = if number == 1 { Trigger::Created } else { Trigger::RetryRequested };
        let mut run = Run {
            number,
            trigger,
            start: first.at,
            end: last.at,
            verdict: is_verdict(last.transition).then_some(last.transition.to),
            moments: of_task,
            steps: reading.steps,
        };
        self.close(&mut run);
        Some(run)
    }

    /// Takes note of what happened outside of runs.
    pub(super) fn skip(&mut self, moments: &[Moment<'_>]) {
        for moment in moments {
            if let Some(step) = moment.transition.step {
                self.follow(step.ordinal(), *moment, None);
            }
        }
    }

    /// A step changed its state.
    fn follow<'a>(&mut self, ordinal: u32, moment: Moment<'a>, mut reading: Option<&mut Reading<'a>>) {
        let is_new = reading.as_deref().is_some_and(|reading| !reading.steps.contains_key(&ordinal));
        let bases = if is_new { self.bases(ordinal) } else { Vec::new() };
        let Some(standing) = self.steps.get_mut(ordinal as usize) else { return };
        let from = mem::replace(&mut standing.state, moment.transition.to);
        let waited = standing.note(moment);
        if let Some(reading) = reading.as_deref_mut() {
            let part = reading.steps.entry(ordinal).or_insert_with(|| Part::begin(moment.at, bases));
            part.note(moment, from, standing.attempts, waited);
        }
        if moment.transition.to.satisfies_dependents() && !from.is_ended() {
            standing.basis = basis(ordinal, standing.attempts, reading.as_deref());
            self.promote(ordinal, moment.at, reading);
        }
    }

    /// A step has done its part: those that depend on it have one less to wait for.
    fn promote(&mut self, ordinal: u32, at: Timestamp, mut reading: Option<&mut Reading<'_>>) {
        let template = self.template;
        for child in template.graph().children(ordinal) {
            let standing = &mut self.steps[*child as usize];
            standing.unmet = standing.unmet.saturating_sub(1);
            if standing.unmet == 0
                && standing.state == State::Pending
                && let Some(reading) = reading.as_deref_mut()
            {
                self.make_ready(*child, at, reading);
            }
        }
    }

    fn make_ready(&mut self, ordinal: u32, at: Timestamp, reading: &mut Reading<'_>) {
        self.steps[ordinal as usize].waits = Some((at, WaitCause::Ready));
        reading.steps.insert(ordinal, Part::begin(at, self.bases(ordinal)));
    }

    /// What a step is based on: what those have done that it depends on.
    fn bases(&self, ordinal: u32) -> Vec<Basis> {
        if ordinal as usize >= self.steps.len() {
            return Vec::new();
        }
        let parents = self.template.dependencies().parents(ordinal).iter();
        parents.filter_map(|parent| self.steps[*parent as usize].basis).collect()
    }

    /// The run is over, or goes on beyond the history: what is open ends with it for now.
    fn close(&self, run: &mut Run<'_>) {
        for (ordinal, part) in &mut run.steps {
            let standing = &self.steps[*ordinal as usize];
            part.state = standing.state;
            part.is_open = match standing.state {
                State::Pending | State::InProgress => true,
                State::Error | State::Complete | State::Cancelled | State::ResolvedManually => false,
            };
            if part.is_open {
                part.end = run.end;
                // Whether one that failed waits for a retry is not in the history.
                if let Some((start, cause)) = standing.waits {
                    let attempt = standing.attempts.saturating_add(1);
                    let start = start.max(part.start);
                    part.waits.push(Wait { attempt, start, end: run.end, cause, is_open: true });
                }
                for attempt in part.attempts.iter_mut().filter(|attempt| attempt.outcome.is_none()) {
                    attempt.end = run.end;
                }
            }
        }
    }
}

impl Standing {
    /// Takes note of a change of state; gives the wait that it ends.
    fn note(&mut self, moment: Moment<'_>) -> Option<(Timestamp, WaitCause)> {
        let (transition, at) = (moment.transition, moment.at);
        if transition.cause == Cause::RetryDue {
            // It is recorded with the claim that follows, which ends the wait.
            return None;
        }
        let next = match transition.to {
            State::Pending if transition.cause == Cause::RetryRequested => {
                Some((at, WaitCause::RetryRequested))
            }
            State::Pending => Some((at, WaitCause::Snoozed)),
            State::Error => Some((at, WaitCause::RetryDue)),
            State::InProgress => {
                self.attempts = transition.attempt.unwrap_or(self.attempts.saturating_add(1));
                None
            }
            State::Complete | State::Cancelled | State::ResolvedManually => None,
        };
        mem::replace(&mut self.waits, next)
    }
}

impl<'a> Part<'a> {
    fn begin(start: Timestamp, bases: Vec<Basis>) -> Self {
        Self {
            start,
            end: start,
            state: State::Pending,
            is_open: true,
            moments: Vec::new(),
            waits: Vec::new(),
            attempts: Vec::new(),
            bases,
        }
    }

    fn note(
        &mut self,
        moment: Moment<'a>,
        from: State,
        attempts: u32,
        waited: Option<(Timestamp, WaitCause)>,
    ) {
        let (at, to) = (moment.at, moment.transition.to);
        self.end = at;
        self.moments.push(moment);
        match to {
            State::InProgress => self.claimed(moment, attempts, waited),
            _ if from == State::InProgress => self.settled(moment),
            State::Cancelled | State::ResolvedManually => self.given_up(at, attempts, waited),
            State::Pending | State::Complete | State::Error => {}
        }
    }

    fn claimed(&mut self, moment: Moment<'a>, number: u32, waited: Option<(Timestamp, WaitCause)>) {
        let (at, transition) = (moment.at, moment.transition);
        let mut delay = None;
        if let Some((start, cause)) = waited {
            let start = start.max(self.start);
            self.waits.push(Wait { attempt: number, start, end: at, cause, is_open: false });
            delay = match cause {
                WaitCause::RetryDue | WaitCause::Snoozed => Some(at.since(start)),
                WaitCause::Ready | WaitCause::RetryRequested => None,
            };
        }
        self.attempts.push(Attempt {
            number,
            previous: number.checked_sub(1).filter(|previous| *previous > 0),
            delay,
            worker: transition.by.as_deref(),
            start: at,
            end: at,
            outcome: None,
            failure: &Value::Null,
        });
    }

    fn settled(&mut self, moment: Moment<'a>) {
        let transition = moment.transition;
        if let Some(attempt) = self.attempts.last_mut().filter(|attempt| attempt.outcome.is_none()) {
            attempt.end = moment.at;
            attempt.outcome = Some(Outcome::of(transition.to, transition.cause));
            attempt.failure = &transition.details;
        }
    }

    /// It will not be claimed any more. Whether one that failed was waiting at all is not in the history.
    fn given_up(&mut self, at: Timestamp, attempts: u32, waited: Option<(Timestamp, WaitCause)>) {
        if let Some((start, cause)) = waited.filter(|(_, cause)| *cause != WaitCause::RetryDue) {
            let (attempt, start) = (attempts.saturating_add(1), start.max(self.start));
            self.waits.push(Wait { attempt, start, end: at, cause, is_open: false });
        }
    }
}

fn basis(ordinal: u32, attempts: u32, reading: Option<&Reading<'_>>) -> Option<Basis> {
    match attempts {
        0 => reading.map(|reading| Basis::Step { ordinal, run: reading.number }),
        attempt => Some(Basis::Attempt { ordinal, attempt }),
    }
}
