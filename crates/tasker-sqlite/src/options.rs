//! How a store is opened.

use std::fmt;
use std::sync::Arc;

use tasker_core::{Clock, SystemClock};

/// How a store is opened.
#[derive(Clone)]
pub struct SqliteOptions {
    /// What tells the time.
    pub clock: Arc<dyn Clock>,
    /// What survives a loss of power.
    pub durability: Durability,
    /// How many connections may read at once; at least one.
    pub readers: u32,
}

/// What survives a loss of power. The end of a process, of whatever kind, loses nothing in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// All that was answered: every commit waits for the disk.
    #[default]
    Full,
    /// All up to the latest checkpoint, at least; the database stays sound.
    Normal,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), durability: Durability::default(), readers: 4 }
    }
}

impl fmt::Debug for SqliteOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("SqliteOptions");
        debug.field("durability", &self.durability).field("readers", &self.readers).finish_non_exhaustive()
    }
}
