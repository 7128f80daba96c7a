//! All HTTP: for now health and metrics.
//!
//! [`Api`] answers on a listener until it is told to stop. What it knows of the process behind it comes in by narrow
//! traits, such as [`Readiness`] and [`MetricsSource`]: this crate knows no store, no engine and no settings.
//!
//! Every route answers under `/` and under `/tasker`, the prefix of the Rails engine.

mod api;
mod live;
mod metrics;
mod not_found;
mod readiness;
mod ready;

pub use api::Api;
pub use metrics::MetricsSource;
pub use readiness::{Check, Readiness, Status};
