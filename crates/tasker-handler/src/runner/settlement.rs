//! From the answer of a handler to what the store is asked to record.

use std::time::Duration;

use rand::Rng;
use tasker_core::{Backoff, Failure, FailureKind, Outcome, When};
use tasker_store::{Lease, Settlement, Verdict};

/// How an attempt ended. There is one wait: what the handler asked for, or else the step's backoff.
pub(super) fn settlement(
    lease: Lease,
    outcome: Outcome,
    backoff: &Backoff,
    rng: &mut impl Rng,
) -> Settlement {
    match outcome {
        Outcome::Done(results) => lease.complete(results),
        Outcome::Retry { failure, when: Some(when) } => lease.retry(failure, when),
        Outcome::Retry { failure, when: None } => {
            let seconds = backoff.delay_seconds(lease.key.attempt.into(), rng);
            lease.retry(failure, When::After(Duration::from_secs(seconds.into())))
        }
        Outcome::Fail(failure) => lease.fail(failure),
        Outcome::Snooze(when) => lease.snooze(when),
    }
}

/// What an attempt is settled with that was begun and not ended when the worker stopped.
pub(super) fn interrupted() -> Outcome {
    let message = "worker shut down before the step ended";
    let failure = Failure::new(FailureKind::Retryable, message).with_code("WORKER_SHUT_DOWN");
    Outcome::Retry { failure, when: Some(When::After(Duration::ZERO)) }
}

/// What an attempt is settled with that never began.
pub(super) fn not_begun() -> Outcome {
    Outcome::Snooze(When::After(Duration::ZERO))
}

/// What an attempt is settled with whose lease ran out while the store could not be reached.
pub(super) fn ran_out() -> Outcome {
    let message = "the lease of the attempt ran out while the store could not be reached";
    let failure = Failure::new(FailureKind::LeaseExpired, message).with_code("LEASE_EXPIRED");
    Outcome::Retry { failure, when: None }
}

/// What takes the place of an end that the store refuses to record.
pub(super) fn refused(reason: &str) -> Verdict {
    let message = format!("the store refuses the end of the attempt: {reason}");
    Verdict::Fail { failure: Failure::new(FailureKind::Permanent, message).with_code("RESULTS_REFUSED") }
}

/// The same settlement once more: a failed call does not give back what it was given.
pub(super) fn copy(settlement: &Settlement) -> Settlement {
    Settlement { key: settlement.key, guard: settlement.guard, verdict: settlement.verdict.clone() }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use serde_json::json;
    use tasker_core::{LeaseKey, TaskId, Timestamp, WorkerId};
    use tasker_store::PlanId;

    use super::*;

    fn verdict(attempt: u32, outcome: Outcome) -> Verdict {
        let now = Timestamp::from_micros(0);
        let lease = Lease {
            key: LeaseKey { step: TaskId::new(now, 0).step(0), attempt },
            plan: PlanId(1),
            worker: WorkerId::new(now, 0),
            claimed_at: now,
            until: now,
            retry_limit: 9,
            ready_at: now,
            starts_task: false,
        };
        let backoff = Backoff { jitter_max_percentage: 0.5, ..Backoff::default() };
        settlement(lease, outcome, &backoff, &mut StdRng::seed_from_u64(1)).verdict
    }

    #[test]
    fn a_handler_that_names_no_wait_gets_the_backoff_of_its_attempt_spread_by_chance() {
        let failure = Failure::new(FailureKind::Retryable, "x");
        let waits: Vec<u64> = [1, 2, 3, 6]
            .into_iter()
            .map(|attempt| match verdict(attempt, Outcome::Retry { failure: failure.clone(), when: None }) {
                Verdict::Retry { when: When::After(wait), .. } => wait.as_secs(),
                other => panic!("{other:?}"),
            })
            .collect();
        for (wait, range) in waits.iter().zip([1..=2, 1..=3, 2..=6, 16..=48]) {
            assert!(range.contains(wait), "{waits:?}");
        }
    }

    #[test]
    fn a_wait_that_the_handler_names_is_the_only_one() {
        let failure = Failure::new(FailureKind::Retryable, "x");
        let when = When::After(Duration::from_hours(2));
        let outcome = Outcome::Retry { failure: failure.clone(), when: Some(when) };
        assert_eq!(verdict(1, outcome), Verdict::Retry { failure, when });
    }

    #[test]
    fn the_other_answers_become_their_verdicts() {
        let failure = Failure::new(FailureKind::Permanent, "x");
        let when = When::At(Timestamp::from_micros(5));
        assert_eq!(verdict(1, Outcome::Done(json!(1))), Verdict::Complete { results: json!(1) });
        assert_eq!(verdict(1, Outcome::Fail(failure.clone())), Verdict::Fail { failure });
        assert_eq!(verdict(1, Outcome::Snooze(when)), Verdict::Snooze { when });
    }
}
