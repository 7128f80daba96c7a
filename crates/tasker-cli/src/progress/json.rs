//! One transition a line, as JSON, on standard output.

use serde_json::{Value, json};
use tasker_core::Timestamp;
use tasker_store::Transition;

use super::Progress;
use crate::board::Board;
use crate::terminal::Terminal;

/// Tells transitions to programs.
pub(crate) struct Json;

impl Progress for Json {
    fn moved(&mut self, terminal: &mut Terminal, board: &Board, transition: &Transition) {
        let mut line = json!(transition);
        if let (Some(step), Value::Object(fields)) = (transition.step, &mut line) {
            fields.insert("step_name".to_owned(), json!(board.name(step)));
        }
        terminal.print(line);
    }

    /// Lines of JSON are transitions; what steps log goes where notes go.
    fn logged(&mut self, terminal: &mut Terminal, (_, step): (Timestamp, &str), line: &str) {
        terminal.note(format!("{step}: {line}"));
    }

    fn tick(&mut self, _: &Board, _: Timestamp) {}

    fn note(&mut self, terminal: &mut Terminal, text: &str) {
        terminal.note(text);
    }

    fn end(&mut self) {}
}
