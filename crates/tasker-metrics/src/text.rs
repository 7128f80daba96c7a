//! The text that Prometheus reads.
//!
//! Two formats: Prometheus 0.0.4, <https://prometheus.io/docs/instrumenting/exposition_formats/>, and OpenMetrics 1.0,
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>. Families and series are sorted; a value of a label is
//! read back as it was, whatever characters it holds.

use std::fmt::Write;

use crate::description::{Description, Kind, Unit};
use crate::exemplar::{Exemplar, Origin};
use crate::snapshot::{Bucket, FamilySnapshot, Snapshot, Value};

/// Which text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Prometheus 0.0.4.
    Prometheus,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Format {
    /// What the text is called in the header `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// The format that the header `Accept` of a request asks for: OpenMetrics if it is liked best, else Prometheus.
    pub fn accepted(accept: &str) -> Self {
        let (mut open, mut plain) = (0.0_f64, 0.0_f64);
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default();
            let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
            match kind {
                "application/openmetrics-text" => open = open.max(quality),
                "text/plain" | "text/*" | "*/*" => plain = plain.max(quality),
                _ => {}
            }
        }
        if open > 0.0 && open >= plain { Self::OpenMetrics } else { Self::Prometheus }
    }
}

/// Writes a snapshot as text.
pub fn encode(snapshot: &Snapshot, format: Format) -> String {
    let size = snapshot.families.values().map(size).sum();
    let mut page = Page { text: String::with_capacity(size), format };
    for family in snapshot.families.values().filter(|family| !family.series.is_empty()) {
        page.family(family);
    }
    if format == Format::OpenMetrics {
        page.text.push_str("# EOF\n");
    }
    page.text
}

/// So many bytes a number takes, about, with what stands around it.
const NUMBER: usize = 16;

/// How long the text of a family is, about: what it takes is asked for once.
fn size(family: &FamilySnapshot) -> usize {
    let Description { name, help, labels, .. } = &family.description;
    let line = name.len() + labels.iter().map(|label| label.len() + "=\"\",".len()).sum::<usize>() + NUMBER;
    let bucket = "_bucketle=\"\",".len() + NUMBER;
    let series = family.series.iter().map(|(labels, value)| {
        let (lines, more) = match value {
            Value::Count(_) | Value::Level(_) => (1, 0),
            Value::Distribution(values) => (values.counts.len() + 2, bucket),
            Value::Exponential(_) => (2, bucket),
        };
        lines * (line + labels.key().len() + more)
    });
    "# HELP \n# TYPE histogram\n".len() + 2 * name.len() + help.len() + series.sum::<usize>()
}

struct Page {
    text: String,
    format: Format,
}

impl Page {
    fn family(&mut self, family: &FamilySnapshot) {
        let name = family.description.name.as_str();
        let kind = match &family.kind {
            Kind::Counter => "counter",
            Kind::Gauge(_) => "gauge",
            Kind::Histogram(_) | Kind::Exponential(_) => "histogram",
        };
        let called = match self.format {
            Format::OpenMetrics => family.kind.family_name(name),
            Format::Prometheus => name,
        };
        self.words(&["# HELP ", called, " "]);
        self.help(&family.description.help);
        self.words(&["\n# TYPE ", called, " ", kind, "\n"]);
        if let (Format::OpenMetrics, Some(unit)) = (self.format, family.description.unit.suffix()) {
            self.words(&["# UNIT ", called, " ", &unit[1..], "\n"]);
        }
        let unit = family.description.unit;
        let mut labels = String::new();
        for (values, value) in &family.series {
            labels.clear();
            for (label, value) in family.description.labels.iter().zip(values.values()) {
                labels.push_str(if labels.is_empty() { "" } else { "," });
                labels.push_str(label);
                labels.push_str("=\"");
                escape(&mut labels, value, true);
                labels.push('"');
            }
            match value {
                Value::Count(count) => {
                    self.sample(&[name], &labels, |text| parts(text, u128::from(*count), unit, false));
                }
                Value::Level(level) => self.sample(&[name], &labels, |text| float(text, *level)),
                Value::Distribution(values) => {
                    self.histogram(name, &mut labels, unit, (values.cumulative(), values.sum));
                }
                Value::Exponential(values) => {
                    self.histogram(name, &mut labels, unit, (values.cumulative(unit), values.sum));
                }
            }
        }
    }

