//! The same operations on two stores must look the same.

use super::operation::Operation;
use super::side::Side;
use super::world::World;
use crate::conformance::bench::Bench;

/// After so many operations everything is compared; after each, what it was about.
const EVERYTHING: usize = 20;

/// Applies `steps` random operations to two fresh stores in lockstep and compares all that can be seen:
/// replies, with leases in the same order; tasks and steps; the history of each task; what agents are told.
///
/// # Panics
///
/// At the first difference, with the seed and the number of operations that lead there.
pub async fn differential(seed: u64, reference: &Bench, other: &Bench, steps: usize) {
    assert_eq!(reference.now(), other.now(), "the clocks of both benches must begin at the same time");
    let mut world = World::new(seed);
    let (mut one, mut two) = (Side::new(reference), Side::new(other));
    for number in 1..=steps {
        let operation = world.next(reference.now());
        let expected = one.apply(&operation, &world.templates).await;
        let found = two.apply(&operation, &world.templates).await;
        world.learn(&expected.leases);
        let place = Place { seed, number, operation: &operation };
        place.compare("the reply", &expected.text, &found.text);
        for task in expected.touched {
            place.compare("a task", &one.task_text(task).await, &two.task_text(task).await);
        }
        if number % EVERYTHING == 0 || number == steps {
            place.compare("the store", &one.store_text().await, &two.store_text().await);
            for task in reference.all_tasks().await {
                place.compare("a task", &one.task_text(task.id).await, &two.task_text(task.id).await);
            }
        }
    }
}

/// How many seeds are tried, unless the variable `TASKER_SEEDS` says otherwise.
const SEEDS: u64 = 1_000;
/// Most seeds tell what they have to tell in few operations; one of so many gets a long run.
const LONG_EVERY: u64 = 25;
const SHORT: usize = 30;
const LONG: usize = 200;

/// Runs [`differential`] for the seeds that fall to shard `number` of `shards`: 1,000 in all, or as many as the
/// environment variable `TASKER_SEEDS` says.
///
/// # Panics
///
/// At the first difference, and if `TASKER_SEEDS` is not a number.
#[expect(clippy::disallowed_methods, reason = "a switch for the person who runs the tests")]
pub async fn differential_seeds(
    (number, shards): (u64, u64),
    reference: impl Fn() -> Bench,
    other: impl AsyncFn() -> Bench,
) {
    let seeds =
        std::env::var("TASKER_SEEDS").map_or(SEEDS, |seeds| seeds.parse().expect("a number of seeds"));
    for seed in (number..seeds).step_by(usize::try_from(shards).expect("few shards")) {
        let steps = if (seed / shards).is_multiple_of(LONG_EVERY) { LONG } else { SHORT };
        differential(seed, &reference(), &other().await, steps).await;
    }
}

/// Where in the run it is.
struct Place<'a> {
    seed: u64,
    number: usize,
    operation: &'a Operation,
}

impl Place<'_> {
    fn compare(&self, what: &str, expected: &str, found: &str) {
        if expected == found {
            return;
        }
        let Self { seed, number, operation } = self;
        let lines = expected.lines().zip(found.lines()).find(|(expected, found)| expected != found);
        let (expected, found) = lines.unwrap_or((expected, found));
        panic!(
            "{what} differs: seed {seed}, the first {number} operations, of which the last is\n{operation:#?}\n\
             --- expected\n{expected}\n--- found\n{found}\n---"
        );
    }
}
