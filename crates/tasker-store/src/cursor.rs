//! Who follows the feed, and how far they have come.

use tasker_core::{Timestamp, WorkerId};

/// A follower's place in the feed, as the one holds it who may move it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// Everything up to here was taken.
    pub position: i64,
    /// Until when nobody else can hold it, by the store's clock.
    pub until: Timestamp,
}

/// A follower as it is read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CursorRecord {
    /// Its name.
    pub name: String,
    /// Everything up to here was taken.
    pub position: i64,
    /// Who holds it, and until when; the time may have passed.
    pub holder: Option<(WorkerId, Timestamp)>,
    /// When it last came further, or was made.
    pub moved_at: Timestamp,
}
