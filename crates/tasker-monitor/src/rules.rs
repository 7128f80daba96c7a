//! Rules for Prometheus, as the files that it loads.

mod alerts;
mod recordings;

use std::fmt::Write;

use crate::catalog::check_query;

/// The page that says what to do about each alert.
const RUNBOOK: &str = "docs/guides/monitoring.md";

/// How soon somebody should look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Severity {
    /// Now: work stands still.
    Critical,
    /// Today.
    Warning,
    /// When there is time.
    Notice,
}

/// Tells somebody that something is wrong.
#[derive(Debug, Clone, Copy)]
struct Alert {
    name: &'static str,
    severity: Severity,
    query: &'static str,
    /// How long the query must have an answer before the alert is told.
    lasts: &'static str,
    summary: &'static str,
    description: &'static str,
}

/// A query whose answers are kept as a series.
#[derive(Debug, Clone, Copy)]
struct Recording {
    /// The labels that are left, the metric, what is done with it: `LEVEL:METRIC:OPERATION`.
    name: &'static str,
    query: &'static str,
}

impl Severity {
    fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// The text of `deploy/prometheus/alerts.yml`.
pub fn alert_rules() -> String {
    let mut file = opening("alerts");
    for (group, alerts) in alerts::GROUPS {
        write(&mut file, format_args!("  - name: tasker.{group}\n    rules:\n"));
        for alert in *alerts {
            let Alert { name, severity, query, lasts, summary, description } = alert;
            let lines = [
                format!("- alert: {name}"),
                format!("  expr: {}", quoted(checked(query))),
                format!("  for: {lasts}"),
                format!("  labels: {{ severity: {} }}", severity.name()),
                "  annotations:".to_owned(),
                format!("    summary: {}", quoted(summary)),
                format!("    description: {}", quoted(description)),
                format!("    runbook_url: {RUNBOOK}#{}", name.to_lowercase()),
            ];
            for line in lines {
                write(&mut file, format_args!("      {line}\n"));
            }
        }
    }
    file
}

/// The text of `deploy/prometheus/recording.yml`.
pub fn recording_rules() -> String {
    let mut file = opening("recordings");
    write(&mut file, format_args!("  - name: tasker.recordings\n    rules:\n"));
    for Recording { name, query } in recordings::RECORDINGS {
        write(&mut file, format_args!("      - record: {name}\n        expr: {}\n", quoted(checked(query))));
    }
    file
}

fn opening(table: &str) -> String {
    format!("# Written by `cargo xtask gen` from crates/tasker-monitor/src/rules/{table}.rs.\n\ngroups:\n")
}

/// A query as it stands in the table, which names nothing that is not there.
fn checked(query: &str) -> &str {
    check_query(query).unwrap_or_else(|error| panic!("invariant: tables name what there is: {error}"));
    query
}

/// A text that stands for itself in YAML.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn write(file: &mut String, text: std::fmt::Arguments<'_>) {
    file.write_fmt(text).expect("invariant: a String takes all");
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_tables_name_nothing_that_is_not_there_and_every_name_once() {
        let alerts: Vec<&str> =
            alerts::GROUPS.iter().flat_map(|(_, alerts)| *alerts).map(|alert| alert.name).collect();
        let recordings = recordings::RECORDINGS.map(|recording| recording.name);
        for (file, names) in [(alert_rules(), &alerts[..]), (recording_rules(), &recordings)] {
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
            assert!(names.iter().all(|name| file.contains(&format!(": {name}\n"))));
        }
    }

    #[test]
    fn a_quote_in_a_text_is_two_in_yaml() {
        assert_eq!(quoted("the worker's \"a\""), "'the worker''s \"a\"'");
    }
}
