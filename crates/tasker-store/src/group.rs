//! Group commit: callers wait for the commit that carries their request, never for a tick.
//!
//! While a commit is in flight, further requests gather; the next commit takes them all. An idle store
//! commits at once, a loaded one amortises.

mod merged;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tasker_core::{LeaseKey, WorkerId};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::Instant;

use crate::batch::{Batch, BatchReply, BatchWriter, Renewal};
use crate::command::{Command, CommandError, Done};
use crate::commits::{CommitReport, Tally};
use crate::error::StoreError;
use crate::submit::{NewTask, SubmitError, Submitted};
use crate::traits::{TaskStore, WorkStore};
use crate::wake::Wake;
use crate::work::{ClaimRequest, Lease, Renewed, SettleReply, SettleRequest, Settled};
use merged::Merged;

/// A commit takes no further request once it is about so many rows.
const FULL: usize = 1_000;

/// Gathers the requests of all callers into batches and has them written.
///
/// The tasks that write end when the last handle is dropped and what was asked is answered.
#[derive(Debug, Clone)]
pub struct Committer {
    queue: mpsc::UnboundedSender<Waiting>,
    tally: Arc<Tally>,
}

/// One caller's request, as a batch of its own, and where the answer goes.
struct Waiting {
    batch: Batch,
    reply: oneshot::Sender<Result<BatchReply, StoreError>>,
}

impl Waiting {
    fn answer(self, reply: Result<BatchReply, StoreError>) {
        // A caller that has gone away does not need the answer.
        let _ = self.reply.send(reply);
    }
}

impl Committer {
    /// Begins to write what is asked, with as many commits in flight as the writer allows.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    #[expect(clippy::needless_pass_by_value, reason = "the tasks it starts share what it is given")]
    pub fn start(writer: Arc<dyn BatchWriter>, wake: Wake) -> Self {
        let (queue, requests) = mpsc::unbounded_channel();
        let requests = Arc::new(Mutex::new(requests));
        let tally = Arc::new(Tally::default());
        for _ in 0..writer.width() {
            let pen = Pen { writer: Arc::clone(&writer), wake: wake.clone(), tally: Arc::clone(&tally) };
            tokio::spawn(write_batches(pen, Arc::clone(&requests)));
        }
        Self { queue, tally }
    }

    /// Has a batch committed, together with what others ask at the time.
    ///
    /// # Errors
    ///
    /// What the writer answered, or [`StoreError::Closed`].
    pub async fn commit(&self, batch: Batch) -> Result<BatchReply, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.queue.send(Waiting { batch, reply }).map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// How many commits there have been.
    pub fn commits(&self) -> u64 {
        self.report().commits
    }

    /// What has been committed: how often, how much and how fast.
    pub fn report(&self) -> CommitReport {
        self.tally.report()
    }
}

/// What a batch is written with.
struct Pen {
    writer: Arc<dyn BatchWriter>,
    wake: Wake,
    tally: Arc<Tally>,
}

impl Pen {
    async fn commit(&self, batch: &Batch) -> Result<BatchReply, StoreError> {
        let begun = Instant::now();
        let reply = self.writer.commit(batch).await?;
        self.tally.count(batch.weight(), begun.elapsed());
        signal(batch, &reply, &self.wake);
        Ok(reply)
    }
}

async fn write_batches(pen: Pen, requests: Arc<Mutex<mpsc::UnboundedReceiver<Waiting>>>) {
    let mut put_off = Vec::new();
    while let Some(gathering) = gather(&requests, put_off).await {
        write(&pen, gathering.taken).await;
        put_off = gathering.put_off;
    }
}

/// The requests of one commit.
#[derive(Default)]
struct Gathering {
    taken: Vec<Waiting>,
    weight: usize,
    keys: HashSet<LeaseKey>,
    /// Requests that settle an attempt which another request of this commit settles: only the store can
    /// say which of them has the right to, so they go into the next commit.
    put_off: Vec<Waiting>,
}

impl Gathering {
    fn add(&mut self, waiting: Waiting) {
        let mut settlements = waiting.batch.settlements.iter();
        if settlements.any(|settlement| self.keys.contains(&settlement.key)) {
            self.put_off.push(waiting);
            return;
        }
        self.keys.extend(waiting.batch.settlements.iter().map(|settlement| settlement.key));
        self.weight += waiting.batch.weight();
        self.taken.push(waiting);
    }
}

