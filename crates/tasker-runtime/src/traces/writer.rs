//! Writing the traces of tasks that have ended.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tasker_core::{State, TaskId};
use tasker_events::{Event, Events};
use tasker_otlp::{Report, Traces};
use tasker_store::{Store, StoreError};
use tasker_trace::{Origin, Span, is_verdict, spans};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Ended, Tracing};
use crate::process::Process;

/// What waits at the end is given so long to be sent.
const FAREWELL: Duration = Duration::from_secs(5);
/// Beyond that nothing is waited for.
const PATIENCE: Duration = Duration::from_secs(12);
/// After a trace the writer rests for so many times as long as it took: where more tasks end than that leaves time for,
/// it is the traces that are given up, and not the work that slows down.
const PAUSE: u32 = 31;
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

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
        let has_written = tokio::time::timeout_at(end, self.judge(store, task)).await.unwrap_or(Ok(()));
        if let Err(error) = has_written {
            self.miss(task, &error);
        }
        self.traces.shutdown(end.saturating_duration_since(Instant::now())).await
    }

    /// Writes the trace of a task if its record says that it is one to be written.
    async fn judge(&self, store: &dyn Store, task: TaskId) -> Result<(), StoreError> {
        let Some(record) = store.task(task).await? else { return Ok(()) };
        let submitter = record.origin.traceparent.as_ref().and_then(|text| text.parse().ok());
        let is_marked = self.marked.take(task);
        let is_over = record.state.is_ended() || record.state == State::Error;
        let is_wanted = is_marked || self.sampling.is_written(&record, submitter.as_ref());
        if is_over && (is_wanted || has_failed(store, task).await?) {
            write_trace(store, task, &self.traces).await?;
        }
        Ok(())
    }

    fn miss(&self, task: TaskId, error: &StoreError) {
        self.missed.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(%task, %error, "the record of a task cannot be read for its trace");
    }
}

/// Whether a task was in error before: its trace was written then, and is to be written again.
async fn has_failed(store: &dyn Store, task: TaskId) -> Result<bool, StoreError> {
    let history = store.history(task).await?;
    Ok(history.iter().any(|moved| is_verdict(moved) && moved.to == State::Error))
}

/// Writes traces until it is told to stop and nothing waits, or what waits then takes too long.
async fn write(
    tracing: &Tracing,
    store: &dyn Store,
    mut inbox: mpsc::Receiver<Ended>,
    stop: &CancellationToken,
) {
    let mut deadline = None;
    loop {
        let ended = tokio::select! {
            biased;
            Some(ended) = inbox.recv() => ended,
            () = stop.cancelled() => break,
        };
        let begun = Instant::now();
        if stop.is_cancelled() && begun >= *deadline.get_or_insert(begun + FAREWELL) {
            tracing.missed.fetch_add(1 + inbox.len() as u64, Ordering::Relaxed);
            break;
        }
        let (task, written) = match ended {
            Ended::Wanted(task) => (task, write_trace(store, task, &tracing.traces).await.map(drop)),
            Ended::Unknown(task) => (task, tracing.judge(store, task).await),
        };
        if let Err(error) = written {
            tracing.miss(task, &error);
        }
        let pause = LONGEST_PAUSE.min(begun.elapsed() * PAUSE);
        let _ = tokio::time::timeout(pause, stop.cancelled()).await;
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
    let spans = read_trace(store, task).await?;
    let count = spans.len();
    traces.put(spans).await;
    Ok(count)
}

/// The trace of a task, as its record tells it now; empty if there is no such task. Parents come before their parts.
///
/// # Errors
///
/// If the record cannot be read.
pub async fn read_trace(store: &dyn Store, task: TaskId) -> Result<Vec<Span>, StoreError> {
    let Some(record) = store.task(task).await? else { return Ok(Vec::new()) };
    let Some(plan) = store.read_plan(record.plan).await? else { return Ok(Vec::new()) };
    let history = store.history(task).await?;
    let origin = Origin {
        correlation_id: record.origin.correlation_id.as_deref(),
        traceparent: record.origin.traceparent.as_deref(),
    };
    Ok(spans(&record, &plan.template, &history, &origin))
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
