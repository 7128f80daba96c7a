//! Why something is not running, as lines.

use tasker_core::TaskId;
use tasker_engine::{Explanation, Reason};
use tasker_handler::{Registry, Surroundings};

use crate::ids::short;
use crate::words::{count, one_line};

/// So many steps are told one by one.
const TOLD: usize = 20;

/// The sentence, the steps it does not speak of, and what to do about steps that no worker takes.
pub(crate) fn lines(explanation: &Explanation) -> Vec<String> {
    let mut lines = vec![one_line(&explanation.sentence)];
    let is_told = |sentence: &str| explanation.sentence.contains(sentence.trim_end_matches('.'));
    let others: Vec<_> = explanation.steps.iter().filter(|step| !is_told(&step.sentence)).collect();
    lines.extend(others.iter().take(TOLD).map(|step| format!("  {}", one_line(&step.sentence))));
    if others.len() > TOLD {
        lines.push(format!("  and {} more", count(others.len() - TOLD, "step")));
    }
    lines.extend(unoffered(explanation).map(|handler| advice(&handler, explanation.task_id)));
    lines
}

/// The handlers that no live worker offers, each once.
fn unoffered(explanation: &Explanation) -> impl Iterator<Item = String> {
    let reasons = explanation.steps.iter().flat_map(|step| &step.reasons);
    let handlers = reasons.filter_map(|reason| match reason {
        Reason::NoWorker { handler, .. } => Some(handler.clone()),
        Reason::UnmetDependencies { .. }
        | Reason::Backoff { .. }
        | Reason::Scheduled { .. }
        | Reason::WaitingForWorker { .. }
        | Reason::TaskPaused(_)
        | Reason::NamespacePaused(_)
        | Reason::Leased { .. }
        | Reason::LeaseExpired { .. }
        | Reason::Exhausted { .. }
        | Reason::PermanentFailure { .. }
        | Reason::Ended => None,
    });
    let handlers: std::collections::BTreeSet<String> = handlers.collect();
    handlers.into_iter()
}

/// What to do about a handler that no live worker offers.
fn advice(handler: &str, task: TaskId) -> String {
    let registry = Registry::new(Surroundings::default());
    let is_built_in = registry.handlers().any(|name| name.as_str() == handler);
    if is_built_in {
        return format!(
            "start a worker: tasker dev; or go on with this task here: tasker resume {}",
            short(task)
        );
    }
    format!("start a worker that offers {handler:?}, or bind it to a built-in handler with --bindings FILE")
}
