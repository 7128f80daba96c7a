//! Colours, and the marks of states.

use std::fmt::Display;

use tasker_core::State;

/// Paints text, or leaves it as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paint {
    on: bool,
}

/// The colours in use: the eight that every terminal has, so that they suit its theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
    Cyan,
}

impl Colour {
    /// The parameter of the SGR control sequence (ECMA-48, 8.3.117).
    const fn parameter(self) -> u8 {
        match self {
            Self::Bold => 1,
            Self::Dim => 2,
            Self::Red => 31,
            Self::Green => 32,
            Self::Yellow => 33,
            Self::Cyan => 36,
        }
    }
}

impl Paint {
    pub(crate) const fn new(on: bool) -> Self {
        Self { on }
    }

    /// No colours.
    pub(crate) const PLAIN: Self = Self::new(false);

    pub(crate) fn colour(self, colour: Colour, text: impl Display) -> String {
        if self.on { format!("\u{1b}[{}m{text}\u{1b}[0m", colour.parameter()) } else { text.to_string() }
    }

    pub(crate) fn bold(self, text: impl Display) -> String {
        self.colour(Colour::Bold, text)
    }

    pub(crate) fn dim(self, text: impl Display) -> String {
        self.colour(Colour::Dim, text)
    }

    /// A text in the colour of a state.
    pub(crate) fn state(self, state: State, text: impl Display) -> String {
        self.colour(colour_of(state), text)
    }

    /// The mark of a state, in its colour.
    pub(crate) fn mark(self, state: State) -> String {
        self.state(state, mark_of(state))
    }

    /// The mark of a step that failed and will be tried again.
    pub(crate) fn to_be_retried(self) -> String {
        self.colour(Colour::Yellow, "↻")
    }
}

const fn colour_of(state: State) -> Colour {
    match state {
        State::Pending => Colour::Dim,
        State::InProgress => Colour::Cyan,
        State::Complete | State::ResolvedManually => Colour::Green,
        State::Error => Colour::Red,
        State::Cancelled => Colour::Yellow,
    }
}

const fn mark_of(state: State) -> &'static str {
    match state {
        State::Pending => "·",
        State::InProgress => "▸",
        State::Complete | State::ResolvedManually => "✓",
        State::Error => "✗",
        State::Cancelled => "⊘",
    }
}
