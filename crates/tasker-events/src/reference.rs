//! The page of the reference that lists all events.

use std::fmt::Write;

use crate::catalog::EventId;
use crate::field::Field;
use crate::routes::Routes;

const OPENING: &str = "\
<!-- Written by `cargo xtask gen` from crates/tasker-events/src/catalog.rs. -->

# Events

What happens, as the process tells it that caused it: each fact once, after the commit that made it true. Durations are in
seconds. An event goes to metrics and logs in every server and worker, and to traces where `traces.enabled` is set: the trace of a
task has all that its record tells, and is written when `task.completed`, `task.failed`, `task.cancelled` or
`task.resolved_manually` goes there. What an event is about stands in its payload by these fields:

| Of | Fields |
|---|---|
| a task | `task_id`, `namespace`, `task_name`, `task_version` |
| a step | those of its task, and `step_id`, `step_name`, `handler`, `queue` |
| an attempt | those of its step, and `attempt_number` |

| Event | When | Payload | Goes to | Priority |
|---|---|---|---|---|
";

/// The text of `docs/reference/events.md`.
pub fn reference() -> String {
    let (mut page, routes) = (String::from(OPENING), Routes::default());
    for event in EventId::ALL {
        let fields: Vec<_> = event.fields().iter().map(field).collect();
        let route = routes.of(*event).to_string();
        let backends = route.split(" (").next().unwrap_or_default();
        let (about, fields) = (event.about(), fields.join("; "));
        let priority = format!("{:?}", event.priority()).to_lowercase();
        writeln!(page, "| `{event}` | {about} | {fields} | {backends} | {priority} |")
            .expect("invariant: a String takes all");
    }
    page
}

fn field(field: &Field) -> String {
    match field.rust.split('<').next().unwrap_or_default().trim() {
        "TaskRef" | "StepRef" | "AttemptRef" => field.about.to_owned(),
        _ => {
            // A template is a key in Rust, and a template in JSON.
            let name = if field.name == "key" { "template" } else { field.name };
            format!("`{name}`: {}", field.about)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_has_one_line() {
        let page = reference();
        for event in EventId::ALL {
            assert_eq!(page.matches(&format!("| `{event}` |")).count(), 1, "{event}");
        }
        assert!(
            page.contains("| the task; `step_count`: how many steps it has | traces, metrics | normal |")
        );
    }
}
