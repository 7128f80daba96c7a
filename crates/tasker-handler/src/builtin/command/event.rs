//! Events that programs emit: lines `::event NAME JSON` of their standard error.

use serde_json::Value;

use crate::context::StepContext;

/// What such a line begins with.
const MARK: &str = "::event ";

/// Whether a line is meant to emit an event.
pub(super) fn is_one(line: &str) -> bool {
    line.starts_with(MARK)
}

/// Emits the event of a line of the standard error. A line that is none is logged, also one that was meant to be an
/// event, with the reason why it is not.
pub(super) fn take(line: &str, step: &StepContext) {
    let Some(event) = line.strip_prefix(MARK) else { return step.log(line) };
    let emitted = read(event).and_then(|(name, data)| {
        let emitted = step.emit(name, data);
        emitted.map_err(|error| error.to_string())
    });
    if let Err(reason) = emitted {
        step.log(line);
        step.log(&format!("(not emitted: {reason})"));
    }
}

/// The name, and the data: null if there is none.
fn read(event: &str) -> Result<(&str, Value), String> {
    let event = event.trim();
    let (name, data) = event.split_once(char::is_whitespace).unwrap_or((event, "null"));
    let data = serde_json::from_str(data).map_err(|error| {
        format!(
            "what follows the name is no JSON: {error}; write ::event NAME JSON in one line of at most 8 KiB"
        )
    })?;
    Ok((name, data))
}
