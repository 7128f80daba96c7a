//! Faults with real processes: workers that are killed or frozen, databases that go away.

pub mod fleet;
pub mod load;
pub mod proof;
pub mod server;
