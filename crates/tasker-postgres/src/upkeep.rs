//! What the agents need.

use async_trait::async_trait;
use tasker_core::{HandlerName, LeaseKey, QueueName, Timestamp, WorkerId};
use tasker_store::{
    Deadlines, Expired, Inconsistency, PlanId, PruneReport, Retention, StoreError, UpkeepStore, WorkerRecord,
};
use uuid::Uuid;

use crate::error::unstorable;
use crate::literal::List;
use crate::row::Reader;
use crate::statement::{
    Script, TASK_PRUNE, WORK_DEADLINES, WORK_EXPIRED, WORKER_BEAT, WORKER_LEAVE, WORKER_LIST,
};
use crate::store::PostgresStore;
use crate::write::micros;

#[async_trait]
impl UpkeepStore for PostgresStore {
    async fn expired(&self, limit: u32) -> Result<Vec<Expired>, StoreError> {
        let rows =
            self.database.read("looking for expired leases", WORK_EXPIRED, &[&self.now(), &limit]).await?;
        Ok(rows.iter().map(|row| expired(row.of("steps"))).collect::<Result<_, _>>()?)
    }

    async fn deadlines(&self) -> Result<Deadlines, StoreError> {
        let rows = self.database.read("reading deadlines", WORK_DEADLINES, &[&self.now()]).await?;
        let row = rows.first().expect("invariant: there is always a present").of("steps");
        Ok(Deadlines {
            now: row.time("now")?,
            next_ready_at: row.maybe_time("next_ready_at")?,
            next_expiry: row.maybe_time("next_expiry")?,
        })
    }

    async fn prune(&self, retention: Retention, limit: u32) -> Result<PruneReport, StoreError> {
        let action = "removing old tasks";
        let (ended, failed) = (micros(retention.ended), micros(retention.failed));
        let script = Script::of(TASK_PRUNE, &[&self.now(), &ended, &failed, &limit]);
        let script = script.map_err(|error| unstorable(action, error))?;
        let results = self.database.commit(action, script).await?;
        let row = results.iter().flatten().next().expect("invariant: pruning has an answer").of("tasks");
        Ok(PruneReport { tasks: row.get("tasks")?, more: row.flag("more")? })
    }

    async fn beat(&self, worker: WorkerRecord) -> Result<(), StoreError> {
        let queues: Vec<_> = worker.queues.iter().map(QueueName::as_str).collect();
        let handlers: Vec<_> = worker.handlers.iter().map(HandlerName::as_str).collect();
        let action = "registering a worker";
        let script = Script::of(
            WORKER_BEAT,
            &[
                &self.now(),
                &worker.id.as_uuid(),
                &worker.name,
                &List(&queues),
                &List(&handlers),
                &worker.concurrency,
                &worker.started_at.as_micros(),
                &worker.draining,
                &micros(WorkerRecord::FORGOTTEN_AFTER),
                &WorkerRecord::FORGOTTEN_AT_ONCE,
            ],
        );
        let script = script.map_err(|error| unstorable(action, error))?;
        self.database.repeat(action, script).await.map(drop)
    }

    async fn leave(&self, worker: WorkerId) -> Result<(), StoreError> {
        self.database.read("removing a worker", WORKER_LEAVE, &[&worker.as_uuid()]).await.map(drop)
    }

    async fn workers(&self, since: Timestamp) -> Result<Vec<WorkerRecord>, StoreError> {
        let rows = self.database.read("listing workers", WORKER_LIST, &[&since.as_micros()]).await?;
        Ok(rows.iter().map(|row| worker(row.of("workers"))).collect::<Result<_, _>>()?)
    }
}

fn expired(row: Reader<'_>) -> Result<Expired, Inconsistency> {
    let step = row.task("task_id")?.step(row.get("ordinal")?);
    Ok(Expired {
        key: LeaseKey { step, attempt: row.get("attempts")? },
        plan: PlanId(row.get("plan_id")?),
        worker: WorkerId::from(row.get::<Uuid>("worker_id")?),
        until: row.time("until")?,
    })
}

fn worker(row: Reader<'_>) -> Result<WorkerRecord, Inconsistency> {
    Ok(WorkerRecord {
        id: WorkerId::from(row.get::<Uuid>("id")?),
        name: row.text("name")?.to_owned(),
        queues: row.list("queues")?,
        handlers: row.list("handlers")?,
        concurrency: row.get("concurrency")?,
        started_at: row.time("started_at")?,
        seen_at: row.time("seen_at")?,
        draining: row.flag("draining")?,
    })
}
