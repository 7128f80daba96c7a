//! What is said while a task runs: live on a terminal, line by line elsewhere, as JSON for programs.

mod canvas;
mod frame;
mod json;
mod live;
mod plain;

use std::time::Duration;

use tasker_core::Timestamp;
use tasker_store::Transition;

use crate::board::Board;
use crate::terminal::Terminal;

pub(crate) use json::Json;
pub(crate) use live::Live;
pub(crate) use plain::Plain;

/// How often a live picture is drawn anew.
pub(crate) const TICK: Duration = Duration::from_millis(100);

/// Tells how a task goes on.
pub(crate) trait Progress: Send {
    /// A transition of the task; the board has taken note of it.
    fn moved(&mut self, terminal: &mut Terminal, board: &Board, transition: &Transition);

    /// A step, by its name, logged a line.
    fn logged(&mut self, terminal: &mut Terminal, at: (Timestamp, &str), line: &str);

    /// Time has passed.
    fn tick(&mut self, board: &Board, now: Timestamp);

    /// Something a person wants to know.
    fn note(&mut self, terminal: &mut Terminal, text: &str);

    /// Nothing more will be told.
    fn end(&mut self);
}

/// Tells nothing.
pub(crate) struct Silent;

impl Progress for Silent {
    fn moved(&mut self, _: &mut Terminal, _: &Board, _: &Transition) {}
    fn logged(&mut self, _: &mut Terminal, _: (Timestamp, &str), _: &str) {}
    fn tick(&mut self, _: &Board, _: Timestamp) {}
    fn note(&mut self, _: &mut Terminal, _: &str) {}
    fn end(&mut self) {}
}

/// How progress is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// For people: live if there is a terminal.
    People,
    /// For programs, on standard output.
    Json,
}

/// The way to tell progress that suits the terminal.
pub(crate) fn suited(manner: Manner, terminal: &Terminal, board: &Board) -> Box<dyn Progress> {
    match (manner, terminal.canvas()) {
        (Manner::Json, _) => Box::new(Json),
        (Manner::People, _) if terminal.is_quiet() => Box::new(Silent),
        (Manner::People, Some(canvas)) => Box::new(Live::on(canvas.clone(), board, terminal.paint_notes())),
        (Manner::People, None) => Box::new(Plain::new(board)),
    }
}
