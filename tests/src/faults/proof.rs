//! What must be true after every fault.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tasker_core::{Clock, State, StepId, SystemClock, TaskId, Timestamp};
use tasker_engine::{Engine, StepView};
use tasker_store::{Cause, Transition};

/// What was seen while proving.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    /// Tasks that were acknowledged, and are complete.
    pub tasks: usize,
    /// Steps.
    pub steps: usize,
    /// Attempts.
    pub attempts: usize,
    /// Attempts that ended because the lease ran out.
    pub rescued: usize,
}

/// Waits until every task is complete.
///
/// # Errors
///
/// After `patience`, with the explanation of a task that is not; or if a task ended otherwise.
pub async fn all_complete(engine: &Engine, tasks: &[TaskId], patience: Duration) -> Result<()> {
    let begun = Instant::now();
    for task in tasks {
        let left = patience.saturating_sub(begun.elapsed());
        let Ok(state) = tokio::time::timeout(left, engine.wait(*task)).await else {
            let why = engine.explain(tasker_store::Target::Task(*task)).await?;
            anyhow::bail!("task {task} is not complete after {patience:?}: {}", why.sentence);
        };
        ensure!(state? == State::Complete, "task {task} ended otherwise");
    }
    Ok(())
}

/// Waits until a step is at work whose handler takes a while, and says which.
///
/// # Errors
///
/// If the store fails.
pub async fn some_command_runs(engine: &Engine, tasks: &[TaskId]) -> Result<StepId> {
    loop {
        for task in tasks {
            let view =
                engine.task(*task).await?.with_context(|| format!("acknowledged task {task} is lost"))?;
            let mut steps = view.step_views();
            let running = |step: &StepView<'_>| {
                step.handler == "command" && step.status == State::InProgress && has_begun(step.started_at)
            };
            if let Some(step) = steps.find(running) {
                return Ok(step.step_id);
            }
        }
    }
}

/// Whether a lease was given so long ago that its handler has been called.
fn has_begun(leased_at: Option<Timestamp>) -> bool {
    leased_at.is_some_and(|at| SystemClock.now().since(at) >= Duration::from_millis(300))
}

/// Proves that no attempt was settled twice and that every task's history is a chain.
///
/// # Errors
///
/// The first contradiction.
pub async fn prove(engine: &Engine, tasks: &[TaskId]) -> Result<Tally> {
    let mut tally = Tally { tasks: tasks.len(), ..Tally::default() };
    for task in tasks {
        let view = engine.task(*task).await?.with_context(|| format!("acknowledged task {task} is lost"))?;
        ensure!(view.task.unfinished == 0 && view.task.active == 0, "the counts of {task} are wrong");
        tally.steps += view.steps.len();
        let history = engine.history(*task).await?;
        prove_history(&history, &mut tally).with_context(|| format!("task {task}"))?;
    }
    Ok(tally)
}

fn prove_history(history: &[Transition], tally: &mut Tally) -> Result<()> {
    let mut subjects: BTreeMap<_, Vec<&Transition>> = BTreeMap::new();
    for transition in history {
        subjects.entry(transition.step).or_default().push(transition);
    }
    for (step, transitions) in subjects {
        for pair in transitions.windows(2) {
            ensure!(
                pair[1].from == Some(pair[0].to),
                "{step:?}: {:?} does not follow {:?}",
                pair[1],
                pair[0]
            );
            ensure!(pair[0].seq < pair[1].seq, "{step:?}: the order is wrong");
        }
        ensure!(
            transitions.last().is_some_and(|last| last.to == State::Complete),
            "{step:?} is not complete"
        );
        let mut ends: BTreeMap<u32, usize> = BTreeMap::new();
        for transition in transitions {
            let Some(attempt) = transition.attempt else { continue };
            match transition.cause {
                Cause::Claimed => tally.attempts += 1,
                Cause::LeaseExpired => {
                    tally.rescued += 1;
                    *ends.entry(attempt).or_default() += 1;
                }
                Cause::Completed | Cause::Failed | Cause::Snoozed => *ends.entry(attempt).or_default() += 1,
                _ => {}
            }
        }
        ensure!(ends.values().all(|count| *count == 1), "{step:?}: an attempt was settled twice: {ends:?}");
    }
    Ok(())
}
