//! An event as a receiver gets it: one JSON object, in the shape of `CloudEvents` 1.0. The guide lists its fields.

use serde::Serialize;
use serde_json::Value;
use tasker_core::{State, TaskId, Timestamp};
use tasker_events::{EventId, StepRef, TaskRef};
use tasker_store::{Cause, Transition};

use crate::names::{Kinds, Named};

/// An event on its way to a receiver.
#[derive(Debug)]
pub(crate) struct Notice {
    /// The number of its transition.
    pub(crate) seq: i64,
    /// What a receiver tells repetitions by.
    pub(crate) id: String,
    /// Which event it is.
    pub(crate) event: EventId,
    /// The task it is of.
    pub(crate) task: TaskId,
    /// Variables that name it to a program.
    pub(crate) variables: Vec<(&'static str, String)>,
    /// The JSON object, in one line and without its end.
    pub(crate) body: Vec<u8>,
}

#[derive(Serialize)]
struct Envelope<'a> {
    specversion: &'static str,
    id: &'a str,
    source: &'a str,
    r#type: &'static str,
    subject: String,
    time: Timestamp,
    datacontenttype: &'static str,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    #[serde(flatten)]
    subject: Subject<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt_number: Option<u32>,
    from: Option<State>,
    to: State,
    cause: Cause,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Subject<'a> {
    Task(TaskRef<'a>),
    Step(StepRef<'a>),
}

impl Notice {
    /// The `index`-th event of a transition.
    pub(crate) fn new(
        source: &str,
        transition: &Transition,
        (index, event): (usize, EventId),
        named: &Named,
    ) -> Self {
        let id = match index {
            0 => transition.seq.to_string(),
            _ => format!("{}-{}", transition.seq, index + 1),
        };
        let kinds = &*named.kinds;
        let envelope = Envelope {
            specversion: "1.0",
            id: &id,
            source,
            r#type: event.name(),
            subject: transition.step.map_or_else(|| transition.task.to_string(), |step| step.to_string()),
            time: transition.at,
            datacontenttype: "application/json",
            data: Data::of(transition, named),
        };
        let body =
            serde_json::to_vec(&envelope).expect("invariant: names, numbers and JSON are written as JSON");
        let variables = variables(&id, event, transition, kinds);
        Self { seq: transition.seq, id, event, task: transition.task, variables, body }
    }
}

impl<'a> Data<'a> {
    fn of(transition: &'a Transition, named: &'a Named) -> Self {
        let is_failure = matches!(transition.cause, Cause::Failed | Cause::LeaseExpired);
        Self {
            subject: named.kinds.subject(transition),
            correlation_id: named.correlation_id.as_deref(),
            attempt_number: transition.attempt,
            from: transition.from,
            to: transition.to,
            cause: transition.cause,
            by: transition.by.as_deref(),
            failure: Some(&transition.details).filter(|details| is_failure && !details.is_null()),
            reason: transition.details.get("reason").and_then(Value::as_str).filter(|_| !is_failure),
        }
    }
}

impl Kinds {
    fn subject(&self, transition: &Transition) -> Subject<'_> {
        let step = transition.step.and_then(|id| {
            let kind = self.steps.get(id.ordinal() as usize)?;
            Some(StepRef { id, kind })
        });
        match step {
            Some(step) => Subject::Step(step),
            None => Subject::Task(TaskRef { id: transition.task, kind: &self.task }),
        }
    }
}

fn variables(
    id: &str,
    event: EventId,
    transition: &Transition,
    kinds: &Kinds,
) -> Vec<(&'static str, String)> {
    let mut variables = vec![
        ("TASKER_EVENT", event.name().to_owned()),
        ("TASKER_EVENT_ID", id.to_owned()),
        ("TASKER_EVENT_TIME", transition.at.to_string()),
        ("TASKER_TASK_ID", transition.task.to_string()),
        ("TASKER_NAMESPACE", kinds.task.namespace.clone()),
        ("TASKER_TASK", kinds.task.name.clone()),
        ("TASKER_VERSION", kinds.task.version.clone()),
    ];
    if let Subject::Step(step) = kinds.subject(transition) {
        variables.push(("TASKER_STEP_ID", step.id.to_string()));
        variables.push(("TASKER_STEP", step.kind.name.clone()));
    }
    if let Some(attempt) = transition.attempt {
        variables.push(("TASKER_ATTEMPT", attempt.to_string()));
    }
    variables
}
