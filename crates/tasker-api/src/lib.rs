//! All HTTP: for now health, metrics, events, and what operators change while the process runs.
//!
//! [`Api`] answers on a listener until it is told to stop. What it knows of the process behind it comes in by narrow
//! traits, such as [`Readiness`], [`MetricsSource`] and [`StatusSource`]: this crate knows no store, no engine and no
//! settings.
//!
//! Every route answers under `/` and under `/tasker`, the prefix of the Rails engine. Every answer has the correlation id
//! of its request in `X-Correlation-ID`.

mod api;
mod correlation;
mod gate;
mod refusal;
mod token;

mod live;
mod readiness;
mod ready;
mod status;

mod catalog;
mod log_level;
mod logs;
mod metrics;
mod not_found;
mod route;

pub use api::Api;
pub use log_level::LogLevel;
pub use logs::{LogReader, LoggedAttempt, LoggedLine};
pub use metrics::{MetricsSource, Scraping};
pub use readiness::{Check, Readiness, Status};
pub use status::{StatusReport, StatusSource};
pub use token::{Access, Token, TokenError};
