//! How many commits there were, how large they were, and how long they took.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How many sizes are told apart.
const SIZES: usize = CommitReport::SIZE_BOUNDS.len() + 1;

/// How many lengths of time are told apart.
const TIMES: usize = CommitReport::TIME_BOUNDS_SECONDS.len() + 1;

/// What a process has committed since its store was opened. A commit that failed does not count.
///
/// The size of a commit is what it was about in rows, as [`Batch::weight`](crate::Batch::weight) tells it: a wish to
/// claim weighs what it asks for, whatever it gets. Its time is how long the store took over it, without the time that
/// its requests waited for the commit before.
///
/// The numbers are counted one by one. A report taken while a commit ends may have it in some of them only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CommitReport {
    /// How many commits there were: the sum of `sizes`.
    pub commits: u64,
    /// The sizes of all of them, added up.
    pub rows: u64,
    /// The times of all of them, added up. Commits that ran side by side count each for itself.
    pub in_flight_nanoseconds: u64,
    /// How many commits had which size. The n-th counts those of at most [`SIZE_BOUNDS`](Self::SIZE_BOUNDS)`[n]` that
    /// the one before does not count; the last counts those of more.
    pub sizes: [u64; SIZES],
    /// How many commits took how long, in the same way by [`TIME_BOUNDS_SECONDS`](Self::TIME_BOUNDS_SECONDS).
    pub times: [u64; TIMES],
}

impl CommitReport {
    /// The greatest size that each part of `sizes` but the last counts.
    pub const SIZE_BOUNDS: [u64; 10] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

    /// The longest time that each part of `times` but the last counts.
    pub const TIME_BOUNDS_SECONDS: [f64; 14] =
        [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
}

/// Where commits are counted, without a lock.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    rows: AtomicU64,
    in_flight_nanoseconds: AtomicU64,
    sizes: [AtomicU64; SIZES],
    times: [AtomicU64; TIMES],
}

impl Tally {
    /// Counts a commit.
    pub(crate) fn count(&self, rows: usize, time: Duration) {
        let rows = u64::try_from(rows).unwrap_or(u64::MAX);
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let seconds = time.as_secs_f64();
        let size = CommitReport::SIZE_BOUNDS.partition_point(|bound| *bound < rows);
        let length = CommitReport::TIME_BOUNDS_SECONDS.partition_point(|bound| *bound < seconds);
        self.rows.fetch_add(rows, Ordering::Relaxed);
        self.in_flight_nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        self.sizes[size].fetch_add(1, Ordering::Relaxed);
        self.times[length].fetch_add(1, Ordering::Relaxed);
    }

    /// What was counted so far.
    pub(crate) fn report(&self) -> CommitReport {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let sizes = self.sizes.each_ref().map(read);
        CommitReport {
            commits: sizes.iter().sum(),
            rows: read(&self.rows),
            in_flight_nanoseconds: read(&self.in_flight_nanoseconds),
            sizes,
            times: self.times.each_ref().map(read),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(commits: &[(usize, Duration)]) -> CommitReport {
        let tally = Tally::default();
        for (rows, time) in commits {
            tally.count(*rows, *time);
        }
        tally.report()
    }

    #[test]
    fn nothing_is_counted_before_the_first_commit() {
        assert_eq!(counted(&[]), CommitReport::default());
    }

    #[test]
    fn a_size_counts_up_to_its_bound_and_the_last_one_whatever_is_beyond() {
        let sizes = [0, 1, 2, 3, 5, 6, 1_000, 1_001, usize::MAX].map(|rows| (rows, Duration::ZERO));
        let report = counted(&sizes[..8]);
        assert_eq!(report.sizes, [2, 1, 2, 1, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!((report.commits, report.rows), (8, 2_018));
        assert_eq!(counted(&sizes[8..]).sizes[10], 1);
    }

    #[test]
    fn a_time_counts_up_to_its_bound_and_the_last_one_whatever_is_beyond() {
        let micros = [0, 500, 501, 1_000, 10_000, 10_001, 10_000_000, 10_000_001];
        let report = counted(&micros.map(|micros| (1, Duration::from_micros(micros))));
        assert_eq!(report.times, [2, 2, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!(report.in_flight_nanoseconds, micros.iter().sum::<u64>() * 1_000);
        assert_eq!(report.commits, 8);
    }

    #[test]
    fn bounds_rise() {
        assert!(CommitReport::SIZE_BOUNDS.is_sorted_by(|one, next| one < next));
        assert!(CommitReport::TIME_BOUNDS_SECONDS.is_sorted_by(|one, next| one < next));
    }
}
