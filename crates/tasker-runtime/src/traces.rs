//! The traces of a process: what handlers do while they run, and what tasks went through once they have ended.

mod marks;
mod writer;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use tasker_core::{Clock, LeaseKey, SystemClock, TaskId};
use tasker_events::{Event, Sink, TaskRef};
use tasker_handler::{StoreCall, StorePurpose, Tracer};
use tasker_monitor::Exemplars;
use tasker_otlp::{DatabaseCall, DatabasePlace, OtlpError, Protocol, Report, Secret, Settings, Traces};
use tasker_store::{Origin, StoreError};
use tasker_trace::{Sampled, Sampling, SpanId, Subject, TraceContext, TraceId};
use tokio::sync::mpsc;
use tracing::{Span, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::environment::{host_and_process, program_name};
use crate::error::RunError;
use crate::settings::{DatabaseSettings, TracesProtocol, TracesSettings};

use marks::Marks;
pub use writer::{read_trace, write_trace};

/// So many tasks may wait for their traces to be written.
const WAITING: usize = 10_000;
/// So many tasks are remembered whose traces are to be written whatever the ratio says.
const REMEMBERED: usize = 50_000;

/// The traces of a process.
///
/// As a [`Tracer`] it puts what handlers do into the traces of their tasks; as a [`Sink`] it notes which tasks have ended,
/// whose traces are then written from the record by [`Process::start_traces`](crate::Process::start_traces). What it
/// cannot take is counted, and nothing ever waits for it.
pub struct Tracing {
    traces: Traces,
    sampling: Sampling,
    slow: Option<Duration>,
    /// Tasks whose submitters record, and those that were retried: their traces have been written before.
    marked: Marks,
    /// Tasks that have ended, and how many steps they have.
    ended: mpsc::Sender<(Ended, u32)>,
    inbox: Mutex<Option<mpsc::Receiver<(Ended, u32)>>>,
    missed: AtomicU64,
    database: OnceLock<Arc<DatabasePlace>>,
}

/// A task that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// Its trace is wanted.
    Wanted(TaskId),
    /// Whether its trace is wanted follows from its record.
    Unknown(TaskId),
}

impl Ended {
    fn task(self) -> TaskId {
        match self {
            Self::Wanted(task) | Self::Unknown(task) => task,
        }
    }
}

impl std::fmt::Debug for Tracing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tracing").field("traces", &self.traces).finish_non_exhaustive()
    }
}

