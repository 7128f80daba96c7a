//! Routes of events as settings.

use config::ValueKind;
use serde::{Deserialize, Serialize};
use tasker_events::{Backend, EventId, Events, RouteChange, RouteError, Routes};

use super::advice::nearest;
use super::sections::EventsSection;
use crate::error::RunError;

/// Where one event goes, as settings say it. What is left out stays as the catalog has it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RouteSetting {
    /// Where it goes, and nowhere else: `metrics`, `traces`, `logs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backends: Option<Vec<String>>,
    /// Which part of it goes to traces and logs, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampling: Option<f64>,
    /// How much it matters to subscribers that cannot take all: `low`, `normal`, `high` or `critical`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
}

/// What is wrong with one route.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} is {value}: {remedy}")]
pub struct RouteProblem {
    /// The setting, such as `events.routes."task.completed".sampling`.
    pub key: String,
    /// What is written there.
    pub value: String,
    /// What to write instead.
    pub remedy: String,
}

impl EventsSection {
    /// Where events go: where the catalog says, and these settings nothing else.
    ///
    /// # Errors
    ///
    /// The first route that names no event or no backend, or samples what is never sampled.
    pub fn event_routes(&self) -> Result<Routes, RouteProblem> {
        let mut routes = Routes::default();
        for (name, setting) in &self.routes {
            change(name, setting, &mut routes)?;
        }
        Ok(routes)
    }

    /// Has events go there from now on.
    ///
    /// # Errors
    ///
    /// [`RunError::Refused`] with the first route that makes no sense; nothing is changed then.
    pub fn route(&self, events: &Events) -> Result<(), RunError> {
        let routes =
            self.event_routes().map_err(|problem| RunError::Refused { what: problem.to_string() })?;
        events.reroute(routes);
        Ok(())
    }

    /// What is wrong with each route by itself.
    pub(super) fn problems(&self) -> Vec<RouteProblem> {
        let mut routes = Routes::default();
        self.routes.iter().filter_map(|(name, setting)| change(name, setting, &mut routes).err()).collect()
    }
}

fn change(name: &str, setting: &RouteSetting, routes: &mut Routes) -> Result<(), RouteProblem> {
    let problem = |part: &str, value: String, remedy: String| {
        Err(RouteProblem { key: format!("events.routes.{name:?}{part}"), value, remedy })
    };
    let Ok(event) = name.parse::<EventId>() else {
        let names = EventId::ALL.iter().map(|event| event.name().to_owned());
        let meant = nearest(name, names).map(|meant| format!("did you mean {meant}?"));
        let remedy = meant.unwrap_or_else(|| "docs/reference/events.md lists them".to_owned());
        return problem("", "no event".to_owned(), remedy);
    };
    let backends = setting.backends.as_ref().map(|names| names.iter().map(|name| name.parse()).collect());
    let backends: Result<Option<Vec<Backend>>, RouteError> = backends.transpose();
    let backends = match backends {
        Ok(backends) => backends,
        Err(error) => {
            let written = format!("{:?}", setting.backends.as_deref().unwrap_or_default());
            return problem(".backends", written, error.to_string());
        }
    };
    let priority = match setting.priority.as_deref().map(str::parse).transpose() {
        Ok(priority) => priority,
        Err(error) => {
            let error: RouteError = error;
            return problem(
                ".priority",
                format!("{:?}", setting.priority.as_deref().unwrap_or_default()),
                error.to_string(),
            );
        }
    };
    let change = RouteChange { backends, sampling: setting.sampling, priority };
    change.apply(event, routes).or_else(|error| {
        let rate = setting.sampling.map(|rate| rate.to_string()).unwrap_or_default();
        problem(".sampling", rate, error.to_string())
    })
}

