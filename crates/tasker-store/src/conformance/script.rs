//! A worker that follows a script: which steps fail, and how often before they succeed.

use std::time::Duration;

use serde_json::json;
use tasker_core::When;

use super::bench::{Bench, failure};
use crate::work::{Lease, Settlement};

/// Which steps fail, and how often before they succeed.
pub type Failures<'a> = &'a [(&'a str, u32)];

impl Bench {
    /// Runs everything there is to its end. Where nothing is ready, the clock moves to the next time at which
    /// something is; a failed attempt `n` is repeated after `2^n` seconds.
    ///
    /// Gives the steps of each round of claiming: `a | b, c | b | d`.
    pub async fn run(&self, failures: Failures<'_>) -> String {
        let mut rounds = Vec::new();
        loop {
            let hand = self.claim(1_000).await;
            if hand.is_empty() {
                if self.wait_for_ready().await {
                    continue;
                }
                return rounds.join(" | ");
            }
            rounds.push(hand.names());
            let settlements =
                hand.named().into_iter().map(|(name, lease)| settlement(&name, lease, failures));
            self.settle_all(settlements.collect()).await;
        }
    }

    /// Moves the clock to the next time at which a step is ready; says whether there is one.
    async fn wait_for_ready(&self) -> bool {
        let deadlines = self.store.deadlines().await.expect("the store reads deadlines");
        let Some(time) = deadlines.next_ready_at else { return false };
        self.clock.advance(time.since(self.now()));
        true
    }
}

fn settlement(name: &str, lease: Lease, failures: Failures<'_>) -> Settlement {
    let attempt = lease.key.attempt;
    let fails = failures.iter().find(|(step, _)| *step == name).map_or(0, |(_, times)| *times);
    if attempt <= fails {
        lease.retry(failure(), When::After(Duration::from_secs(1 << attempt)))
    } else {
        lease.complete(json!({ "step": name }))
    }
}
