//! Saying which name of an expression is undefined.
//!
//! The template language only says that something is. So an expression that failed is evaluated once more over names
//! that note what was looked for in vain. Of those, the first is named without which the expression still fails when
//! all others are there: a name with a `default` is none.

mod trace;

use minijinja::{ErrorKind, Expression};
use serde_json::Value;

use trace::{Trace, Walked};

/// So many known names are listed.
const LISTED: usize = 8;

/// Why an expression has no value: the name that is not there, and which are.
pub(super) fn undefined(
    expression: &Expression<'_, '_>,
    error: Option<&minijinja::Error>,
    names: &Value,
) -> String {
    if error.is_none_or(is_undefined)
        && let Some(missing) = missing_name(expression, names)
    {
        return missing;
    }
    match error {
        Some(error) => error.detail().map_or_else(|| error.kind().to_string(), str::to_owned),
        None => "it is undefined".to_owned(),
    }
}

fn is_undefined(error: &minijinja::Error) -> bool {
    let is_said = |detail: &str| detail.contains("undefined");
    error.kind() == ErrorKind::UndefinedError || error.detail().is_some_and(is_said)
}

fn missing_name(expression: &Expression<'_, '_>, names: &Value) -> Option<String> {
    let fails = |trace: &Trace| match expression.eval(trace.root(names)) {
        Ok(value) => value.is_undefined(),
        Err(error) => is_undefined(&error),
    };
    let trace = Trace::default();
    fails(&trace);
    let looked_for = trace.missed();
    let is_needed = |walked: &&Walked| fails(&Trace::with_all_but(&looked_for, walked));
    let trace = Trace::of_all();
    fails(&trace);
    let in_all = trace.missed();
    let needed = looked_for.iter().find(is_needed).or(looked_for.last()).or(in_all.first())?;
    Some(missing(&needed.owner, &needed.name, needed.found(names)))
}

fn missing(owner: &str, name: &str, value: Option<&Value>) -> String {
    if owner == "steps" {
        return format!("steps.{name} is undefined; add \"{name}\" to this step's depends_on_steps");
    }
    let known = match value {
        Some(Value::Object(object)) if object.is_empty() => format!("{owner} is empty"),
        Some(Value::Object(object)) => {
            let mut listed: Vec<&str> = object.keys().map(String::as_str).collect();
            listed.sort_unstable();
            listed.truncate(LISTED);
            let more = if object.len() > LISTED { ", …" } else { "" };
            let known = if owner.is_empty() { "known are".to_owned() } else { format!("{owner} has") };
            format!("{known} {}{more}", listed.join(", "))
        }
        Some(Value::Array(list)) => format!("{owner} is a list of {}", list.len()),
        Some(_) | None => format!("{owner} is not an object"),
    };
    format!("{} is undefined; {known}", trace::joined(owner, name))
}