/// Whether a value, as it was read from a file, is a table of routes.
pub(super) fn is_table(value: &ValueKind) -> bool {
    let is_text = |value: &ValueKind| matches!(value, ValueKind::String(_));
    let is_part = |name: &str, value: &ValueKind| match (name, value) {
        ("backends", ValueKind::Array(items)) => items.iter().all(|item| is_text(&item.kind)),
        ("priority", ValueKind::String(_)) | ("sampling", ValueKind::Float(_) | ValueKind::I64(_)) => true,
        _ => false,
    };
    let is_route = |route: &ValueKind| match route {
        ValueKind::Table(parts) => parts.iter().all(|(name, value)| is_part(name, &value.kind)),
        _ => false,
    };
    matches!(value, ValueKind::Table(routes) if routes.values().all(|route| is_route(&route.kind)))
}

/// The table that a JSON object stands for.
pub(super) fn read(text: &str) -> Option<ValueKind> {
    let text = if text.trim().is_empty() { "{}" } else { text };
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    value.is_object().then(|| kind(value))
}

fn kind(value: serde_json::Value) -> ValueKind {
    use serde_json::Value;
    let item = |value| config::Value::new(None, kind(value));
    match value {
        Value::Null => ValueKind::Nil,
        Value::Bool(flag) => ValueKind::Boolean(flag),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => ValueKind::I64(whole),
            None => ValueKind::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => ValueKind::String(text),
        Value::Array(items) => ValueKind::Array(items.into_iter().map(item).collect()),
        Value::Object(fields) => {
            ValueKind::Table(fields.into_iter().map(|(name, value)| (name, item(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use tasker_events::Priority;

    use super::*;

    fn section(text: &str) -> EventsSection {
        EventsSection { routes: serde_json::from_str(text).expect("routes"), ..EventsSection::default() }
    }

    #[test]
    fn what_settings_do_not_say_is_as_the_catalog_says() {
        let settings = section(
            r#"{"task.completed": {"backends": ["logs", "metric"], "sampling": 0.5},
            "task.pruned": {"backends": []}, "lease.expired": {"sampling": 0},
            "task.failed": {"priority": "critical"}}"#,
        );
        let routes = settings.event_routes().expect("routes");
        let told = [EventId::TaskCompleted, EventId::TaskPruned, EventId::LeaseExpired, EventId::TaskFailed];
        insta::assert_snapshot!(told.map(|event| routes.describe(event)).join("\n"), @r"
        task.completed → metrics, logs (50.0% sampled)
        task.pruned → nowhere (100.0% sampled)
        lease.expired → metrics, logs (0.0% sampled)
        task.failed → traces, metrics, logs (100.0% sampled)
        ");
        assert_eq!(routes.of(EventId::TaskFailed).priority, Priority::Critical);
    }

    #[test]
    fn each_route_that_makes_no_sense_is_refused_with_the_remedy() {
        let settings = section(
            r#"{"task.complete": {}, "weather": {}, "task.failed": {"backends": ["log", "prints"]},
            "task.pruned": {"sampling": 0.5}, "step.failed": {"sampling": 2}, "subscriber.failed": {"sampling": 0.5},
            "step.completed": {"priority": "urgent"}}"#,
        );
        let problems: Vec<String> = settings.problems().iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(problems.join("\n"), @r#"
        events.routes."step.completed".priority is "urgent": unknown priority "urgent": write low, normal, high or critical
        events.routes."step.failed".sampling is 2: the sampling rate of step.failed is 2: write a number from 0 to 1
        events.routes."subscriber.failed".sampling is 0.5: the sampling rate of subscriber.failed is 0.5: it is critical, and critical events are never sampled; leave it out, or give the event another priority
        events.routes."task.complete" is no event: did you mean task.completed?
        events.routes."task.failed".backends is ["log", "prints"]: unknown backend "prints": write metrics, traces or logs
        events.routes."task.pruned".sampling is 0.5: the sampling rate of task.pruned is 0.5, and it goes to no traces and no logs: metrics always count every event; leave sampling out, or send the event to traces or logs as well
        events.routes."weather" is no event: docs/reference/events.md lists them
        "#);
    }
}
