//! Where runs begin and end.

use tasker_core::State;
use tasker_store::Transition;

use super::Moment;

/// A stretch of a history.
#[derive(Debug)]
pub(super) enum Chapter<'s, 'a> {
    /// From a submission or a retry to the verdict, or to the end of the history.
    Run(&'s [Moment<'a>]),
    /// After a verdict: what was done to the task that set nothing going.
    Between(&'s [Moment<'a>]),
}

/// Whether a transition is the verdict on a task, after which its trace can be written: it is complete, in error,
/// cancelled or resolved.
pub fn is_verdict(transition: &Transition) -> bool {
    let to = transition.to;
    transition.step.is_none() && (to.is_ended() || to == State::Error)
}

/// Divides a history. Chapters that would be empty are left out.
pub(super) fn chapters<'s, 'a>(mut rest: &'s [Moment<'a>]) -> Vec<Chapter<'s, 'a>> {
    let mut chapters = Vec::new();
    let mut is_running = true;
    while !rest.is_empty() {
        let length = if is_running { run_length(rest) } else { pause_length(rest) };
        let (chapter, after) = rest.split_at(length);
        if !chapter.is_empty() {
            chapters.push(if is_running { Chapter::Run(chapter) } else { Chapter::Between(chapter) });
        }
        (is_running, rest) = (!is_running, after);
    }
    chapters
}

/// Up to the verdict, and with it.
fn run_length(moments: &[Moment<'_>]) -> usize {
    let verdict = moments.iter().position(|moment| is_verdict(moment.transition));
    verdict.map_or(moments.len(), |place| place + 1)
}

/// Up to the command that sets the task going again. What it did to steps is recorded before the task's own
/// transition, at the same time, and belongs to the run.
fn pause_length(moments: &[Moment<'_>]) -> usize {
    let again = moments
        .iter()
        .position(|moment| moment.transition.step.is_none() && moment.transition.to == State::Pending);
    let Some(place) = again else { return moments.len() };
    let at = moments[place].at;
    let of_command = moments[..place]
        .iter()
        .rev()
        .take_while(|moment| moment.at == at && moment.transition.step.is_some());
    place - of_command.count()
}
