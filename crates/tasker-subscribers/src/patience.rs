//! Waits that grow.

use std::time::Duration;

use rand::Rng;

/// The cap of the first wait of an event that was not taken.
const FIRST: Duration = Duration::from_millis(500);
/// The cap of all its later waits.
const LONGEST: Duration = Duration::from_secs(60);

/// The wait after the `tries`-th attempt, from 1, that a receiver failed: anything up to a cap that doubles from 0.5 s to
/// 60 s (full jitter), so that receivers that come back are not met by all at once.
pub(crate) fn backoff(tries: u32, rng: &mut impl Rng) -> Duration {
    let cap = FIRST.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(LONGEST);
    cap.mul_f64(rng.random_range(0.0..=1.0))
}

/// Growing waits for something of our own that fails.
#[derive(Debug)]
pub(crate) struct Patience {
    next: Duration,
    longest: Duration,
}

impl Patience {
    /// With a store that does not answer.
    pub(crate) fn with_the_store() -> Self {
        Self { next: Duration::from_millis(100), longest: Duration::from_secs(5) }
    }

    /// With work that panics.
    pub(crate) fn with_a_panic() -> Self {
        Self { next: Duration::from_secs(1), longest: Duration::from_mins(1) }
    }

    /// The next wait, twice as long as the one before.
    pub(crate) fn next(&mut self) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(self.longest);
        wait
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn waits_lie_between_nothing_and_a_cap_that_doubles_up_to_a_minute() {
        let mut rng = StdRng::seed_from_u64(7);
        for (tries, cap) in [(1, 0.5), (2, 1.0), (4, 4.0), (7, 32.0), (8, 60.0), (5_000_000, 60.0)] {
            let waits: Vec<f64> = (0..200).map(|_| backoff(tries, &mut rng).as_secs_f64()).collect();
            assert!(waits.iter().all(|wait| *wait <= cap), "{tries}");
            let mean = waits.iter().sum::<f64>() / 200.0;
            assert!((0.4 * cap..0.6 * cap).contains(&mean), "{tries}: {mean}");
        }
    }
}
