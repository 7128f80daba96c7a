//! `tasker trace export`: the trace of a task, sent again.

use std::time::Duration;

use anyhow::anyhow;
use tasker_core::TaskId;
use tasker_otlp::Report;
use tasker_runtime::{connect, without_secrets, write_trace};

use crate::desk::Desk;
use crate::ending::{Ending, Outcome, Trouble};
use crate::ids;
use crate::words::count;

/// The collector is given so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// Send the whole trace of a task to a collector, from its record.
///
/// The same record gives the same spans with the same ids, so that a trace can be sent any number of times. What
/// handlers asked of others while they ran is not in the record. Of a task that has not ended the trace ends now.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The task: its id, a part of it, or `last` for the newest.
    #[arg(value_name = "ID")]
    id: String,
    /// The collector [the setting traces.endpoint].
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
}

pub(crate) async fn run(args: &Args, desk: &mut Desk) -> Outcome {
    let endpoint = args.endpoint.clone().map(|endpoint| ("traces.endpoint", endpoint));
    let settings = desk.settings(&Vec::from_iter(endpoint))?.settings;
    let engine = desk.existing(&settings).await?;
    let task = ids::task(&engine, &args.id).await?;
    // The view says what is wrong with an id that no task has.
    let task = ids::view(&engine, task).await?.task.id;
    let traces = connect(&settings.traces)?;
    // More than the collector takes in time would be waited for without end.
    let written = tokio::time::timeout(PATIENCE, write_trace(&**engine.store(), task, &traces)).await;
    let has_all = written.map_or(Ok(false), |spans| spans.map(|_| true))?;
    let report = traces.shutdown(PATIENCE).await;
    let endpoint = without_secrets(&settings.traces.endpoint);
    if !has_all || report.failed + report.dropped > 0 {
        return Err(refused(task, report, &endpoint));
    }
    desk.terminal.print(format!("{} sent to {endpoint}", sent(task, report)));
    Ok(Ending::Well)
}

fn sent(task: TaskId, report: Report) -> String {
    let spans = usize::try_from(report.exported).unwrap_or(usize::MAX);
    format!("task {}: {}", ids::short(task), count(spans, "span"))
}

fn refused(task: TaskId, report: Report, endpoint: &str) -> Trouble {
    let sent = sent(task, report);
    Trouble::Failed(anyhow!(
        "{sent} sent and no more: the collector at {endpoint} did not take them; --verbose says why, and \
         --set traces.protocol=http/protobuf speaks HTTP to it"
    ))
}
