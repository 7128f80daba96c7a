//! Many callers at once, each with a mind of its own.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::json;
use tasker_core::{LeaseKey, TaskId, When, WorkerId};
use tokio::task::JoinSet;

use super::world::World;
use crate::command::{Attempts, Command, Target};
use crate::conformance::bench::{Bench, cancellation, failure, worker};
use crate::traits::Store;
use crate::work::{ClaimRequest, Lease, SettleRequest, Settled, Settlement};

/// One caller.
struct Caller {
    store: Arc<dyn Store>,
    rng: StdRng,
    claim: ClaimRequest,
    tasks: Arc<[TaskId]>,
    leases: Vec<Lease>,
    /// Every lease it was ever given.
    given: Vec<LeaseKey>,
}

/// Lets `callers` callers loose on one fresh store, each with `steps` random requests about the same tasks.
/// In the end no lease was given twice, and everything is as it must be.
///
/// # Panics
///
/// If not, with the seed. What happened before depends on the scheduler as well.
pub async fn stampede(seed: u64, bench: &Bench, callers: u128, steps: usize) {
    let world = World::new(seed);
    let mut drafts = Vec::new();
    for template in &world.templates {
        let plan = bench.plan_of(template, 0).await;
        drafts.extend((0..4).map(|_| bench.draft(plan)));
    }
    let tasks: Arc<[TaskId]> = drafts.iter().map(|draft| draft.id).collect();
    bench.try_submit(drafts).await.expect("made");
    let mut running = JoinSet::new();
    for number in 1..=callers {
        let caller = Caller {
            store: Arc::clone(&bench.store),
            rng: StdRng::seed_from_u64(seed ^ u64::try_from(number << 32).expect("few callers")),
            claim: ClaimRequest { worker: worker(number), ..bench.ask(3).await },
            tasks: Arc::clone(&tasks),
            leases: Vec::new(),
            given: Vec::new(),
        };
        running.spawn(caller.run(steps));
    }
    let given = running.join_all().await.concat();
    let distinct: HashSet<LeaseKey> = given.iter().copied().collect();
    assert_eq!(distinct.len(), given.len(), "seed {seed}: a lease was given twice");
    bench.check_everything().await;
}

impl Caller {
    async fn run(mut self, steps: usize) -> Vec<LeaseKey> {
        for _ in 0..steps {
            match self.rng.random_range(0..10) {
                0..3 => self.claim().await,
                3..8 => self.settle().await,
                8 => self.renew().await,
                _ => self.command().await,
            }
        }
        self.given
    }

    fn take(&mut self, leases: Vec<Lease>) {
        let holder: WorkerId = self.claim.worker;
        assert!(leases.iter().all(|lease| lease.worker == holder), "another's lease");
        assert!(leases.len() <= self.claim.capacity as usize, "more leases than asked for");
        self.given.extend(leases.iter().map(|lease| lease.key));
        self.leases.extend(leases);
    }

    async fn claim(&mut self) {
        self.claim.turn = self.rng.random();
        let leases = self.store.claim(self.claim.clone()).await.expect("the store takes a claim");
        self.take(leases);
    }

    async fn settle(&mut self) {
        let count = self.rng.random_range(0..=self.leases.len());
        let leases: Vec<_> = self.leases.drain(..count).collect();
        let settlements: Vec<_> = leases.into_iter().map(|lease| self.settlement(lease)).collect();
        let claim = self.rng.random_bool(0.6).then(|| self.claim.clone());
        let keys: Vec<_> = settlements.iter().map(|settlement| settlement.key).collect();
        let reply = self.store.settle(SettleRequest { settlements, claim }).await.expect("settled");
        assert_eq!(reply.settled.len(), keys.len());
        for (task, _) in &reply.verdicts {
            let mut recorded =
                keys.iter().zip(&reply.settled).filter(|(_, settled)| **settled != Settled::Stale);
            assert!(recorded.any(|(key, _)| key.step.task() == *task), "another's verdict");
        }
        self.take(reply.leases);
    }

    fn settlement(&mut self, lease: Lease) -> Settlement {
        let when = When::After(Duration::ZERO);
        match self.rng.random_range(0..10) {
            0..6 => lease.complete(json!(self.rng.random_range(0..9))),
            6..8 => lease.retry(failure(), when),
            8 => lease.fail(failure()),
            _ => lease.snooze(when),
        }
    }

    async fn renew(&mut self) {
        let keys: Vec<_> = self.leases.iter().map(|lease| lease.key).collect();
        let count = keys.len();
        let renewed =
            self.store.renew(self.claim.worker, keys, Duration::from_secs(90)).await.expect("renewed");
        assert_eq!(renewed.len(), count);
    }

    async fn command(&mut self) {
        let task = *self.tasks.choose(&mut self.rng).expect("tasks");
        let target = Target::Step(task.step(self.rng.random_range(0..4)));
        let by = "ann".to_owned();
        let command = match self.rng.random_range(0..10) {
            0 => cancellation(Target::Task(task)),
            1 => cancellation(target),
            2..5 => Command::Retry { target: Target::Task(task), attempts: Attempts::Reset, by },
            5 => Command::Resolve { target, results: None, by, reason: None },
            6 => Command::Pause { task, by, reason: None },
            7..9 => Command::Resume { task, by },
            _ => Command::UpdateStep { step: task.step(0), inputs: Some(json!(1)), retry_limit: Some(4), by },
        };
        // Refused or not: the others changed the task meanwhile.
        let _ = self.store.command(command).await.expect("the store takes a command");
    }
}
