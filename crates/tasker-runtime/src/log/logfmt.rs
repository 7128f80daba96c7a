//! Lines of `key=value` pairs: the time, the level, the target, the message, the fields of the event, and those of
//! the spans it lies in, the outermost first.

use std::fmt::{self, Debug, Write};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::{LookupSpan, Scope};

/// Writes an event as one line.
pub(super) struct Logfmt;

/// Writes fields as pairs.
pub(super) struct LogfmtFields;

impl<S> FormatEvent<S, LogfmtFields> for Logfmt
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, LogfmtFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        writer.write_str("ts=")?;
        SystemTime.format_time(&mut writer)?;
        let level = metadata.level().as_str().to_lowercase();
        write!(writer, " level={level} target={}", metadata.target())?;
        event.record(&mut Pairs { writer: writer.by_ref(), result: Ok(()) });
        for span in context.event_scope().into_iter().flat_map(Scope::from_root) {
            if let Some(fields) = span.extensions().get::<FormattedFields<LogfmtFields>>() {
                writer.write_str(fields)?;
            }
        }
        writeln!(writer)
    }
}

impl<'w> FormatFields<'w> for LogfmtFields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut pairs = Pairs { writer, result: Ok(()) };
        fields.record(&mut pairs);
        pairs.result
    }
}

/// Writes ` key=value` for each field.
struct Pairs<'w> {
    writer: Writer<'w>,
    result: fmt::Result,
}

impl Visit for Pairs<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.pair(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.pair(field, value);
    }
}

impl Pairs<'_> {
    fn pair(&mut self, field: &Field, value: &str) {
        if self.result.is_ok() {
            let key = if field.name() == "message" { "msg" } else { field.name() };
            self.result = write!(self.writer, " {key}={}", Quoted(value));
        }
    }
}

/// A value, in quotes if it would not be one word without them.
struct Quoted<'v>(&'v str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '"' | '=' | '\\');
        if !self.0.is_empty() && self.0.chars().all(is_plain) {
            return f.write_str(self.0);
        }
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                c if c.is_control() => write!(f, "\\u{:04x}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is logged by `say`, without the time.
    fn logged(say: impl FnOnce()) -> String {
        let page = Page::default();
        let writer = page.clone();
        let layer = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .fmt_fields(LogfmtFields)
            .event_format(Logfmt)
            .with_writer(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), say);
        let text = String::from_utf8(page.0.lock().expect("no panic").clone()).expect("UTF-8");
        text.split_once(" level=").expect("a level").1.to_owned()
    }

    #[test]
    fn a_line_has_the_event_and_the_spans_around_it() {
        let line = logged(|| {
            let _task = tracing::info_span!("task", task = %"t 1").entered();
            let _step = tracing::info_span!("step", step = "charge", attempt = 2).entered();
            tracing::warn!(seconds = 1.5, why = ?Some("a \"b\"\n"), "it took long");
        });
        insta::assert_snapshot!(line, @r#"warn target=tasker_runtime::log::logfmt::tests msg="it took long" seconds=1.5 why="Some(\"a \\\"b\\\"\\n\")" task="t 1" step=charge attempt=2"#);
    }

    #[test]
    fn a_value_is_quoted_if_it_is_not_one_word() {
        let quoted = |text| Quoted(text).to_string();
        let words = ["plain", "", "a b", "k=v", "tab\t", "\u{1b}[31m", "a\\b", "größe"];
        insta::assert_snapshot!(words.map(quoted).join(" "), @r#"plain "" "a b" "k=v" "tab\t" "\u001b[31m" "a\\b" größe"#);
    }
}
