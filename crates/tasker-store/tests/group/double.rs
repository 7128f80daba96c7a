//! A writer that shows what it is given, waits until it is let, and answers each request with what only
//! that request can be answered.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tasker_core::{LeaseKey, State, TaskId, Timestamp, WorkerId};
use tasker_store::{
    Batch, BatchReply, BatchWriter, ClaimRequest, Command, Done, Guard, Lease, NewTask, PlanId, Renewal,
    Renewed, Settled, Settlement, StoreError, Submitted, Verdict,
};
use tokio::sync::{Mutex, Semaphore, mpsc};
use tokio::time::timeout;
use uuid::Uuid;

/// What makes a request bad: the writer refuses any batch with it.
pub(crate) const BAD: &str = "bad";
/// What makes a batch fail in passing.
pub(crate) const UNAVAILABLE: &str = "unavailable";

pub(crate) struct Double {
    pub(crate) gate: Semaphore,
    pub(crate) width: usize,
    shown: mpsc::UnboundedSender<String>,
    seen: Mutex<mpsc::UnboundedReceiver<String>>,
}

impl Double {
    /// A writer with so many commits let through from the start.
    pub(crate) fn new(permits: usize, width: usize) -> Arc<Self> {
        let (shown, seen) = mpsc::unbounded_channel();
        Arc::new(Self { gate: Semaphore::new(permits), width, shown, seen: Mutex::new(seen) })
    }

    /// Waits for the next commit to begin; gives the reasons of the commands and the attempts of the
    /// settlements in it.
    pub(crate) async fn next(&self) -> String {
        let mut seen = self.seen.lock().await;
        let next = timeout(Duration::from_secs(30), seen.recv()).await;
        next.expect("a commit begins in time").expect("the writer is there")
    }

    /// Lets so many commits through.
    pub(crate) fn let_through(&self, commits: usize) {
        self.gate.add_permits(commits);
    }
}

#[async_trait]
impl BatchWriter for Double {
    async fn commit(&self, batch: &Batch) -> Result<BatchReply, StoreError> {
        let _ = self.shown.send(summary(batch));
        self.gate.acquire().await.expect("the gate is never closed").forget();
        let words: Vec<&str> = batch.commands.iter().map(word).collect();
        assert!(!words.contains(&"panic"), "as asked");
        let source = || Arc::new(std::fmt::Error) as _;
        if words.contains(&UNAVAILABLE) {
            return Err(StoreError::Unavailable(source()));
        }
        if words.contains(&BAD) {
            return Err(StoreError::Refused { action: "the request", source: source() });
        }
        Ok(echo(batch))
    }

    fn width(&self) -> usize {
        self.width
    }
}

fn summary(batch: &Batch) -> String {
    let words = batch.commands.iter().map(|command| word(command).to_owned());
    let attempts = batch.settlements.iter().map(|settlement| format!("settle#{}", settlement.key.attempt));
    words.chain(attempts).collect::<Vec<_>>().join(" ")
}

fn word(command: &Command) -> &str {
    match command {
        Command::UpdateTask { by, .. } => by,
        _ => "",
    }
}

/// The answer that can be told from each request alone.
pub(crate) fn echo(batch: &Batch) -> BatchReply {
    let submissions = batch.submissions.iter();
    let renewals = batch.renewals.iter();
    let claims = batch.claims.iter();
    BatchReply {
        submissions: submissions
            .map(|tasks| Ok(tasks.iter().map(|task| Submitted::Created(task.id)).collect()))
            .collect(),
        commands: batch.commands.iter().map(|command| Ok(done(command))).collect(),
        settled: batch.settlements.iter().map(settled).collect(),
        verdicts: Vec::new(),
        started: Vec::new(),
        renewed: renewals.map(|renewal| renewal.keys.iter().map(renewed).collect()).collect(),
        leases: claims
            .map(|claim| (1..=claim.capacity).map(|attempt| lease(claim.worker, attempt)).collect())
            .collect(),
        left_ready: 0,
    }
}

fn done(command: &Command) -> Done {
    let steps = word(command).bytes().fold(7u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    Done { steps, task_state: None }
}

fn settled(settlement: &Settlement) -> Settled {
    let ready_at = Some(Timestamp::from_micros(i64::from(settlement.key.attempt)));
    Settled::Recorded { state: State::Error, ready_at }
}

fn renewed(key: &LeaseKey) -> Renewed {
    Renewed::Until(Timestamp::from_micros(i64::from(key.attempt)))
}

fn lease(worker: WorkerId, attempt: u32) -> Lease {
    let time = Timestamp::from_micros(0);
    let key = LeaseKey { step: task(1).step(0), attempt };
    Lease {
        key,
        plan: PlanId(1),
        worker,
        claimed_at: time,
        until: time,
        retry_limit: 1,
        ready_at: time,
        starts_task: false,
    }
}

pub(crate) fn task(number: u128) -> TaskId {
    TaskId::new(Timestamp::from_micros(0), number << 20)
}

/// A command that can be told by its word.
pub(crate) fn command(word: &str) -> Command {
    Command::UpdateTask { task: task(1), reason: None, tags: None, by: word.to_owned() }
}

pub(crate) fn commands(words: &[&str]) -> Batch {
    Batch { commands: words.iter().map(|word| command(word)).collect(), ..Batch::default() }
}

/// A settlement of an attempt of one step, by a worker.
pub(crate) fn settlement(attempt: u32, worker: u128) -> Settlement {
    let guard = Guard::Held { worker: WorkerId::from(Uuid::from_u128(worker)) };
    let key = LeaseKey { step: task(1).step(0), attempt };
    Settlement { key, guard, verdict: Verdict::Complete { results: serde_json::Value::Null } }
}

pub(crate) fn settlements(attempts: &[u32]) -> Batch {
    Batch {
        settlements: attempts.iter().map(|attempt| settlement(*attempt, 1)).collect(),
        ..Batch::default()
    }
}

/// A claim of a worker.
pub(crate) fn claim(worker: u128, capacity: u32) -> ClaimRequest {
    ClaimRequest {
        worker: WorkerId::from(Uuid::from_u128(worker)),
        queues: [].into(),
        handlers: [].into(),
        capacity,
        lease: Duration::ZERO,
        turn: 0,
        task: None,
    }
}

pub(crate) fn renewal(attempts: &[u32]) -> Renewal {
    let keys = attempts.iter().map(|attempt| LeaseKey { step: task(1).step(0), attempt: *attempt }).collect();
    Renewal { worker: WorkerId::from(Uuid::from_u128(1)), keys, lease: Duration::ZERO }
}

pub(crate) fn draft(number: u128) -> NewTask {
    NewTask {
        id: task(number),
        plan: PlanId(1),
        context: serde_json::Value::Null,
        initiator: String::new(),
        source_system: String::new(),
        reason: String::new(),
        tags: Vec::new(),
        bypass_steps: Vec::new(),
        requested_at: Timestamp::from_micros(0),
        origin: tasker_store::Origin::default(),
        identity: None,
    }
}
