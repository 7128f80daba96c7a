//! Replies are never mixed up between callers.

use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tasker_core::{LeaseKey, State};
use tasker_store::{Batch, BatchReply, Committer, Settled, StoreError, Submitted, Wake};
use tokio::task::JoinSet;

use crate::double::{BAD, Double, UNAVAILABLE, claim, command, draft, echo, renewal, settlement, task};

/// A random request that no other caller makes.
fn request(rng: &mut StdRng, caller: u32, round: u32) -> Batch {
    let number = u128::from(caller) << 32 | u128::from(round) << 8;
    let attempt = caller * 1_000 + round * 10;
    let mut batch = Batch::default();
    for index in 0..rng.random_range(0..3u8) {
        let tasks = 0..rng.random_range(0..3u8);
        batch.submissions.push(tasks.map(|task| draft(number | u128::from(index * 16 + task))).collect());
    }
    for index in 0..rng.random_range(0..3) {
        let word = match rng.random_range(0..40) {
            0 => BAD.to_owned(),
            1 => UNAVAILABLE.to_owned(),
            _ => format!("{number}-{index}"),
        };
        batch.commands.push(command(&word));
    }
    for _ in 0..rng.random_range(0..4) {
        batch.settlements.push(settlement(attempt + rng.random_range(0..4), number));
    }
    for _ in 0..rng.random_range(0..2) {
        let keys: Vec<u32> = (0..rng.random_range(0..3)).map(|index| attempt + index).collect();
        batch.renewals.push(renewal(&keys));
    }
    for index in 0..rng.random_range(0..3) {
        batch.claims.push(claim(number | index, rng.random_range(0..4)));
    }
    batch
}

/// The answers to a request: those of the writer, but of an attempt settled twice the second is stale.
fn expected(batch: &Batch) -> String {
    let mut reply = echo(batch);
    for (place, settled) in reply.settled.iter_mut().enumerate() {
        let (before, from) = batch.settlements.split_at(place);
        if before.iter().any(|earlier| earlier.key == from[0].key) {
            *settled = Settled::Stale;
        }
    }
    text(&reply)
}

fn text(reply: &BatchReply) -> String {
    format!("{reply:?}")
}

async fn call(committer: Committer, mut rng: StdRng, caller: u32) {
    for round in 0..40 {
        let batch = request(&mut rng, caller, round);
        let expected = expected(&batch);
        let words = format!("{:?}", batch.commands);
        match committer.commit(batch).await {
            Ok(reply) => assert_eq!(text(&reply), expected),
            Err(StoreError::Refused { .. }) => assert!(words.contains(BAD), "another's request was bad"),
            Err(StoreError::Unavailable(_)) => {}
            Err(error) => panic!("{error}"),
        }
        if rng.random_bool(0.3) {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_caller_gets_the_answers_to_its_own_requests() {
    for seed in 0..40 {
        let width = 1 + usize::try_from(seed % 3).expect("small");
        let double = Double::new(usize::MAX >> 4, width);
        let committer = Committer::start(Arc::clone(&double) as _, Wake::default());
        let mut callers = JoinSet::new();
        for caller in 0..12 {
            let rng = StdRng::seed_from_u64(seed << 8 | u64::from(caller));
            callers.spawn(call(committer.clone(), rng, caller));
        }
        while let Some(ended) = callers.join_next().await {
            assert!(ended.is_ok(), "seed {seed}: {ended:?}");
        }
    }
}

/// A writer that knows one attempt, held by worker 7, and gives a verdict on its task when it ends.
struct Holder(std::sync::Mutex<bool>);

#[async_trait::async_trait]
impl tasker_store::BatchWriter for Holder {
    async fn commit(&self, batch: &Batch) -> Result<BatchReply, StoreError> {
        let mut is_open = self.0.lock().expect("no panic");
        let mut reply = BatchReply::default();
        let rightful = settlement(1, 7);
        for one in &batch.settlements {
            let counts = *is_open && one.key == rightful.key && one.guard == rightful.guard;
            reply.settled.push(if counts {
                *is_open = false;
                reply.verdicts.push((task(1), State::Complete));
                Settled::Recorded { state: State::Complete, ready_at: None }
            } else {
                Settled::Stale
            });
        }
        Ok(reply)
    }
}

/// Whoever comes first: the one who has the right is heard, and told the verdict.
#[tokio::test]
async fn the_verdict_goes_to_the_caller_whose_settlement_counted() {
    for rightful in 0..6 {
        let holder = Arc::new(Holder(std::sync::Mutex::new(true)));
        let committer = Committer::start(holder, Wake::default());
        let callers = (0..6).map(|caller| {
            let worker = if caller == rightful { 7 } else { caller };
            let settlements =
                vec![settlement(2 + u32::try_from(caller).expect("small"), worker), settlement(1, worker)];
            committer.commit(Batch { settlements, ..Batch::default() })
        });
        let replies = futures::future::join_all(callers).await;
        for (caller, reply) in (0..).zip(replies) {
            let reply = reply.expect("committed");
            let is_rightful = caller == rightful;
            assert_eq!(
                reply.settled[1] != Settled::Stale,
                is_rightful,
                "caller {caller} of rightful {rightful}"
            );
            assert_eq!(reply.verdicts, if is_rightful { vec![(task(1), State::Complete)] } else { vec![] });
        }
    }
}

/// A settlement that did not count earns no verdict, although it is of the same task.
#[tokio::test]
async fn a_stale_settlement_of_the_same_task_gets_no_verdict() {
    let holder = Arc::new(Holder(std::sync::Mutex::new(true)));
    let committer = Committer::start(holder, Wake::default());
    let callers = [settlement(2, 7), settlement(1, 7), settlement(3, 7)]
        .map(|one| committer.commit(Batch { settlements: vec![one], ..Batch::default() }));
    let replies = futures::future::join_all(callers).await;
    let told: Vec<_> = replies.into_iter().map(|reply| reply.expect("committed").verdicts.len()).collect();
    assert_eq!((told, committer.commits()), (vec![0, 1, 0], 1));
}

/// The types that a reply is made of, so that a field that is added is not forgotten here.
#[test]
fn the_echo_answers_every_field() {
    let mut batch = Batch::default();
    batch.submissions.push(vec![draft(3)]);
    batch.commands.push(command("a"));
    batch.settlements.push(settlement(4, 1));
    batch.renewals.push(renewal(&[5, 6]));
    batch.claims.push(claim(1, 2));
    let BatchReply { submissions, commands, settled, verdicts, started, renewed, leases, left_ready } =
        echo(&batch);
    assert_eq!(submissions, [Ok(vec![Submitted::Created(task(3))])]);
    assert_eq!((commands.len(), settled.len(), verdicts.len(), left_ready), (1, 1, 0, 0));
    assert_eq!(started, []);
    assert_eq!((renewed[0].len(), leases[0].len()), (2, 2));
    assert_eq!(leases[0][1].key, LeaseKey { step: task(1).step(0), attempt: 2 });
}
