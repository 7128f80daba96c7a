//! The page of the reference about traces.

use std::fmt::Write;

use crate::attributes;

const OPENING: &str = "\
<!-- Written by `cargo xtask gen` from crates/tasker-trace/src/attributes.rs. -->

# Traces

The trace of a task has the task's id, without hyphens. All spans but the last two are written when the task has a verdict, from
its record; the last two are made while an attempt is, and only in tasks that are sampled.

| Span | Part of | From, to |
|---|---|---|
| `tasker.task {template}` | | submission, the last that happened |
| `tasker.orchestrate` | the task | submission or retry, verdict |
| `tasker.step {name}` | that | ready, the end of its part in the run |
| `tasker.queue` | the step | ready, or the end of the attempt before; claimed |
| `tasker.attempt` | the step | claimed, settled |
| `tasker.handler {handler}` | the attempt | the same |
| `tasker.work` | the handler | the handler begins, ends; what it does lies inside |
| `inputs steps`, `settle steps` | the attempt | the worker asks the database for what the handler gets, or to record how the attempt ended; answered |

A change of state is an event, `tasker.transition`, of the step, of the run, or of the task if it happened between two runs. A
link says by `tasker.link.type` what it is: `created_by`, from the task to the span it was submitted in; `depends_on`, from a step
to the final attempts of those it depends on; `retry_of`, from an attempt to the one before.

| Attribute | Meaning |
|---|---|
";

/// The text of `docs/reference/traces.md`.
pub fn reference() -> String {
    let mut page = String::from(OPENING);
    for (name, meaning) in attributes::ALL {
        writeln!(page, "| `{name}` | {} |", meaning.trim()).expect("invariant: a String takes all");
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attribute_has_one_line() {
        let page = reference();
        for (name, _) in attributes::ALL {
            assert_eq!(page.matches(&format!("| `{name}` |")).count(), 1, "{name}");
        }
        assert!(page.contains("| `tasker.attempt.number` | The number of the attempt. |"));
    }
}
