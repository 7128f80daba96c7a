//! Scenarios as text, end-to-end runs, faults and benchmarks of Tasker.

pub mod binaries;
pub mod docs;
pub mod faults;
pub mod prometheus;
pub mod scenario;
pub mod traces;
