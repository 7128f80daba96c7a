//! The forms of a line: for people, and for programs.

use std::fmt::Write;

use serde_json::Value;
use tracing::Level;

use super::events;
use super::line::{Line, Origin};
use super::quoted::{Indented, Quoted, key};
use crate::settings::LogFormat;

/// How lines are written.
#[derive(Debug, Clone)]
pub(super) struct Form {
    pub(super) format: LogFormat,
    /// Whether lines for people are coloured.
    pub(super) is_coloured: bool,
    /// Who writes: what programs read says so in every line.
    pub(super) origin: Origin,
}

impl Form {
    /// The line as text, with its end.
    pub(super) fn text(&self, line: &Line) -> String {
        let mut text = match self.format {
            LogFormat::Pretty => self.pretty(line),
            LogFormat::Json => self.json(line),
            LogFormat::Logfmt => self.logfmt(line),
        };
        text.push('\n');
        text
    }

    /// One flat JSON object.
    fn json(&self, line: &Line) -> String {
        let own = [
            ("timestamp", serde_json::to_value(line.at).unwrap_or_default()),
            ("level", Value::from(line.level())),
            ("target", Value::from(line.target.as_str())),
            ("message", Value::from(line.message.as_str())),
        ];
        let mut text = String::from("{");
        let fields = line.fields.iter().map(|(name, value)| (name.as_str(), value.clone()));
        for (name, value) in own.into_iter().chain(fields).chain(self.origin.fields()) {
            let comma = if text.len() > 1 { "," } else { "" };
            // A name is a text, and is escaped like one.
            put(&mut text, format_args!("{comma}{}:{value}", Value::from(name)));
        }
        text.push('}');
        text
    }

    fn logfmt(&self, line: &Line) -> String {
        let (at, level) = (serde_json::to_value(line.at).map(super::line::text), line.level());
        let at = at.unwrap_or_default();
        let mut text = format!("ts={at} level={level} target={}", Quoted(&line.target));
        put(&mut text, format_args!(" msg={}", Quoted(&line.message)));
        let fields = line.fields.iter().map(|(name, value)| (name.as_str(), value.clone()));
        for (name, value) in fields.chain(self.origin.fields()) {
            put(&mut text, format_args!(" {}={}", key(name), Quoted(&super::line::text(value))));
        }
        text
    }

    /// The message, its fields behind it; values of several lines below it.
    fn pretty(&self, line: &Line) -> String {
        let paint = |code: &'static str| if self.is_coloured { (code, "\u{1b}[0m") } else { ("", "") };
        let (dim, plain) = paint("\u{1b}[2m");
        let (colour, end) = paint(match line.level {
            Level::ERROR => "\u{1b}[31m",
            Level::WARN => "\u{1b}[33m",
            Level::INFO => "\u{1b}[32m",
            Level::DEBUG => "\u{1b}[34m",
            Level::TRACE => "\u{1b}[35m",
        });
        let level = line.level.as_str();
        let mut text = format!("{dim}{}{plain} {colour}{level:>5}{end} ", line.at);
        put(&mut text, format_args!("{dim}{}:{plain} {}", Quoted(&line.target), Indented(&line.message)));
        let mut below = String::new();
        // The message of an event is its name.
        let is_said = |name: &str| line.target == events::TARGET && matches!(name, "event" | "entity");
        for (name, value) in line.fields.iter().filter(|(name, _)| !is_said(name)) {
            let (name, value) = (key(name), super::line::text(value.clone()));
            if value.trim_end().contains('\n') {
                put(&mut below, format_args!("\n  {dim}{name}:{plain}\n    {}", Indented(&value)));
            } else {
                put(&mut text, format_args!(" {dim}{name}={plain}{}", Quoted(&value)));
            }
        }
        text + &below
    }
}

fn put(text: &mut String, piece: std::fmt::Arguments<'_>) {
    text.write_fmt(piece).expect("invariant: a String takes all");
}
