//! Random operations on one store, whose rows are checked after each.

use std::cmp::Reverse;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use tasker_core::{Readiness, StepId, readiness};

use super::operation::Operation;
use super::side::Side;
use super::world::World;
use crate::conformance::bench::Bench;
use crate::work::ClaimRequest;

/// Applies `steps` random operations to a fresh store, holds each claim against the rows, and checks after
/// each operation what it was about, and in the end everything.
///
/// # Panics
///
/// If anything is not as it must be, with the seed and the number of operations that lead there.
pub async fn soak(seed: u64, bench: &Bench, steps: usize) {
    let mut world = World::new(seed);
    let mut side = Side::new(bench);
    for number in 1..=steps {
        let operation = world.next(bench.now());
        let checked = AssertUnwindSafe(async {
            let expected = match &operation {
                Operation::Claim(request) => Some(claimable(bench, request).await),
                _ => None,
            };
            let answer = side.apply(&operation, &world.templates).await;
            let claimed: Vec<_> = answer.leases.iter().map(|(key, _)| key.step).collect();
            assert_eq!(
                claimed,
                expected.unwrap_or_else(|| claimed.clone()),
                "what the rows say is claimable"
            );
            for task in &answer.touched {
                if bench.store.task(*task).await.expect("an answer").is_some() {
                    bench.check_invariants(*task).await;
                }
            }
            if number == steps {
                bench.check_everything().await;
            }
            answer
        });
        match checked.catch_unwind().await {
            Ok(answer) => world.learn(&answer.leases),
            Err(panic) => {
                eprintln!("seed {seed}, the first {number} operations, of which the last is\n{operation:#?}");
                std::panic::resume_unwind(panic);
            }
        }
    }
}

/// What a claim must give, from the rows alone.
async fn claimable(bench: &Bench, request: &ClaimRequest) -> Vec<StepId> {
    let lanes = bench.store.lanes().await.expect("lanes");
    let mut found = Vec::new();
    for task in bench.all_tasks().await {
        let template = bench.template_of(task.id).await;
        let plan = bench.store.read_plan(task.plan).await.expect("an answer").expect("a plan");
        for (step, recipe) in bench.steps(task.id).await.iter().zip(&template.steps) {
            let lane = lanes.iter().position(|lane| {
                (&lane.namespace, &lane.queue, &lane.handler)
                    == (&template.namespace, &recipe.queue, &recipe.handler)
                    && lane.priority == recipe.priority + plan.priority
            });
            let number = 1 + lane.expect("each step of a plan has a lane");
            let lane = &lanes[number - 1];
            let is_wanted = request.queues.contains(&lane.queue)
                && request.handlers.contains(&lane.handler)
                && request.task.is_none_or(|wanted| wanted == task.id);
            if is_wanted && !lane.paused && readiness(&step.facts(), bench.now()) == Readiness::Now {
                let turn = (number + request.turn as usize) % 97;
                found.push((Reverse(lane.priority), turn, number, step.ready_at, step.id));
            }
        }
    }
    found.sort_unstable();
    found.into_iter().map(|(.., step)| step).take(request.capacity as usize).collect()
}
