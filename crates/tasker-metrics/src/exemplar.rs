//! Examples of what was observed, by which one finds the trace of a slow one.

use std::sync::{Mutex, OnceLock, PoisonError};

/// Where and when an observation was made: in which span of which trace.
///
/// Give one with an observation whose trace is kept; others lead nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// When, in nanoseconds since 1970.
    pub unix_nanos: u64,
    /// The trace. One that is all zeros is none: the observation is then recorded without its origin.
    pub trace_id: [u8; 16],
    /// The span; none if it is all zeros.
    pub span_id: [u8; 8],
}

/// One observation and its origin. The greater of two is the newer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exemplar {
    /// Where and when it was made.
    pub origin: Origin,
    /// The value, in parts of the unit.
    pub parts: u64,
}

/// The newest exemplar in each of several places. Takes no memory before the first.
#[derive(Debug, Default)]
pub(crate) struct Exemplars(OnceLock<Box<[Mutex<Option<Exemplar>>]>>);

impl Exemplars {
    /// Keeps an exemplar if it is the newest, in one of so many places.
    ///
    /// One that comes while another is being kept in the same place is let go: nobody who observes ever waits.
    pub(crate) fn keep(&self, exemplar: Exemplar, place: usize, places: usize) {
        if exemplar.origin.trace_id == [0; 16] {
            return;
        }
        let all = self.0.get_or_init(|| (0..places).map(|_| Mutex::default()).collect());
        if let Ok(mut kept) = all[place].try_lock() {
            *kept = (*kept).max(Some(exemplar));
        }
    }

    /// What is kept in each of the places; nothing if there never was any.
    pub(crate) fn kept(&self) -> Vec<Option<Exemplar>> {
        let all = self.0.get().into_iter().flatten();
        all.map(|kept| *kept.lock().unwrap_or_else(PoisonError::into_inner)).collect()
    }
}
