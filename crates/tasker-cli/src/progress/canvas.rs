//! The terminal as live progress is drawn on it.
//!
//! indicatif ends each line by filling it with spaces up to the margin. What the terminal itself echoes then, such as the
//! `^C` of an interrupt, would begin a line of its own, and the picture would be a line off from there on. Here the cursor
//! stays at the end of the text.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use console::Term;
use indicatif::TermLike;

/// A terminal whose lines are not filled up.
#[derive(Debug)]
pub(crate) struct Canvas {
    term: Term,
    /// Whether the next text begins a line.
    is_line_ended: AtomicBool,
}

impl Canvas {
    /// A canvas on the standard error of the process.
    pub(crate) fn on_stderr() -> Self {
        Self { term: Term::buffered_stderr(), is_line_ended: AtomicBool::new(false) }
    }

    fn stay_on_line(&self) {
        self.is_line_ended.store(false, Ordering::Relaxed);
    }
}

impl TermLike for Canvas {
    fn width(&self) -> u16 {
        self.term.size().1
    }

    fn height(&self) -> u16 {
        self.term.size().0
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.stay_on_line();
        self.term.move_cursor_up(lines)
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.stay_on_line();
        self.term.move_cursor_down(lines)
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.term.move_cursor_right(columns)
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.term.move_cursor_left(columns)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)?;
        self.term.write_line("")
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        let is_filler = !text.is_empty() && text.bytes().all(|byte| byte == b' ');
        if is_filler {
            self.is_line_ended.store(true, Ordering::Relaxed);
            return Ok(());
        }
        if self.is_line_ended.swap(false, Ordering::Relaxed) && text != "\r" {
            self.term.write_str("\n")?;
        }
        self.term.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.stay_on_line();
        self.term.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.term.flush()
    }
}
