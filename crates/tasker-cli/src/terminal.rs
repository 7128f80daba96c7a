//! Where the command writes: what was asked for to standard output, everything else to standard error.

use std::fmt::{self, Display};
use std::io::{self, Write};

use console::Term;

use crate::paint::Paint;

/// One stream of output. When its reader goes away it falls silent, as in `tasker task list | head -1`.
pub struct Stream {
    sink: Box<dyn Write + Send>,
    terminal: Option<Term>,
    state: StreamState,
}

/// What became of a stream.
enum StreamState {
    Open,
    /// Its reader went away.
    Closed,
    /// It could not be written.
    Failed(io::Error),
}

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Volume {
    /// Only what was asked for, and errors.
    Quiet,
    /// Progress and notes as well, line by line.
    Lines,
    /// Progress that is drawn over itself where it can be.
    Normal,
}

/// Both streams, and how they are written to.
#[derive(Debug)]
pub(crate) struct Terminal {
    out: Stream,
    err: Stream,
    volume: Volume,
    colour: bool,
}

impl Stream {
    /// Standard output of the process.
    pub fn stdout() -> Self {
        Self::with_terminal(Box::new(io::stdout()), Term::stdout())
    }

    /// Standard error of the process.
    pub fn stderr() -> Self {
        Self::with_terminal(Box::new(io::stderr()), Term::stderr())
    }

    /// Anything that is no terminal.
    pub fn new(sink: impl Write + Send + 'static) -> Self {
        Self { sink: Box::new(sink), terminal: None, state: StreamState::Open }
    }

    fn with_terminal(sink: Box<dyn Write + Send>, term: Term) -> Self {
        let terminal = Some(term).filter(Term::is_term);
        Self { sink, terminal, state: StreamState::Open }
    }

    fn write(&mut self, text: &str) {
        if !matches!(self.state, StreamState::Open) {
            return;
        }
        let written = self.sink.write_all(text.as_bytes()).and_then(|()| self.sink.flush());
        match written {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.state = StreamState::Closed,
            Err(error) => self.state = StreamState::Failed(error),
        }
    }

    fn width(&self) -> Option<usize> {
        let size = self.terminal.as_ref().and_then(Term::size_checked);
        size.map(|(_, columns)| usize::from(columns))
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("terminal", &self.terminal.is_some()).finish_non_exhaustive()
    }
}

impl Terminal {
    pub(crate) fn new(out: Stream, err: Stream, volume: Volume, colour: bool) -> Self {
        Self { out, err, volume, colour }
    }

    /// Writes a line of what was asked for.
    pub(crate) fn print(&mut self, line: impl Display) {
        self.out.write(&format!("{line}\n"));
    }

    /// Writes lines of what was asked for.
    pub(crate) fn print_all(&mut self, lines: impl IntoIterator<Item = String>) {
        for line in lines {
            self.print(line);
        }
    }

    /// Writes a line of progress or a note, unless it is to be quiet.
    pub(crate) fn note(&mut self, line: impl Display) {
        if self.volume > Volume::Quiet {
            self.err.write(&format!("{line}\n"));
        }
    }

    /// Writes a line that is said even when it is to be quiet.
    pub(crate) fn complain(&mut self, line: impl Display) {
        self.err.write(&format!("{line}\n"));
    }

    /// The colours of standard output.
    pub(crate) fn paint(&self) -> Paint {
        Paint::new(self.colour && self.out.terminal.is_some())
    }

    /// The colours of standard error.
    pub(crate) fn paint_notes(&self) -> Paint {
        Paint::new(self.colour && self.err.terminal.is_some())
    }

    /// How many columns a line of standard output may have; as many as it likes where there is no terminal.
    pub(crate) fn width(&self) -> usize {
        self.out.width().unwrap_or(usize::MAX)
    }

    /// The terminal on which progress can be drawn and drawn over.
    pub(crate) fn canvas(&self) -> Option<&Term> {
        self.err.terminal.as_ref().filter(|_| self.volume == Volume::Normal)
    }

    /// Whether only what was asked for is said.
    pub(crate) fn is_quiet(&self) -> bool {
        self.volume == Volume::Quiet
    }

    /// What kept standard output from being written, other than a reader that went away.
    pub(crate) fn failure(&self) -> Option<&io::Error> {
        match &self.out.state {
            StreamState::Failed(error) => Some(error),
            StreamState::Open | StreamState::Closed => None,
        }
    }
}
