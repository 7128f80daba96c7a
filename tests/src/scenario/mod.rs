//! Scenarios: a small picture of a graph and its failures in, a transcript of transitions out.
//!
//! A scenario file holds a comment that says what it shows, directives, a line of dashes, and the
//! transcript. The same files run on every store.
//!
//! ```text
//! # A failed step is tried again after its backoff.
//! graph: a -> b
//! b: fails 1, limit 3
//! ---
//! ```
//!
//! Directives: `graph: a, b -> c; c -> d` names the steps and their edges. `STEP: fails N` (retryable,
//! N times), `fails always`, `fails for good`, `vanishes N` (its worker goes away N times), `snoozes S`
//! (once, for S seconds), `limit N`, `priority N`. `concurrent: false`. `then: COMMAND` is carried out
//! when nothing can go on by itself, one after the other: `cancel [STEP]`, `retry [STEP] [reset]`,
//! `resolve [STEP]`, `pause`, `resume`. `at S: COMMAND` is carried out S seconds after the start.

mod parse;
mod play;

pub use parse::{Action, Behaviour, Scenario};
pub use play::play;
