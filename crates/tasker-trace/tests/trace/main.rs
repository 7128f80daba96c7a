//! Traces of tasks that were really driven through a store.

mod random;
mod sampling;
mod spans;
mod support;