/// Takes what was put off, or waits for a request; and takes with it what else is waiting.
async fn gather(
    requests: &Mutex<mpsc::UnboundedReceiver<Waiting>>,
    put_off: Vec<Waiting>,
) -> Option<Gathering> {
    let mut gathering = Gathering::default();
    for waiting in put_off {
        gathering.add(waiting);
    }
    let mut requests = if gathering.taken.is_empty() {
        let mut requests = requests.lock().await;
        gathering.add(requests.recv().await?);
        requests
    } else {
        // Another writer may hold the queue until the next request comes; what is here need not wait for it.
        let Ok(requests) = requests.try_lock() else { return Some(gathering) };
        requests
    };
    while gathering.weight < FULL {
        let Ok(next) = requests.try_recv() else { break };
        gathering.add(next);
    }
    Some(gathering)
}

async fn write(pen: &Pen, mut gathered: Vec<Waiting>) {
    let merged = Merged::of(gathered.iter_mut().map(|waiting| std::mem::take(&mut waiting.batch)));
    match pen.commit(&merged.batch).await {
        Ok(reply) => {
            for (waiting, reply) in gathered.into_iter().zip(merged.split(reply)) {
                waiting.answer(Ok(reply));
            }
        }
        Err(error) if gathered.len() == 1 || error.is_transient() => {
            for waiting in gathered {
                waiting.answer(Err(error.clone()));
            }
        }
        // One of the requests is bad: each is tried by itself, so that only the bad one fails.
        Err(_) => {
            for (waiting, part) in gathered.into_iter().zip(merged.apart()) {
                let reply = pen.commit(&part.batch).await;
                waiting.answer(reply.map(|reply| part.split(reply).pop().unwrap_or_default()));
            }
        }
    }
}

fn signal(batch: &Batch, reply: &BatchReply, wake: &Wake) {
    if reply.left_ready > 0 {
        wake.steps_are_ready();
    }
    for settled in &reply.settled {
        if let Settled::Recorded { ready_at: Some(time), .. } = settled {
            wake.due_at(*time);
        }
    }
    let mut carried_out = batch.commands.iter().zip(&reply.commands).filter(|(_, answer)| answer.is_ok());
    if carried_out.any(|(command, _)| command.takes_leases()) {
        wake.leases_are_revoked();
    }
    if !reply.verdicts.is_empty() || !batch.commands.is_empty() {
        wake.tasks_are_judged();
    }
    let claimed = reply.leases.iter().any(|leases| !leases.is_empty());
    let recorded = reply.settled.iter().any(|settled| *settled != Settled::Stale);
    if claimed || recorded || !batch.submissions.is_empty() || !batch.commands.is_empty() {
        wake.feed_has_grown();
    }
}

/// A store whose writes go through a [`Committer`]; it gets [`WorkStore`] and [`TaskStore`] for nothing.
pub trait Gathered: Send + Sync {
    /// The committer.
    fn committer(&self) -> &Committer;
}

#[async_trait]
impl<T: Gathered> WorkStore for T {
    fn commit_report(&self) -> CommitReport {
        self.committer().report()
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Lease>, StoreError> {
        let batch = Batch { claims: vec![request], ..Batch::default() };
        let reply = self.committer().commit(batch).await?;
        Ok(reply.leases.into_iter().flatten().collect())
    }

    async fn renew(
        &self,
        worker: WorkerId,
        keys: Vec<LeaseKey>,
        lease: Duration,
    ) -> Result<Vec<Renewed>, StoreError> {
        let batch = Batch { renewals: vec![Renewal { worker, keys, lease }], ..Batch::default() };
        let reply = self.committer().commit(batch).await?;
        Ok(reply.renewed.into_iter().flatten().collect())
    }

    async fn settle(&self, request: SettleRequest) -> Result<SettleReply, StoreError> {
        let batch = Batch {
            settlements: request.settlements,
            claims: request.claim.into_iter().collect(),
            ..Batch::default()
        };
        let reply = self.committer().commit(batch).await?;
        Ok(SettleReply {
            settled: reply.settled,
            verdicts: reply.verdicts,
            started: reply.started,
            leases: reply.leases.into_iter().flatten().collect(),
        })
    }
}

#[async_trait]
impl<T: Gathered> TaskStore for T {
    async fn submit(&self, tasks: Vec<NewTask>) -> Result<Result<Vec<Submitted>, SubmitError>, StoreError> {
        let batch = Batch { submissions: vec![tasks], ..Batch::default() };
        let reply = self.committer().commit(batch).await?;
        Ok(reply.submissions.into_iter().next().expect("invariant: one answer for one submission"))
    }

    async fn command(&self, command: Command) -> Result<Result<Done, CommandError>, StoreError> {
        let batch = Batch { commands: vec![command], ..Batch::default() };
        let reply = self.committer().commit(batch).await?;
        Ok(reply.commands.into_iter().next().expect("invariant: one answer for one command"))
    }
}
