//! The page of states and transitions, from the tables that the stores keep to.

use tasker_core::{State, StepEvent, TaskEvent};

const OPENING: &str = "\
<!-- Written by `cargo xtask gen` from crates/tasker-core. -->

# States and transitions

Tasks and steps are in one of six states. A table has a row for each, a column for each event, and in the cell the state \
that follows; where there is none, the event cannot happen.
";

/// The page.
pub(super) fn page() -> String {
    let task = TaskEvent::ALL.map(|event| (event.as_str(), event.meaning()));
    let step = StepEvent::ALL.map(|event| (event.as_str(), event.meaning()));
    [
        OPENING.to_owned(),
        section("Tasks", &task, |state, index| state.task_after(TaskEvent::ALL[index])),
        section("Steps", &step, |state, index| state.step_after(StepEvent::ALL[index])),
    ]
    .join("\n")
}

/// A table of transitions and what its events mean; an event is its name and its meaning.
fn section(title: &str, events: &[(&str, &str)], after: impl Fn(State, usize) -> Option<State>) -> String {
    let names = events.iter().map(|(name, _)| format!(" {name} |")).collect::<Vec<_>>().concat();
    let rows = State::ALL
        .into_iter()
        .map(|state| {
            let cell =
                |index| after(state, index).map_or_else(|| " |".to_owned(), |next| format!(" {next} |"));
            format!("| `{state}` |{}\n", (0..events.len()).map(cell).collect::<Vec<_>>().concat())
        })
        .collect::<Vec<_>>()
        .concat();
    let meanings = events
        .iter()
        .map(|(name, meaning)| format!("- {name}: {}\n", sentence(meaning)))
        .collect::<Vec<_>>()
        .concat();
    format!("## {title}\n\n| |{names}\n|---|{}\n{rows}\n{meanings}", "---|".repeat(events.len()))
}

/// A sentence as the end of one.
fn sentence(text: &str) -> String {
    let mut chars = text.trim_end_matches('.').chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_the_state_that_follows_and_an_impossible_event_leaves_it_empty() {
        let page = page();
        let steps = page.split("## Steps").nth(1).expect("steps");
        assert!(page.contains("| `error` | | | | pending | cancelled | resolved_manually |"), "{page}");
        assert!(
            steps.contains("| `pending` | in_progress | | error | | | cancelled | resolved_manually |"),
            "{steps}"
        );
        assert!(steps.contains("- claim: a worker took a lease on it"), "{steps}");
    }
}
