//! Writing the traces of tasks that have ended.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tasker_core::TaskId;
use tasker_events::{Event, Events};
use tasker_otlp::{Report, Traces};
use tasker_store::{Store, StoreError};
use tasker_trace::{Origin, spans};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Tracing;
use crate::process::Process;

/// What waits at the end is given so long to be sent.
const FAREWELL: Duration = Duration::from_secs(5);
/// Beyond that nothing is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

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

/// Writes traces until it is told to stop and nothing waits.
async fn write(
    tracing: &Tracing,
    store: &dyn Store,
    mut inbox: mpsc::Receiver<TaskId>,
    stop: &CancellationToken,
) {
    loop {
        let task = tokio::select! {
            biased;
            Some(task) = inbox.recv() => task,
            () = stop.cancelled() => break,
        };
        if let Err(error) = write_trace(store, task, &tracing.traces).await {
            tracing.missed.fetch_add(1, Ordering::Relaxed);
            tracing::debug!(%task, %error, "the record of a task cannot be read for its trace");
        }
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
    let Some(record) = store.task(task).await? else { return Ok(0) };
    let Some(plan) = store.read_plan(record.plan).await? else { return Ok(0) };
    let history = store.history(task).await?;
    let origin = Origin {
        correlation_id: record.origin.correlation_id.as_deref(),
        traceparent: record.origin.traceparent.as_deref(),
    };
    let spans = spans(&record, &plan.template, &history, &origin);
    let count = spans.len();
    traces.put(spans).await;
    Ok(count)
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
