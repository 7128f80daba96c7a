//! What can be wrong with a filter.

use thiserror::Error;

use crate::FILTER_BYTES;
use crate::limits::{ALL_BYTES, DEPTH, DIGITS, TEXT_BYTES, TIME, VALUE_BYTES};

/// Why a filter cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CompileError {
    /// A place of it is wrong.
    #[error("line {line}, column {column}: {what}\n{shown}")]
    Wrong {
        /// Its line, from 1.
        line: usize,
        /// Its column in characters, from 1.
        column: usize,
        /// What is wrong.
        what: String,
        /// The line itself, and under it a mark at the place.
        shown: String,
    },
    /// It imports or includes modules, or is one.
    #[error("modules cannot be used; write the definitions in the filter")]
    Modules,
    /// It is longer than [`FILTER_BYTES`].
    #[error("it has more than {FILTER_BYTES} bytes")]
    TooLong,
}

/// Why a filter has no outputs.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RunError {
    /// It raised an error and did not catch it.
    #[error("the filter failed: {0}")]
    Failed(String),
    /// It passed a limit.
    #[error("{0}")]
    Limit(Limit),
    /// An output has more levels than JSON is read back with.
    #[error("an output of the filter is nested deeper than JSON may be")]
    TooDeep,
    /// The outputs have too many values.
    #[error(
        "an output of the filter has more than a million values; keep it outside and pass on where it is"
    )]
    TooLarge,
}

/// A limit that a filter has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Limit {
    /// It made more steps than it was given.
    #[error("the filter made more than {0} steps; let it do less, or use a command")]
    Steps(u64),
    /// Its calls use up the stack.
    #[error("the filter calls itself too deep; does its recursion end?")]
    Stack,
    /// Nobody waits for it any more.
    #[error("the filter was stopped")]
    Stopped,
    /// It ran too long.
    #[error("the filter ran longer than {} s; let it do less, or use a command", TIME.as_secs())]
    Time,
    /// A text is too long.
    #[error("the filter made a text of more than {} MiB", TEXT_BYTES >> 20)]
    Text,
    /// A value is too large, with everything in it.
    #[error("the filter made a value of more than {} MiB", VALUE_BYTES >> 20)]
    Value,
    /// All that it holds at once is too large.
    #[error("the calls and values of the filter take more than {} MiB; let it keep fewer of them", ALL_BYTES >> 20)]
    Memory,
    /// A value is nested too deep.
    #[error("the filter made a value nested more than {DEPTH} deep")]
    Depth,
    /// An integer has too many digits.
    #[error(
        "the filter made an integer of more than {DIGITS} digits; add .0 to count with limited precision"
    )]
    Digits,
}
