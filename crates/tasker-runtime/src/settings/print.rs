//! Settings as text: what holds, and where it came from.

use std::collections::BTreeMap;
use std::fmt::Write;

use config::ValueKind;
use serde_json::Value;

use super::{Loaded, Origin, sections};
use crate::masking::{MASK, is_secret, without_secrets};

/// The settings as a `tasker.toml`, each with where it came from. Secrets are masked.
pub fn print_config(loaded: &Loaded) -> String {
    let values = serde_json::to_value(&loaded.settings).expect("invariant: settings are plain data");
    let mut text = String::new();
    for (_, settings) in sections() {
        let mut lines = Vec::new();
        for setting in &settings {
            let key = setting.key();
            let value = &values[setting.section][setting.name];
            let line = match value {
                Value::Null => format!("# {} is not set", setting.name),
                value => format!("{} = {}", setting.name, toml(&key, value)),
            };
            lines.push((line, loaded.origin(&key)));
        }
        let section = settings.first().map_or("", |setting| setting.section);
        let width = lines.iter().map(|(line, _)| line.chars().count()).max().unwrap_or(0).min(60);
        writeln!(text, "{}[{section}]", if text.is_empty() { "" } else { "\n" })
            .expect("invariant: a String takes all");
        for (line, origin) in lines {
            let comment = comment(&line, origin);
            let line = format!("{line:width$}{comment}");
            writeln!(text, "{}", line.trim_end()).expect("invariant: a String takes all");
        }
    }
    text
}

/// A value as it was read, to be shown in a message.
pub(super) fn shown(key: &str, value: &ValueKind) -> String {
    match value {
        ValueKind::String(text) => format!("{:?}", masked(key, text)),
        _ if is_masked(key) => MASK.to_owned(),
        ValueKind::Table(fields) => {
            let fields = BTreeMap::from_iter(fields).into_iter();
            let fields = fields.map(|(name, value)| format!("{} = {}", bare(name), shown(name, &value.kind)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        ValueKind::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| shown(key, &item.kind)).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}

/// A value as TOML.
pub(super) fn toml(key: &str, value: &Value) -> String {
    match value {
        Value::String(text) => Value::String(masked(key, text)).to_string(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| toml(key, item)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("{} = {}", bare(name), toml(key, value)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// A name as TOML.
fn bare(name: &str) -> String {
    let is_bare =
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if is_bare { name.to_owned() } else { Value::from(name).to_string() }
}

fn comment(line: &str, origin: &Origin) -> String {
    match origin {
        Origin::Default if line.starts_with('#') => String::new(),
        origin => format!("  # {origin}"),
    }
}

fn masked(key: &str, text: &str) -> String {
    if is_masked(key) { MASK.to_owned() } else { without_secrets(text) }
}

/// Whether the values of a setting are secret. The path of a file that holds a secret is none.
fn is_masked(key: &str) -> bool {
    is_secret(key) && !key.ends_with("_file")
}
