//! A jq filter over JSON, for text that nobody has vetted: it ends, and takes no more than it may.
//!
//! The language is that of [jq](https://jqlang.org/manual/), read and run by `jaq-core`. A filter sees neither the
//! environment nor files. Its steps, its time, its stack and the size of what it makes have limits, which it cannot
//! catch.
//!
//! ```
//! use std::sync::Arc;
//! use tasker_filter::Filter;
//!
//! let total = Filter::compile("[.lines[] | .price * .count] | add")?;
//! let order = serde_json::json!({ "lines": [{ "price": 2.5, "count": 2 }, { "price": 1, "count": 3 }] });
//! assert_eq!(total.run(&order, 10_000, &Arc::default())?, [serde_json::json!(8.0)]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod filter;
mod guard;
mod limits;
mod natives;
mod value;

pub use error::{CompileError, Limit, RunError};
pub use filter::Filter;

/// A filter may be so long, in bytes: what reads it goes as deep as its parts are nested.
pub const FILTER_BYTES: usize = 16 * 1024;
/// The stack that a thread needs to compile and run any filter, in bytes; it is taken from the system as it is used.
pub const STACK_BYTES: usize = 256 * 1024 * 1024;

#[cfg(test)]
mod tests;