impl Tracing {
    /// The traces that the settings want, if they want any.
    ///
    /// # Errors
    ///
    /// [`RunError::Refused`] if the collector cannot be spoken to as they say.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn start(settings: &TracesSettings) -> Result<Option<Arc<Self>>, RunError> {
        if !settings.enabled {
            return Ok(None);
        }
        let slow = (settings.slow_seconds > 0).then(|| Duration::from_secs(settings.slow_seconds.into()));
        let sampling = Sampling::new(settings.ratio, slow)
            .map_err(|error| RunError::Refused { what: format!("traces.ratio: {error}") })?;
        let traces = connect(settings)?;
        let (ended, inbox) = mpsc::channel(WAITING);
        Ok(Some(Arc::new(Self {
            traces,
            sampling,
            slow,
            marked: Marks::new(REMEMBERED),
            ended,
            inbox: Mutex::new(Some(inbox)),
            missed: AtomicU64::default(),
            database: OnceLock::new(),
        })))
    }

    /// Has calls to this database told as well, as parts of the attempts they are made for.
    pub fn tell_of(&self, database: &DatabaseSettings) {
        // Whoever names two has the first told.
        let _ = self.database.set(Arc::new(database.place()));
    }

    /// What takes the spans that are made while handlers run.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        self.traces.layer()
    }

    /// What became of the spans so far.
    pub fn report(&self) -> Report {
        self.traces.report()
    }

    /// How many tasks have ended whose traces could not be written.
    pub fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }

    /// Whether the task is in a trace while it runs.
    fn sampled(&self, task: TaskId, origin: &Origin) -> Sampled {
        if self.sampling.is_sampled_at_head(task, None).is_yes() {
            return Sampled::Yes;
        }
        let submitter: Option<TraceContext> = origin.traceparent.as_ref().and_then(|text| text.parse().ok());
        let sampled = self.sampling.is_sampled_at_head(task, submitter.as_ref());
        if sampled.is_yes() {
            self.marked.put(task);
        }
        sampled
    }

    /// A task has ended; `seconds` is how long it took, where that is known.
    fn ended(&self, task: TaskRef<'_>, seconds: Option<f64>, has_failed: bool) {
        let (task, steps) = (task.id, task.kind.steps);
        let is_marked = self.marked.take(task);
        let is_slow = seconds.zip(self.slow).is_some_and(|(seconds, slow)| seconds >= slow.as_secs_f64());
        let is_wanted =
            has_failed || is_slow || is_marked || self.sampling.is_sampled_at_head(task, None).is_yes();
        if is_wanted {
            self.note(Ended::Wanted(task), steps);
        }
    }

    fn note(&self, ended: Ended, steps: u32) {
        if self.ended.try_send((ended, steps)).is_err() {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Tracer for Tracing {
    fn span(&self, attempt: LeaseKey, origin: &Origin, handler: &str) -> Span {
        let sampled = self.sampled(attempt.step.task(), origin);
        tasker_otlp::attempt_span(&TraceContext::for_attempt(attempt, sampled), handler)
    }

    fn traceparent(&self, attempt: LeaseKey, origin: &Origin) -> Option<String> {
        let context = tasker_otlp::current()
            .unwrap_or_else(|| TraceContext::for_attempt(attempt, self.sampled(attempt.step.task(), origin)));
        Some(context.to_string())
    }

    fn tells_of_calls(&self, attempt: LeaseKey) -> bool {
        let task = attempt.step.task();
        self.database.get().is_some()
            && (self.sampling.is_sampled_at_head(task, None).is_yes() || self.marked.has(task))
    }

    fn called(&self, call: &StoreCall<'_>) {
        let Some(database) = self.database.get() else { return };
        let end = SystemClock.now();
        let operation = match call.purpose {
            StorePurpose::Inputs => "inputs",
            StorePurpose::Settle => "settle",
        };
        self.traces.offer_calls(call.attempts.iter().map(|attempt| DatabaseCall {
            parent: TraceContext::of_attempt(*attempt, Sampled::Yes),
            database: Arc::clone(database),
            operation,
            collection: "steps",
            batch: call.batch,
            start: end.minus(call.took),
            end,
            error: call.error.map(StoreError::kind),
        }));
    }
}

impl Exemplars for Tracing {
    /// Only of tasks that are traced while they run.
    fn of_attempt(&self, attempt: LeaseKey) -> Option<tasker_metrics::Origin> {
        let task = attempt.step.task();
        if !self.sampling.is_sampled_at_head(task, None).is_yes() {
            return None;
        }
        Some(tasker_metrics::Origin {
            unix_nanos: u64::try_from(SystemClock.now().as_micros())
                .unwrap_or_default()
                .saturating_mul(1_000),
            trace_id: TraceId::of(task).as_u128().to_be_bytes(),
            span_id: SpanId::of(task, Subject::Attempt(attempt)).as_u64().to_be_bytes(),
        })
    }
}

impl Sink for Tracing {
    fn take(&self, event: &Event<'_>) {
        match event {
            Event::TaskCompleted { task, total_execution_duration } => {
                self.ended(*task, Some(*total_execution_duration), false);
            }
            Event::TaskFailed { task, total_execution_duration } => {
                self.ended(*task, Some(*total_execution_duration), true);
            }
            Event::TaskResolvedManually { task, .. } => self.ended(*task, None, true),
            // Who cancels a task has mostly done none of it, and knows nothing of its submitter.
            Event::TaskCancelled { task, .. } => self.note(Ended::Unknown(task.id), task.kind.steps),
            // Its trace was written when it had failed, and is to be written again.
            Event::TaskRetryRequested { task, .. } => self.marked.put(task.id),
            // The trace tells of them from the record.
            _ => {}
        }
    }
}

/// A connection to the collector, which need not be there yet.
///
/// # Errors
///
/// [`RunError::Refused`] if it cannot be spoken to as the settings say.
///
/// # Panics
///
/// Outside a tokio runtime.
pub fn connect(settings: &TracesSettings) -> Result<Traces, RunError> {
    let refused = |key: &str, what: String| RunError::Refused { what: format!("traces.{key}: {what}") };
    let headers = settings.headers.as_ref().map_or("", |headers| headers.reveal());
    let certificates =
        settings.ca_file.as_deref().map(certificates).transpose().map_err(|what| refused("ca_file", what))?;
    let service = settings.service_name.clone().or_else(program_name).unwrap_or_else(|| "tasker".to_owned());
    let resource = [
        ("service.name", service),
        ("service.version", env!("CARGO_PKG_VERSION").to_owned()),
        ("service.instance.id", host_and_process()),
    ];
    let otlp = Settings {
        endpoint: settings.endpoint.clone(),
        protocol: match settings.protocol {
            TracesProtocol::Grpc => Protocol::Grpc,
            TracesProtocol::Http => Protocol::HttpProtobuf,
        },
        headers: read_headers(headers).map_err(|what| refused("headers", what))?,
        certificates,
        resource: resource.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        ..Settings::default()
    };
    Traces::start(&otlp).map_err(|error| match error {
        OtlpError::Endpoint { .. } => refused("endpoint", error.to_string()),
        OtlpError::Header { .. } => refused("headers", error.to_string()),
        OtlpError::Certificates { .. } => refused("ca_file", error.to_string()),
        OtlpError::Client(_) => refused("enabled", error.to_string()),
    })
}

fn certificates(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
}

/// Reads `name=value, name=value`.
fn read_headers(text: &str) -> Result<Vec<(String, Secret)>, String> {
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    let pair = |pair: &str| match pair.split_once('=') {
        Some((name, value)) => Ok((name.trim().to_owned(), Secret::new(value.trim()))),
        None => Err("one part is no header: write name=value, with commas between several".to_owned()),
    };
    pairs.map(pair).collect()
}

#[cfg(test)]
mod tests;
