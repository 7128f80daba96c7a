//! Writing the traces of tasks that have ended.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tasker_core::{State, TaskId};
use tasker_events::{Event, Events};
use tasker_otlp::{Report, Traces, Written};
use tasker_store::{Store, StoreError, StoredPlan, TaskHistory, Transition};
use tasker_trace::{Span, is_verdict, spans};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Ended, Tracing};
use crate::process::Process;

/// What waits at the end is given so long to be sent.
const FAREWELL: Duration = Duration::from_secs(5);
/// Beyond that nothing is waited for.
const PATIENCE: Duration = Duration::from_secs(12);
/// So many traces are read at once at most,
const BATCH: usize = 256;
/// and of tasks with not many more steps than this, so that large tasks do not fill the memory.
const STEPS: u32 = 5_000;
/// What has ended waits so long for others: many are read for hardly more than one.
const GATHERING: Duration = Duration::from_millis(250);

impl Process {
    /// Writes the traces of tasks that end, until all that is started later has stopped; then sends what waits.
    pub fn start_traces(&mut self, store: &Arc<dyn Store>, tracing: &Arc<Tracing>, events: &Events) {
        let (store, tracing, events) = (Arc::clone(store), Arc::clone(tracing), events.clone());
        self.start("traces", PATIENCE, move |stop| async move {
            let inbox = tracing.inbox.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
            if let Some(inbox) = inbox {
                let accounts = tell_accounts(&tracing, &events, &stop);
                let ((), ()) = tokio::join!(write(&tracing, &*store, inbox, &stop), accounts);
            }
            Ok(())
        });
    }
}

impl Tracing {
    /// Ends the traces of a process that was there for one task: writes the trace of the task, if it has ended and is one
    /// to be written, and sends what waits. Takes no longer than `within`, and says what became of all spans.
    pub async fn conclude(&self, store: &dyn Store, task: TaskId, within: Duration) -> Report {
        let end = Instant::now() + within;
        let _ = tokio::time::timeout_at(end, self.write(store, &[Ended::Unknown(task)])).await;
        self.traces.shutdown(end.saturating_duration_since(Instant::now())).await
    }

    /// Writes the traces of tasks that have ended, those of which it is unknown if their records say so.
    async fn write(&self, store: &dyn Store, ended: &[Ended]) {
        let ids: Vec<TaskId> = ended.iter().map(|ended| ended.task()).collect();
        let histories = match store.histories(&ids).await {
            Ok(histories) => histories,
            Err(error) => return ids.iter().for_each(|id| self.miss(*id, &error)),
        };
        let mut records = Vec::with_capacity(histories.len());
        for history in histories {
            let id = history.task.id;
            if !ended.contains(&Ended::Wanted(id)) && !self.is_wanted(&history) {
                continue;
            }
            match Record::of(history, store).await {
                Ok(record) => records.extend(record),
                Err(error) => self.miss(id, &error),
            }
        }
        let count = records.len() as u64;
        // The work is on the threads of the runtime, and goes first.
        let written = tokio::task::spawn_blocking(move || {
            records.iter().map(|record| Written::of(&record.spans())).collect::<Vec<_>>()
        });
        match written.await {
            Ok(written) => {
                for trace in written {
                    self.traces.put(trace).await;
                }
            }
            Err(error) => {
                self.missed.fetch_add(count, Ordering::Relaxed);
                tracing::debug!(%error, "traces cannot be written");
            }
        }
    }

    /// Whether the trace of a task is to be written, by its record.
    fn is_wanted(&self, history: &TaskHistory) -> bool {
        let task = &history.task;
        let submitter = task.origin.traceparent.as_ref().and_then(|text| text.parse().ok());
        let is_marked = self.marked.take(task.id);
        let is_over = task.state.is_ended() || task.state == State::Error;
        let is_written = is_marked || self.sampling.is_written(task, submitter.as_ref());
        is_over && (is_written || has_failed(&history.transitions))
    }

    fn miss(&self, task: TaskId, error: &StoreError) {
        self.missed.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(%task, %error, "the record of a task cannot be read for its trace");
    }
}

