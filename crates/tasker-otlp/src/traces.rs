//! The handle: what the rest of a process has to do with.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::convert::{Written, scope};
use crate::courier::Courier;
use crate::database::DatabaseCall;
use crate::live::{LiveSpans, gate};
use crate::queue::{Queue, Report, Waiting};
use crate::settings::{OtlpError, Settings};
use crate::transport::Transport;

/// Traces on their way to a collector. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Traces {
    queue: Arc<Queue>,
    tracer: SdkTracer,
    courier: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Traces {
    /// Starts to carry spans to a collector, which need not be there yet.
    ///
    /// # Errors
    ///
    /// [`OtlpError`] if the settings cannot be used.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn start(settings: &Settings) -> Result<Self, OtlpError> {
        let queue = Arc::new(Queue::new(settings.capacity, settings.batch));
        let courier = Courier::new(Arc::clone(&queue), Transport::new(settings)?, settings);
        // What begins no trace of its own is a part of an attempt.
        let provider = SdkTracerProvider::builder()
            .with_span_processor(LiveSpans::new(Arc::clone(&queue)))
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOff)))
            .build();
        let tracer = provider.tracer_with_scope(scope());
        let courier = Arc::new(Mutex::new(Some(tokio::spawn(courier.run()))));
        Ok(Self { queue, tracer, courier })
    }

    /// Takes the spans of a trace, as far as there is room, and drops the others. As parents come first, what is
    /// taken hangs together.
    pub fn offer(&self, spans: Written) {
        self.queue.offer(spans.0.into_iter().map(Waiting::Recorded));
    }

    /// Takes calls to a database as spans, as far as there is room, and drops the others.
    pub fn offer_calls(&self, calls: impl ExactSizeIterator<Item = DatabaseCall>) {
        self.queue.offer(calls.map(|call| Waiting::Call(Box::new(call))));
    }

    /// Takes the spans of a trace, and waits for room where there is none: for those who have time.
    ///
    /// # Cancel safety
    ///
    /// Of what was not taken yet when the future is dropped, nothing is counted.
    pub async fn put(&self, spans: Written) {
        let mut spans = spans.0.into_iter().map(Waiting::Recorded);
        loop {
            let relieved = self.queue.relieved.notified();
            tokio::pin!(relieved);
            relieved.as_mut().enable();
            self.queue.fill(&mut spans);
            if spans.len() == 0 {
                return;
            }
            if self.queue.is_closed() {
                self.queue.drop_all(spans.len());
                return;
            }
            relieved.await;
        }
    }

    /// What became of the spans so far.
    pub fn report(&self) -> Report {
        self.queue.report()
    }

    /// Changes whenever the [report](Self::report) does but for what waits.
    pub fn accounts(&self) -> watch::Receiver<()> {
        self.queue.accounts.subscribe()
    }

    /// What takes the spans that are made with `tracing` inside of an [`attempt_span`](crate::attempt_span), down to
    /// level `info`, and the events in them. All others pass it by.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.tracer.clone())
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(gate())
    }

    /// Takes no more spans, sends those that wait, and gives up what has not arrived `within` that time. Says what
    /// became of all.
    pub async fn shutdown(&self, within: Duration) -> Report {
        self.queue.close();
        let courier = self.courier.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut courier) = courier
            && tokio::time::timeout(within, &mut courier).await.is_err()
        {
            courier.abort();
            let _ = courier.await;
            self.queue.abandon();
        }
        self.queue.report()
    }
}
