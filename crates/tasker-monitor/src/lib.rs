//! What a process of Tasker is watched by: its metrics, and what is made of them.
//!
//! One table, the catalog, has every [`Metric`] with its name, its labels, its unit and its meaning. Beside it stand the
//! [`Fold`], which makes metrics of events, and what follows from the catalog: the page of the reference, the
//! [`dashboard`], the [alerts](alert_rules) and [recordings](recording_rules) for Prometheus. A query that asks for what is
//! not in the catalog is an error.
//!
//! This crate knows no store, no handler and no network.

mod catalog;
mod dashboard;
mod fold;
mod rules;

pub use catalog::{Metric, QueryError, check_query, metrics_reference};
pub use dashboard::dashboard;
pub use fold::{Exemplars, Fold};
pub use rules::{alert_rules, recording_rules};