/// Whether a task was in error before: its trace was written then, and is to be written again.
fn has_failed(history: &[Transition]) -> bool {
    history.iter().any(|moved| is_verdict(moved) && moved.to == State::Error)
}

/// Writes traces until it is told to stop and nothing waits, or what waits then takes too long.
async fn write(
    tracing: &Tracing,
    store: &dyn Store,
    mut inbox: mpsc::Receiver<(Ended, u32)>,
    stop: &CancellationToken,
) {
    let mut deadline = None;
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let (first, mut steps) = tokio::select! {
            biased;
            Some(first) = inbox.recv() => first,
            () = stop.cancelled() => break,
        };
        batch.push(first);
        if inbox.len() < BATCH {
            let _ = tokio::time::timeout(GATHERING, stop.cancelled()).await;
        }
        while batch.len() < BATCH
            && steps < STEPS
            && let Ok((ended, more)) = inbox.try_recv()
        {
            batch.push(ended);
            steps = steps.saturating_add(more);
        }
        let now = Instant::now();
        if stop.is_cancelled() && now >= *deadline.get_or_insert(now + FAREWELL) {
            tracing.missed.fetch_add((batch.len() + inbox.len()) as u64, Ordering::Relaxed);
            break;
        }
        tracing.write(store, &batch).await;
        batch.clear();
    }
    tracing.traces.shutdown(FAREWELL).await;
}

/// Writes the trace of a task, from its record; says how many spans it has. The same record gives the same spans.
///
/// # Errors
///
/// If the record cannot be read.
///
/// # Cancel safety
///
/// A part of the trace may have been taken when the future is dropped.
pub async fn write_trace(store: &dyn Store, task: TaskId, traces: &Traces) -> Result<usize, StoreError> {
    let Some(record) = Record::read(store, task).await? else { return Ok(0) };
    let spans = Written::of(&record.spans());
    let count = spans.len();
    traces.put(spans).await;
    Ok(count)
}

/// The trace of a task, as its record tells it now; empty if there is no such task. Parents come before their parts.
///
/// # Errors
///
/// If the record cannot be read.
pub async fn read_trace(store: &dyn Store, task: TaskId) -> Result<Vec<Span<'static>>, StoreError> {
    let Some(record) = Record::read(store, task).await? else { return Ok(Vec::new()) };
    Ok(record.spans().into_iter().map(Span::into_owned).collect())
}

/// All that a trace is made of.
struct Record {
    history: TaskHistory,
    plan: Arc<StoredPlan>,
}

impl Record {
    async fn read(store: &dyn Store, task: TaskId) -> Result<Option<Self>, StoreError> {
        match store.histories(&[task]).await?.pop() {
            Some(history) => Self::of(history, store).await,
            None => Ok(None),
        }
    }

    async fn of(history: TaskHistory, store: &dyn Store) -> Result<Option<Self>, StoreError> {
        let plan = store.read_plan(history.task.plan).await?;
        Ok(plan.map(|plan| Self { history, plan }))
    }

    fn spans(&self) -> Vec<Span<'_>> {
        let TaskHistory { task, transitions } = &self.history;
        spans(task, &self.plan.template, transitions)
    }
}

/// Tells what became of spans, whenever that is known.
async fn tell_accounts(tracing: &Tracing, events: &Events, stop: &CancellationToken) {
    let mut accounts = tracing.traces.accounts();
    let mut told = Report::default();
    while !stop.is_cancelled() {
        tokio::select! {
            changed = accounts.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            () = stop.cancelled() => {}
        }
        let report = tracing.report();
        tell(events, told, report);
        told = report;
    }
}

fn tell(events: &Events, before: Report, now: Report) {
    let exported = now.exported - before.exported;
    if exported > 0 {
        events.emit(&Event::TracesExported { span_count: exported });
    }
    for (span_count, reason) in [
        (now.dropped - before.dropped, "too many waited"),
        (now.failed - before.failed, "the collector did not take them"),
    ] {
        if span_count > 0 {
            events.emit(&Event::TracesDropped { span_count, reason });
        }
    }
}
