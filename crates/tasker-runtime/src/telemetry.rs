//! What lets others see into a process: its log and its traces.

use std::sync::Arc;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::error::RunError;
use crate::log::{LogControl, LogError, log_layer};
use crate::settings::Settings;
use crate::traces::Tracing;

/// What lets others see into a process: its log and its traces. Nothing by default.
#[derive(Debug, Clone, Default)]
pub struct Telemetry {
    /// What changes the level of the log.
    pub log: Option<LogControl>,
    /// The traces.
    pub traces: Option<Arc<Tracing>>,
}

impl Telemetry {
    /// Sets up the log of the process, and its traces if the settings want any.
    ///
    /// # Errors
    ///
    /// [`RunError::Refused`] if the settings make no sense; [`LogError::Taken`] if the process has a log already.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn begin(settings: &Settings) -> Result<Self, RunError> {
        let traces = Tracing::start(&settings.traces)?;
        if let Some(traces) = &traces {
            traces.tell_of(&settings.database);
        }
        let (lines, log) = log_layer(&settings.log)?;
        let spans = traces.as_ref().map(|traces| traces.layer());
        tracing_subscriber::registry().with(lines).with(spans).try_init().map_err(|_| LogError::Taken)?;
        Ok(Self { log: Some(log), traces })
    }
}
