//! Progress that is drawn over itself on a terminal.

use std::time::Duration;

use console::Term;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tasker_core::Timestamp;
use tasker_store::Transition;

use super::Progress;
use super::canvas::Canvas;
use super::frame::Frame;
use crate::board::Board;
use crate::paint::Paint;
use crate::terminal::Terminal;
use crate::words::{one_line, without_controls};

/// How often the terminal is drawn at most, in Hz.
const DRAWS: u8 = 15;

/// Draws the lines of a [`Frame`], each as a bar that is all message.
pub(crate) struct Live {
    term: Term,
    bars: MultiProgress,
    lines: Vec<ProgressBar>,
    paint: Paint,
    begun: Option<Timestamp>,
}

impl Live {
    pub(crate) fn on(term: Term, board: &Board, paint: Paint) -> Self {
        let canvas = Box::new(Canvas::on_stderr());
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::term_like_with_hz(canvas, DRAWS));
        let most = frame(&term, paint, Duration::ZERO).lines(board, Timestamp::default()).len();
        let style =
            ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
        let line = |_| bars.add(ProgressBar::new_spinner().with_style(style.clone()));
        let lines = (0..most).map(line).collect();
        Self { term, bars, lines, paint, begun: None }
    }
}

impl Live {
    /// Writes a line that stays, above the picture.
    fn above(&self, line: &str) {
        // Whoever closed standard error does not want to know.
        let _ = self.bars.println(line);
    }
}

impl Progress for Live {
    /// The next tick shows it.
    fn moved(&mut self, _: &mut Terminal, _: &Board, _: &Transition) {}

    /// Lines that steps log stay above the picture.
    fn logged(&mut self, _: &mut Terminal, (_, step): (Timestamp, &str), line: &str) {
        let line = format!("{} | {}", one_line(step), without_controls(line));
        self.above(&self.paint.dim(line));
    }

    fn tick(&mut self, board: &Board, now: Timestamp) {
        let begun = *self.begun.get_or_insert(now);
        let drawn = frame(&self.term, self.paint, now.since(begun)).lines(board, now);
        for (bar, line) in self.lines.iter().zip(drawn.into_iter().chain(std::iter::repeat(String::new()))) {
            bar.set_message(line);
        }
    }

    fn note(&mut self, _: &mut Terminal, text: &str) {
        self.above(text);
    }

    fn end(&mut self) {
        self.lines.iter().for_each(ProgressBar::finish_and_clear);
        // A terminal that cannot be cleared keeps what was drawn.
        let _ = self.bars.clear();
    }
}

fn frame(term: &Term, paint: Paint, watched: Duration) -> Frame {
    let (rows, columns) = term.size();
    Frame { paint, columns: usize::from(columns), rows: usize::from(rows).saturating_sub(2), watched }
}
