//! A task that is worked on by several processes, what it calls, and the trace that is left of it.

mod stub;
mod tree;

pub use stub::{Answer, Stub};
pub use tree::Tree;
