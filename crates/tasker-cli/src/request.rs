//! What is wished of a task, from the words of a command line.

use tasker_core::{CorrelationId, IdentityKey, IdentityStrategy, OnDuplicate, TemplateRequest};
use tasker_engine::TaskRequest;
use tasker_store::Submitted;

use crate::context;
use crate::desk::Desk;
use crate::ending::{Trouble, usage};

/// What is wished of a task.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Wishes {
    /// What the task is about: a JSON object, a file, or one value (JSON if it parses as JSON, else text). May be given
    /// several times: objects merge, and what comes later wins.
    #[arg(short, long, value_name = "JSON|@FILE|KEY=VALUE")]
    context: Vec<String>,
    /// Never make two tasks with this key: the earlier one is taken instead.
    #[arg(long)]
    key: Option<String>,
    /// From -100 to 100; the steps of a task with a higher one go first.
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    priority: i32,
    /// Words to find the task by: a,b.
    #[arg(long, value_name = "TAGS", value_delimiter = ',')]
    tags: Vec<String>,
    /// Why the task is wanted, for the record.
    #[arg(long)]
    reason: Option<String>,
    /// What all that one request causes has in common; handlers pass it on [made up]. The variable TRACEPARENT says which
    /// span asks, as W3C Trace Context writes it.
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(CorrelationId))]
    correlation_id: Option<CorrelationId>,
}

/// The request for a task of `template`.
pub(crate) fn task(
    template: TemplateRequest,
    wishes: &Wishes,
    desk: &mut Desk,
) -> Result<TaskRequest, Trouble> {
    let context = context::from_words(&wishes.context, &desk.folder, &mut desk.input)?;
    let key = wishes.key.clone().map(IdentityKey::try_from).transpose();
    let key = key.or_else(|error| usage(error.to_string()))?;
    let mut request = TaskRequest::new(template, context);
    request.initiator.clone_from(&desk.user);
    "tasker-cli".clone_into(&mut request.source_system);
    request.reason = wishes.reason.clone().unwrap_or(request.reason);
    request.tags.clone_from(&wishes.tags);
    request.priority = wishes.priority;
    request.identity = key.map(IdentityStrategy::Key);
    request.on_duplicate = OnDuplicate::ReturnExisting;
    request.correlation_id = wishes.correlation_id.clone().map(String::from);
    request.traceparent = desk.variable("TRACEPARENT").map(str::to_owned);
    Ok(request)
}

/// What became of a request, to begin a sentence.
pub(crate) fn told(submitted: Submitted) -> &'static str {
    match submitted {
        Submitted::Created(_) => "submitted",
        Submitted::Existing(_) => "submitted before",
    }
}
