//! What the agents need.

use async_trait::async_trait;
use tasker_core::{LeaseKey, Timestamp, WorkerId};
use tasker_store::{
    Deadlines, Expired, Inconsistency, PlanId, PruneReport, Retention, StoreError, UpkeepStore, WorkerRecord,
};

use crate::failure::Failure;
use crate::record::Record;
use crate::session::Session;
use crate::sql::{self, arguments};
use crate::store::SqliteStore;
use crate::writer::Transaction;

#[async_trait]
impl UpkeepStore for SqliteStore {
    async fn expired(&self, limit: u32) -> Result<Vec<Expired>, StoreError> {
        self.find_expired(limit).await.map_err(|failure| failure.into_error("to look for expired leases"))
    }

    async fn deadlines(&self) -> Result<Deadlines, StoreError> {
        self.find_deadlines().await.map_err(|failure| failure.into_error("to look for deadlines"))
    }

    async fn prune(&self, retention: Retention, limit: u32) -> Result<PruneReport, StoreError> {
        let report = self.writer.carry_out(&Prune { retention, limit }).await?;
        if report.tasks > 0 {
            self.writer.give_space_back().await?;
        }
        Ok(report)
    }

    async fn beat(&self, worker: WorkerRecord) -> Result<(), StoreError> {
        self.writer.carry_out(&Beat(worker)).await
    }

    async fn leave(&self, worker: WorkerId) -> Result<(), StoreError> {
        self.writer.carry_out(&Leave(worker)).await
    }

    async fn workers(&self, since: Timestamp) -> Result<Vec<WorkerRecord>, StoreError> {
        self.list_workers(since).await.map_err(|failure| failure.into_error("to list workers"))
    }
}

impl SqliteStore {
    async fn find_expired(&self, limit: u32) -> Result<Vec<Expired>, Failure> {
        let rows = self.read(sql::FIND_EXPIRED, arguments![self.now().as_micros(), limit]).await?;
        let expired = rows.iter().map(|row| expired(Record::new(row, "steps")));
        Ok(expired.collect::<Result<_, _>>()?)
    }

    async fn find_deadlines(&self) -> Result<Deadlines, Failure> {
        let now = self.now();
        let rows = self.read(sql::FIND_DEADLINES, arguments![now.as_micros()]).await?;
        let Some(row) = rows.first() else {
            return Ok(Deadlines { now, next_ready_at: None, next_expiry: None });
        };
        let row = Record::new(row, "steps");
        let next_ready_at = row.time_if_any("next_ready_at")?;
        Ok(Deadlines { now, next_ready_at, next_expiry: row.time_if_any("next_expiry")? })
    }

    async fn list_workers(&self, since: Timestamp) -> Result<Vec<WorkerRecord>, Failure> {
        let rows = self.read(sql::LIST_WORKERS, arguments![since.as_micros()]).await?;
        let workers = rows.iter().map(|row| worker(Record::new(row, "workers")));
        Ok(workers.collect::<Result<_, _>>()?)
    }
}

/// Removes old tasks.
struct Prune {
    retention: Retention,
    limit: u32,
}

impl Transaction for Prune {
    type Answer = PruneReport;

    const ACTION: &'static str = "to prune tasks";

    async fn attempt(&self, session: &mut Session, now: Timestamp) -> Result<PruneReport, Failure> {
        session.begin().await?;
        let (ended, failed) = (now.minus(self.retention.ended), now.minus(self.retention.failed));
        let old = arguments![ended.as_micros(), failed.as_micros(), self.limit];
        let mut report = PruneReport::default();
        for row in &session.run(sql::PRUNE_TASKS, old).await? {
            let row = Record::new(row, "tasks");
            report = PruneReport { tasks: u64::from(row.count("pruned")?), more: row.flag("more")? };
        }
        session.commit().await?;
        Ok(report)
    }
}

/// Says that a worker is there.
struct Beat(WorkerRecord);

impl Transaction for Beat {
    type Answer = ();

    const ACTION: &'static str = "to register a worker";

    async fn attempt(&self, session: &mut Session, now: Timestamp) -> Result<(), Failure> {
        let Self(worker) = self;
        session.begin().await?;
        let arguments = arguments![
            bytes(worker.id),
            worker.name.as_str(),
            as_json(&worker.queues),
            as_json(&worker.handlers),
            worker.concurrency,
            worker.started_at.as_micros(),
            now.as_micros(),
            worker.draining,
            now.minus(WorkerRecord::FORGOTTEN_AFTER).as_micros(),
            WorkerRecord::FORGOTTEN_AT_ONCE,
        ];
        session.run(sql::BEAT, arguments).await?;
        session.commit().await?;
        Ok(())
    }
}

/// Says that a worker is gone.
struct Leave(WorkerId);

impl Transaction for Leave {
    type Answer = ();

    const ACTION: &'static str = "to take a worker off the list";

    async fn attempt(&self, session: &mut Session, _now: Timestamp) -> Result<(), Failure> {
        session.begin().await?;
        session.run(sql::LEAVE, arguments![bytes(self.0)]).await?;
        session.commit().await?;
        Ok(())
    }
}

fn expired(row: Record<'_>) -> Result<Expired, Inconsistency> {
    let step = row.task_id("task_id")?.step(row.count("ordinal")?);
    Ok(Expired {
        key: LeaseKey { step, attempt: row.count("attempts")? },
        plan: PlanId(row.get("plan_id")?),
        worker: row.worker_id("worker_id")?,
        until: row.time("lease_until")?,
    })
}

fn worker(row: Record<'_>) -> Result<WorkerRecord, Inconsistency> {
    Ok(WorkerRecord {
        id: row.worker_id("id")?,
        name: row.get("name")?,
        queues: row.json("queues")?,
        handlers: row.json("handlers")?,
        concurrency: row.count("concurrency")?,
        started_at: row.time("started_at")?,
        seen_at: row.time("seen_at")?,
        draining: row.flag("draining")?,
    })
}

fn bytes(id: WorkerId) -> Vec<u8> {
    id.as_uuid().as_bytes().to_vec()
}

fn as_json<T: serde::Serialize>(names: &[T]) -> String {
    serde_json::to_string(names).expect("invariant: names are texts")
}
