//! Waits that grow.

use std::time::Duration;

/// Growing waits between attempts at something that fails.
pub(super) struct Patience {
    next: Duration,
    longest: Duration,
}

impl Patience {
    /// With a store that does not answer.
    pub(super) fn with_the_store() -> Self {
        Self { next: Duration::from_millis(100), longest: Duration::from_secs(5) }
    }

    /// With an agent that panics.
    pub(super) fn with_an_agent() -> Self {
        Self { next: Duration::from_secs(1), longest: Duration::from_mins(1) }
    }

    /// The next wait, twice as long as the one before.
    pub(super) fn next(&mut self) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(self.longest);
        wait
    }
}
