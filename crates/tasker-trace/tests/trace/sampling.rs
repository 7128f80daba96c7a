//! Which tasks have a trace.

use std::time::Duration;

use crate::support::bench;
use rand::{Rng, SeedableRng};
use tasker_core::{TaskId, Timestamp};
use tasker_trace::{Sampled, Sampling, TraceContext};

fn sampling(ratio: f64) -> Sampling {
    Sampling::new(ratio, Some(Duration::from_secs(60))).expect("a ratio")
}

#[test]
fn of_many_tasks_as_many_are_sampled_as_the_ratio_says() {
    let mut rng = rand::rngs::StdRng::seed_from_u64(7);
    let now = Timestamp::from_micros(1_790_000_000_000_000);
    let tasks: Vec<_> = (0..20_000).map(|_| TaskId::new(now, rng.random())).collect();
    for ratio in [0.0, 0.01, 0.25, 0.5, 0.9, 1.0] {
        let sampling = sampling(ratio);
        let sampled = tasks.iter().filter(|task| sampling.is_sampled_at_head(**task, None).is_yes()).count();
        let share = f64::from(u32::try_from(sampled).expect("few")) / 20_000.0;
        assert!((share - ratio).abs() < 0.02, "{ratio}: {share}");
    }
}

#[test]
fn what_a_small_ratio_takes_a_greater_one_takes_as_well() {
    let mut rng = rand::rngs::StdRng::seed_from_u64(8);
    for _ in 0..1_000 {
        let task = TaskId::new(Timestamp::from_micros(0), rng.random());
        if sampling(0.3).is_sampled_at_head(task, None).is_yes() {
            assert_eq!(sampling(0.4).is_sampled_at_head(task, None), Sampled::Yes);
        }
    }
}

#[test]
fn a_submitter_that_records_is_followed_and_one_that_does_not_decides_nothing() {
    let task = TaskId::new(Timestamp::from_micros(0), 3 << 20);
    let submitter = |flags: &str| -> TraceContext {
        format!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags}")
            .parse()
            .expect("a traceparent")
    };
    let none = sampling(0.0);
    assert_eq!(none.is_sampled_at_head(task, Some(&submitter("01"))), Sampled::Yes);
    assert_eq!(none.is_sampled_at_head(task, Some(&submitter("00"))), Sampled::No);
    assert_eq!(sampling(1.0).is_sampled_at_head(task, Some(&submitter("00"))), Sampled::Yes);
}

#[test]
fn a_ratio_is_from_zero_to_one() {
    for ratio in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        let error = Sampling::new(ratio, None).expect_err("no ratio");
        assert!(error.to_string().starts_with(&format!("ratio {ratio} cannot be used")), "{error}");
    }
}

#[tokio::test]
async fn failed_and_slow_tasks_are_written_whatever_the_ratio() {
    let bench = bench();
    let (quick, slow, failed) =
        (bench.submit("a").await, bench.submit("b").await, bench.submit("c{once}").await);
    let mut hand = bench.claim(3).await;
    bench.complete(hand.take("a")).await;
    bench.fail(hand.take("c")).await;
    bench.advance(60);
    bench.complete(hand.take("b")).await;
    for (task, is_written) in [(quick, false), (slow, true), (failed, true)] {
        let task = bench.task(task).await.into();
        assert_eq!(sampling(0.0).is_written(&task, None), is_written, "{task:?}");
        assert!(sampling(1.0).is_written(&task, None));
    }
}
