//! Traces as text.

use std::fmt::Write as _;

use tasker_core::{TaskId, Timestamp};
use tasker_store::conformance::{Bench, clock};
use tasker_store::memory::MemoryStore;
use tasker_store::{Origin, TaskBrief};
use tasker_trace::{Span, SpanId, Value, attributes, spans};

/// A bench with a store in memory.
pub(crate) fn bench() -> Bench {
    let clock = clock();
    let store = MemoryStore::new(clock.clone());
    Bench::new(std::sync::Arc::new(store), clock, Box::new(()))
}

/// The trace of a task, from what the store says.
pub(crate) async fn trace(bench: &Bench, task: TaskId) -> Vec<Span<'static>> {
    trace_from(bench, task, Origin::default()).await
}

/// The trace of a task that says where it comes from.
pub(crate) async fn trace_from(bench: &Bench, task: TaskId, origin: Origin) -> Vec<Span<'static>> {
    let history = bench.store.history(task).await.expect("a history");
    let template = bench.template_of(task).await;
    let task = TaskBrief { origin, ..bench.task(task).await.into() };
    spans(&task, &template, &history).into_iter().map(Span::into_owned).collect()
}

/// The trace of a task as text.
pub(crate) async fn picture(bench: &Bench, task: TaskId) -> String {
    draw(&trace(bench, task).await)
}

/// One line for each span under its parent: name, seconds since the task began, what is worth telling, links, error.
pub(crate) fn draw(spans: &[Span<'_>]) -> String {
    let mut text = String::new();
    let begin = spans.first().map_or(Timestamp::default(), |span| span.start);
    branch(spans, None, 0, begin, &mut text);
    text
}

fn branch(spans: &[Span<'_>], parent: Option<SpanId>, depth: usize, begin: Timestamp, text: &mut String) {
    for span in spans.iter().filter(|span| span.parent == parent) {
        let (start, end) = (span.start.since(begin).as_secs(), span.end.since(begin).as_secs());
        write!(text, "{}{} {start}-{end}", "  ".repeat(depth), span.name).expect("text takes all");
        for (name, value) in span.attributes.iter().filter(|(name, _)| is_worth_telling(name)) {
            let name = name.rsplit('.').next().unwrap_or(name);
            write!(text, " {name}={}", shown(value)).expect("text takes all");
        }
        for link in &span.links {
            let to = spans.iter().find(|span| span.id == link.span).map_or("elsewhere".to_owned(), label);
            write!(text, " {}:{to}", link.kind).expect("text takes all");
        }
        if let Some(error) = &span.error {
            write!(text, " !{}: {}", error.kind, error.message).expect("text takes all");
        }
        text.push('\n');
        branch(spans, Some(span.id), depth + 1, begin, text);
    }
}

fn is_worth_telling(name: &str) -> bool {
    [
        attributes::RUN_TRIGGER,
        attributes::TASK_STATE,
        attributes::STEP_STATE,
        attributes::QUEUE_CAUSE,
        attributes::OUTCOME,
        attributes::RETRY_DELAY_MS,
        attributes::UNFINISHED,
    ]
    .contains(&name)
}

fn label(span: &Span<'_>) -> String {
    let fact =
        |wanted| span.attributes.iter().find(|(name, _)| *name == wanted).map(|(_, value)| shown(value));
    let step = fact(attributes::STEP_NAME).unwrap_or_default();
    fact(attributes::ATTEMPT_NUMBER).map_or(step.clone(), |number| format!("{step}#{number}"))
}

/// The value of an attribute.
pub(crate) fn shown(value: &Value<'_>) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        Value::Texts(texts) => texts.join(","),
        Value::Number(number) => number.to_string(),
        Value::Truth(_) | Value::Task(_) | Value::Step(_) => value.to_string(),
    }
}
