//! From checked nodes to the parts of the model. What is absent gets its default; what is of the wrong
//! type has been told of already, and counts as absent.

use std::collections::HashSet;
use std::fmt::Display;
use std::str::FromStr;

use serde_json::Value;

use super::document::{Data, Mark, Node};
use super::model::{CustomEvent, RetryPolicy, StepTemplate};
use super::path::Path;
use super::report::Report;
use crate::backoff::{Backoff, BackoffOverride};
use crate::name::{HandlerName, StepName};

/// A step, and the places of what it refers to.
#[derive(Debug)]
pub(super) struct DraftStep {
    /// Where its name stands.
    pub(super) mark: Mark,
    /// Its name; `None` if that is missing or invalid.
    pub(super) name: Option<StepName>,
    pub(super) mentions: Vec<Mention>,
    /// The step; `None` if an error says why.
    pub(super) step: Option<StepTemplate>,
}

/// One mention of a step that another depends on.
#[derive(Debug)]
pub(super) struct Mention {
    pub(super) name: StepName,
    pub(super) mark: Mark,
    pub(super) path: String,
}

/// The steps of a template, in order.
pub(super) fn steps(document: &Node, report: &mut Report) -> Vec<DraftStep> {
    let root = Path::Root;
    let path = root.key("step_templates");
    let default_system = text(document, "default_dependent_system");
    let nodes = document.get("step_templates").map(Node::items).unwrap_or_default();
    let step = |(index, node)| step(node, default_system.as_deref(), &path.index(index), report);
    nodes.iter().enumerate().map(step).collect()
}

/// The custom events of a template or a step.
pub(super) fn custom_events(node: &Node, path: &Path<'_>, report: &mut Report) -> Vec<CustomEvent> {
    let path = path.key("custom_events");
    let nodes = node.get("custom_events").map(Node::items).unwrap_or_default();
    let event = |(index, node): (usize, &Node)| {
        let name = parsed(node, "name", &path.index(index), report)?;
        let fired_by = node.get("fired_by").map(Node::items).unwrap_or_default();
        let fired_by = fired_by.iter().filter_map(Node::text).map(str::to_owned).collect();
        Some(CustomEvent { name, description: text(node, "description"), fired_by })
    };
    nodes.iter().enumerate().filter_map(event).collect()
}

/// The text under `key`, read as a `T`.
pub(super) fn parsed<T>(node: &Node, key: &str, path: &Path<'_>, report: &mut Report) -> Option<T>
where
    T: FromStr<Err: Display>,
{
    let value = node.get(key)?;
    told(value.text()?.parse(), value.mark, path.key(key), report)
}

/// The text under `key`.
pub(super) fn text(node: &Node, key: &str) -> Option<String> {
    node.get(key).and_then(Node::text).map(str::to_owned)
}

/// The flag under `key`.
pub(super) fn flag(node: &Node, key: &str) -> Option<bool> {
    node.get(key)?.flag()
}

fn step(node: &Node, default_system: Option<&str>, path: &Path<'_>, report: &mut Report) -> DraftStep {
    let name: Option<StepName> = parsed(node, "name", path, report);
    let handler: Option<HandlerName> = parsed(node, "handler_class", path, report);
    let queue = parsed(node, "queue", path, report).unwrap_or_default();
    let mentions = mentions(node, path, report);
    let custom_events = custom_events(node, path, report);
    let step = name.clone().zip(handler).map(|(name, handler)| StepTemplate {
        name,
        handler,
        description: text(node, "description"),
        dependent_system: text(node, "dependent_system").or_else(|| default_system.map(str::to_owned)),
        depends_on: union(&mentions),
        handler_config: node.get("handler_config").map_or(Value::Null, Node::to_value),
        retry: retry(node),
        skippable: flag(node, "skippable").unwrap_or(false),
        timeout_seconds: whole(node, "timeout_seconds"),
        queue,
        priority: node.get("priority").and_then(as_i64).and_then(|n| i32::try_from(n).ok()).unwrap_or(0),
        custom_events,
    });
    let mark = node.get("name").map_or(node.mark, |name| name.mark);
    DraftStep { mark, name, mentions, step }
}

fn mentions(node: &Node, path: &Path<'_>, report: &mut Report) -> Vec<Mention> {
    let (one, several) = (path.key("depends_on_step"), path.key("depends_on_steps"));
    let single = node.get("depends_on_step").into_iter().map(|node| (node, one));
    let listed = node.get("depends_on_steps").map(Node::items).unwrap_or_default().iter().enumerate();
    let listed = listed.map(|(index, node)| (node, several.index(index)));
    let mut mentions = Vec::new();
    for (node, path) in single.chain(listed) {
        let name = node.text().and_then(|text| told(text.parse(), node.mark, path, report));
        mentions.extend(name.map(|name| Mention { name, mark: node.mark, path: path.to_string() }));
    }
    mentions
}

fn union(mentions: &[Mention]) -> Vec<StepName> {
    let mut seen = HashSet::new();
    mentions.iter().map(|mention| &mention.name).filter(|name| seen.insert(*name)).cloned().collect()
}

fn retry(step: &Node) -> RetryPolicy {
    let standard = RetryPolicy::default();
    let own = step.get("retry");
    let limit = own.and_then(|own| whole(own, "limit")).or_else(|| whole(step, "default_retry_limit"));
    let retryable = own.and_then(|own| flag(own, "retryable")).or_else(|| flag(step, "default_retryable"));
    let backoff_override = own.map(backoff_override).unwrap_or_default();
    RetryPolicy {
        limit: limit.unwrap_or(standard.limit),
        retryable: retryable.unwrap_or(standard.retryable),
        backoff: backoff_override.over(&Backoff::default()),
        backoff_override,
    }
}

fn backoff_override(retry: &Node) -> BackoffOverride {
    let table = |table: &Node| table.items().iter().filter_map(as_u32).collect();
    BackoffOverride {
        table_seconds: retry.get("backoff_seconds").map(table),
        max_seconds: whole(retry, "max_backoff_seconds"),
        multiplier: number(retry, "multiplier"),
        jitter: flag(retry, "jitter"),
        jitter_max_percentage: number(retry, "jitter_max_percentage"),
    }
}

fn whole(node: &Node, key: &str) -> Option<u32> {
    node.get(key).and_then(as_u32)
}

fn number(node: &Node, key: &str) -> Option<f64> {
    match &node.get(key)?.data {
        Data::Number { value, .. } => value.as_f64(),
        Data::Null | Data::Bool(_) | Data::Text { .. } | Data::List(_) | Data::Mapping(_) => None,
    }
}

fn as_u32(node: &Node) -> Option<u32> {
    as_i64(node).and_then(|number| u32::try_from(number).ok())
}

fn as_i64(node: &Node) -> Option<i64> {
    match &node.data {
        Data::Number { value, .. } => value.as_i64(),
        Data::Null | Data::Bool(_) | Data::Text { .. } | Data::List(_) | Data::Mapping(_) => None,
    }
}

fn told<T>(read: Result<T, impl Display>, mark: Mark, path: Path<'_>, report: &mut Report) -> Option<T> {
    match read {
        Ok(value) => Some(value),
        Err(error) => {
            report.error(mark, path, error.to_string(), "");
            None
        }
    }
}
