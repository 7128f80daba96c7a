//! The parts of a process: started in order, watched, stopped in the opposite order.

use std::time::Duration;

use futures::future::select_all;
use tasker_events::{Event, Events};
use tokio::task::JoinError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::error::{BoxError, RunError, told};

/// The parts of a process.
///
/// Parts are started in order, and each on its own. When `shutdown` is cancelled they are stopped in the opposite
/// order, each when the one before has ended. A part that ends without being told to, or panics, brings the
/// others down in the same way.
#[derive(Debug)]
pub struct Process {
    shutdown: CancellationToken,
    parts: Vec<Part>,
    herald: Option<Herald>,
}

/// Who tells how the process fares.
#[derive(Debug)]
struct Herald {
    name: &'static str,
    events: Events,
    began: Instant,
}

#[derive(Debug)]
struct Part {
    name: &'static str,
    stop: CancellationToken,
    patience: Duration,
    task: AbortOnDropHandle<Result<(), BoxError>>,
}

/// How a part ended.
type Ended = Result<Result<(), BoxError>, JoinError>;

impl Process {
    /// A process without parts, which runs until `shutdown`.
    pub fn new(shutdown: CancellationToken) -> Self {
        Self { shutdown, parts: Vec::new(), herald: None }
    }

    /// The same, of which `events` are told as of one called `name`: that it has started, and later that it is ready and
    /// that it stops.
    #[must_use]
    pub fn told_as(mut self, name: &'static str, events: &Events) -> Self {
        let (version, process_id) = (env!("CARGO_PKG_VERSION"), std::process::id());
        events.emit(&Event::ProcessStarted { name, version, process_id });
        self.herald = Some(Herald { name, events: events.clone(), began: Instant::now() });
        self
    }

    /// The process does its work.
    pub fn is_ready(&self) {
        if let Some(Herald { name, events, began }) = &self.herald {
            events.emit(&Event::ProcessReady { name, duration: began.elapsed().as_secs_f64() });
        }
    }

    /// Cancelled when the process is to stop.
    pub fn shutdown(&self) -> &CancellationToken {
        &self.shutdown
    }

    /// Starts a part. It is to end, with `Ok`, soon after its token is cancelled; `patience` later it is dropped.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn start<F>(
        &mut self,
        name: &'static str,
        patience: Duration,
        part: impl FnOnce(CancellationToken) -> F,
    ) where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let stop = CancellationToken::new();
        let task = AbortOnDropHandle::new(tokio::spawn(part(stop.clone())));
        self.parts.push(Part { name, stop, patience, task });
    }

    /// Waits for the shutdown, or for a part to end before it; then stops all parts.
    ///
    /// # Errors
    ///
    /// [`RunError::Part`] for the first part that failed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops all parts at once.
    pub async fn run(mut self) -> Result<(), RunError> {
        let mut first = self.watch().await;
        if let Some(Herald { name, events, began }) = &self.herald {
            events.emit(&Event::ProcessStopping { name, duration: began.elapsed().as_secs_f64() });
        }
        while let Some(part) = self.parts.pop() {
            let name = part.name;
            if let Err(source) = part.stopped().await {
                tracing::error!(part = name, error = told(&*source), "a part failed while it stopped");
                first = first.and(Err(RunError::Part { part: name, source }));
            }
        }
        first
    }

    /// Waits until the shutdown, or until a part has ended; that part is no longer among the parts.
    async fn watch(&mut self) -> Result<(), RunError> {
        if self.parts.is_empty() {
            self.shutdown.cancelled().await;
            return Ok(());
        }
        let (ended, index) = tokio::select! {
            () = self.shutdown.cancelled() => return Ok(()),
            (ended, index, _) = select_all(self.parts.iter_mut().map(|part| &mut part.task)) => (ended, index),
        };
        let part = self.parts.remove(index).name;
        let source = failure(ended).err().unwrap_or_else(|| "it ended without being told to".into());
        tracing::error!(
            part,
            error = told(&*source),
            "a part of the process failed: stopping all others in order"
        );
        Err(RunError::Part { part, source })
    }
}

impl Part {
    /// Tells the part to stop, and waits until it has.
    async fn stopped(self) -> Result<(), BoxError> {
        self.stop.cancel();
        tracing::debug!(part = self.name, "stopping");
        if let Ok(ended) = tokio::time::timeout(self.patience, self.task).await {
            return failure(ended);
        }
        let seconds = self.patience.as_secs();
        tracing::warn!(part = self.name, seconds, "a part did not stop in time and is dropped");
        Ok(())
    }
}

fn failure(ended: Ended) -> Result<(), BoxError> {
    match ended {
        Ok(result) => result,
        Err(error) if error.is_panic() => Err(format!("it panicked: {}", words(error)).into()),
        Err(error) => Err(error.into()),
    }
}

fn words(error: JoinError) -> String {
    let panic = error.into_panic();
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without words".to_owned())
}

#[cfg(test)]
mod tests;