    /// The lines of a histogram: of its buckets and of the sum of its values.
    fn histogram(
        &mut self,
        name: &str,
        labels: &mut String,
        unit: Unit,
        (buckets, sum): (impl Iterator<Item = Bucket>, u128),
    ) {
        let plain = labels.len();
        let mut count = 0;
        for bucket in buckets {
            count = bucket.below;
            labels.push_str(if plain == 0 { "le=\"" } else { ",le=\"" });
            match bucket.bound {
                Some(bound) => parts(labels, bound, unit, true),
                None => labels.push_str("+Inf"),
            }
            labels.push('"');
            let exemplar = bucket.exemplar.filter(|_| self.format == Format::OpenMetrics);
            self.sample(&[name, "_bucket"], labels, |text| {
                integer(text, count);
                if let Some(exemplar) = exemplar {
                    self::exemplar(text, &exemplar, unit);
                }
            });
            labels.truncate(plain);
        }
        self.sample(&[name, "_sum"], labels, |text| parts(text, sum, unit, false));
        self.sample(&[name, "_count"], labels, |text| integer(text, count));
    }

    fn sample(&mut self, name: &[&str], labels: &str, value: impl FnOnce(&mut String)) {
        self.words(name);
        if !labels.is_empty() {
            self.words(&["{", labels, "}"]);
        }
        self.text.push(' ');
        value(&mut self.text);
        self.text.push('\n');
    }

    fn help(&mut self, help: &str) {
        let quotes = self.format == Format::OpenMetrics;
        escape(&mut self.text, help, quotes);
    }

    fn words(&mut self, words: &[&str]) {
        for word in words {
            self.text.push_str(word);
        }
    }
}

/// An example of what is in a bucket. Its labels have 63 characters of the 128 that there may be.
fn exemplar(out: &mut String, exemplar: &Exemplar, unit: Unit) {
    let Origin { unix_nanos, trace_id, span_id } = exemplar.origin;
    out.push_str(" # {trace_id=\"");
    hex(out, &trace_id);
    if span_id != [0; 8] {
        out.push_str("\",span_id=\"");
        hex(out, &span_id);
    }
    out.push_str("\"} ");
    parts(out, exemplar.parts.into(), unit, false);
    out.push(' ');
    parts(out, unix_nanos.into(), Unit::Seconds, false);
}

fn hex(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
}

/// The three characters that mean something in a text between quotes; quotes mean nothing in a help of 0.0.4.
fn escape(out: &mut String, text: &str, quotes: bool) {
    let mut rest = text;
    while let Some(at) = rest.find(|c| c == '\\' || c == '\n' || (quotes && c == '"')) {
        out.push_str(&rest[..at]);
        out.push_str(match rest.as_bytes()[at] {
            b'\\' => "\\\\",
            b'\n' => "\\n",
            _ => "\\\"",
        });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

fn integer(out: &mut String, number: u64) {
    // Writing to a text does not fail.
    let _ = write!(out, "{number}");
}

fn float(out: &mut String, number: f64) {
    if number.is_nan() {
        out.push_str("NaN");
    } else if number.is_infinite() {
        out.push_str(if number > 0.0 { "+Inf" } else { "-Inf" });
    } else {
        let _ = write!(out, "{number}");
    }
}

/// A number of parts as a decimal number of the unit, exactly. A bound always has a fraction, as both formats have it
/// in common: a scraper that takes texts for what they are then sees one series.
fn parts(out: &mut String, count: u128, unit: Unit, is_bound: bool) {
    let whole = u128::from(unit.parts());
    let (units, rest) = (count / whole, count % whole);
    let _ = write!(out, "{units}");
    if rest > 0 {
        let places = whole.ilog10() as usize;
        let digits = format!("{rest:0places$}");
        out.push('.');
        out.push_str(digits.trim_end_matches('0'));
    } else if is_bound {
        out.push_str(".0");
    }
}
