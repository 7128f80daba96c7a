//! The spans of a trace as a tree.

use std::collections::BTreeMap;

use tasker_trace::{Span, SpanId, attributes as name};

use crate::paint::{Colour, Paint};
use crate::words::{cut, duration, one_line, padded, width};

/// The widest column of names.
const WIDEST_NAME: usize = 60;
/// Lines have at most so many columns, also where there is no terminal.
const WIDEST_LINE: usize = 120;
/// What is left for the outcome is never less.
const LEAST_FOR_OUTCOME: usize = 24;

/// A trace drawn for a width: each span with when it began, how long it took and how it ended.
pub(crate) struct Drawing<'a> {
    spans: &'a [Span<'a>],
    parts: BTreeMap<Option<SpanId>, Vec<&'a Span<'a>>>,
    paint: Paint,
    columns: usize,
}

/// A line.
struct Row<'a> {
    /// The branches that lead to it.
    branches: String,
    span: &'a Span<'a>,
}

impl<'a> Drawing<'a> {
    /// A drawing of spans of one trace, parents before their parts.
    pub(crate) fn of(spans: &'a [Span<'a>], paint: Paint, columns: usize) -> Self {
        let mut parts: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for span in spans {
            parts.entry(span.parent).or_default().push(span);
        }
        Self { spans, parts, paint, columns: columns.min(WIDEST_LINE) }
    }

    /// All lines.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut rows = Vec::new();
        for root in self.parts.get(&None).into_iter().flatten() {
            rows.push(Row { branches: String::new(), span: root });
            self.push_parts(root.id, "", &mut rows);
        }
        self.align(&rows)
    }

    fn push_parts(&self, parent: SpanId, before: &str, rows: &mut Vec<Row<'a>>) {
        let Some(parts) = self.parts.get(&Some(parent)) else { return };
        for (place, span) in parts.iter().enumerate() {
            let is_last = place + 1 == parts.len();
            let (branch, further) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            rows.push(Row { branches: format!("{before}{branch}"), span });
            self.push_parts(span.id, &format!("{before}{further}"), rows);
        }
    }

    fn align(&self, rows: &[Row<'_>]) -> Vec<String> {
        let Some(begin) = self.spans.first().map(|span| span.start) else { return Vec::new() };
        let names: Vec<String> = rows.iter().map(Row::name).collect();
        let starts: Vec<String> =
            rows.iter().map(|row| format!("+{}", duration(row.span.start.since(begin)))).collect();
        let took: Vec<String> = rows.iter().map(|row| duration(row.span.end.since(row.span.start))).collect();
        let widest = |cells: &[String]| cells.iter().map(|cell| width(cell)).max().unwrap_or(0);
        let (of_names, of_starts, of_took) = (widest(&names), widest(&starts), widest(&took));
        let left = self.columns.saturating_sub(of_names + of_starts + of_took + 6).max(LEAST_FOR_OUTCOME);
        let line = |place: usize| {
            let start = format!("{}{}", " ".repeat(of_starts - width(&starts[place])), starts[place]);
            let took = format!("{}{}", " ".repeat(of_took - width(&took[place])), took[place]);
            let outcome = self.outcome(rows[place].span, left);
            let line =
                format!("{}  {}  {took}  {outcome}", padded(&names[place], of_names), self.paint.dim(start));
            line.trim_end().to_owned()
        };
        (0..rows.len()).map(line).collect()
    }

    /// How a span ended, and what went wrong.
    fn outcome(&self, span: &Span<'_>, columns: usize) -> String {
        let word = [name::OUTCOME, name::STEP_STATE, name::TASK_STATE, name::QUEUE_CAUSE];
        let word = word
            .into_iter()
            .find_map(|name| span.attribute(name))
            .map(ToString::to_string)
            .unwrap_or_default();
        let unfinished = if span.attribute(name::UNFINISHED).is_some() { " (goes on)" } else { "" };
        // A handler fails with its attempt: it is told once.
        let error = span.error.as_ref().filter(|_| !span.name.starts_with("tasker.handler"));
        let error = error.map(|error| format!(": {}", one_line(&error.message))).unwrap_or_default();
        let told = cut(&format!("{}{unfinished}{error}", word.replace('_', " ")), columns);
        if told.is_empty() {
            return told;
        }
        if span.error.is_some() { self.paint.colour(Colour::Red, told) } else { self.paint.dim(told) }
    }
}

impl Row<'_> {
    fn name(&self) -> String {
        let number = self.span.attribute(name::ATTEMPT_NUMBER);
        let number = number.filter(|_| self.span.name == "tasker.attempt");
        let number = number.map(|number| format!(" {number}")).unwrap_or_default();
        cut(&format!("{}{}{number}", self.branches, one_line(&self.span.name)), WIDEST_NAME)
    }
}
