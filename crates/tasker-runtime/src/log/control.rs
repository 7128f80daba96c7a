//! The level of the log, while the process runs.

use std::sync::{Arc, Mutex, PoisonError};

use tasker_api::LogLevel;
use tasker_core::CorrelationId;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::reload::{self, Handle};

use super::{LogError, filter};

/// Reads and changes how much is said. Cheap to clone; all clones change the same log.
#[derive(Debug, Clone)]
pub struct LogControl(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    level: Mutex<String>,
    swap: Swap,
}

/// Has another filter hold from now on; `false` if there is no log any more.
struct Swap(Box<dyn Fn(Targets) -> bool + Send + Sync>);

impl std::fmt::Debug for Swap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Swap")
    }
}

impl LogControl {
    /// Filters that begin with `level`, and what changes them.
    ///
    /// # Errors
    ///
    /// [`LogError::Level`] if it makes no sense.
    pub(super) fn begin<S: 'static>(level: &str) -> Result<(reload::Layer<Targets, S>, Self), LogError> {
        let (filter, handle): (_, Handle<Targets, S>) = reload::Layer::new(filter(level)?);
        let swap = Swap(Box::new(move |filter| handle.reload(filter).is_ok()));
        Ok((filter, Self(Arc::new(Inner { level: Mutex::new(level.to_owned()), swap }))))
    }

    /// How much is said now.
    pub fn level(&self) -> String {
        self.0.level.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says more, or less, from now on, and tells that as a warning: before it, if warnings are left out afterwards.
    ///
    /// # Errors
    ///
    /// [`LogError::Level`] if the level makes no sense; nothing is changed then. [`LogError::Gone`] if there is no log
    /// any more.
    pub fn set_level(&self, level: &str) -> Result<(), LogError> {
        self.change(level, None)
    }

    fn change(&self, level: &str, request: Option<&CorrelationId>) -> Result<(), LogError> {
        let filter = filter(level)?;
        // Two who change it at once leave the text and the filter of the same one.
        let mut known = self.0.level.lock().unwrap_or_else(PoisonError::into_inner);
        // The span of the request may not be there, if the log was off when it began.
        let correlation_id = request.map(CorrelationId::as_str);
        let tell =
            || tracing::warn!(from = *known, to = level, correlation_id, "the level of the log is changed");
        let is_heard = tracing::enabled!(Level::WARN);
        if is_heard {
            tell();
        }
        if !(self.0.swap.0)(filter) {
            return Err(LogError::Gone);
        }
        if !is_heard {
            tell();
        }
        level.clone_into(&mut known);
        Ok(())
    }
}

impl LogLevel for LogControl {
    fn level(&self) -> String {
        Self::level(self)
    }

    fn set_level(&self, level: &str, request: &CorrelationId) -> Result<(), String> {
        self.change(level, Some(request)).map_err(|error| error.to_string())
    }
}
