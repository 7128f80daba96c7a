//! From what the program says to lines of the log. Secrets are taken out here, whatever the form.

use std::fmt;
use std::sync::Arc;

use tasker_core::Clock;
use tasker_events::Redaction;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::events;
use super::fields::Fields;
use super::form::Form;
use super::line::Line;

/// Takes finished lines.
pub(super) type Paper = Arc<dyn Fn(&str) + Send + Sync>;

/// Writes what the program says.
pub(super) struct Lines {
    pub(super) form: Form,
    pub(super) redaction: Redaction,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) paper: Paper,
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").field("form", &self.form).finish_non_exhaustive()
    }
}

impl<S> Layer<S> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().replace(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        // A value may log while it is written: nothing is locked then.
        let mut fields = Fields::default();
        values.record(&mut fields);
        if let Some(span) = context.span(id) {
            let mut extensions = span.extensions_mut();
            match extensions.get_mut::<Fields>() {
                Some(known) => known.update(fields),
                None => drop(extensions.replace(fields)),
            }
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        let mut fields = Fields::default();
        event.record(&mut fields);
        if metadata.target() == events::TARGET {
            events::spread(&mut fields);
        }
        // The innermost span is the nearest: what it says holds over those around it.
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(known) = span.extensions().get::<Fields>() {
                fields.complete(known);
            }
        }
        let when = (self.clock.now(), *metadata.level());
        let line = Line::of(when, metadata.target(), fields, &self.redaction);
        (self.paper)(&self.form.text(&line));
    }
}
