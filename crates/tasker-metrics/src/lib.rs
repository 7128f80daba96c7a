//! What is counted.
//!
//! A [`Registry`] keeps families of metrics: [`Counter`], [`Gauge`], [`Histogram`] and [`ExponentialHistogram`], each
//! with the labels that its [`Description`] names. A handle of a series is found once and kept: to count with it is
//! one atomic operation. A [`Snapshot`] holds the values of all series at one time; snapshots of several processes
//! merge, and [`encode`](text::encode) writes one as the text that Prometheus reads.
//!
//! ```
//! use tasker_metrics::{Description, Registry, text};
//!
//! let registry = Registry::default();
//! let served = Description::new("cups_served_total", "Cups that were served.").labels(&["kind"]);
//! let served = registry.counter(served)?;
//! served.with(&["tea"]).add(2);
//! let text = text::encode(&registry.snapshot(), text::Format::Prometheus);
//! assert!(text.ends_with("cups_served_total{kind=\"tea\"} 2\n"), "{text}");
//! # Ok::<(), tasker_metrics::RegisterError>(())
//! ```
//!
//! Families are bounded: a label that has taken [`limit`](Description::limit) values takes [`OVERFLOW`] in place of
//! every further one, so that no wild label can fill the memory of a process or of what scrapes it.
//!
//! What libraries count through the macros of the crate `metrics` comes into the same registry by a [`Facade`].
//!
//! This crate knows no task, no event and no network.

mod bounds;
mod counter;
mod description;
mod exemplar;
mod exponential;
mod facade;
mod family;
mod gauge;
mod halves;
mod histogram;
mod labels;
mod process;
mod registry;
mod scale;
mod sets;
mod snapshot;
pub mod text;

pub use bounds::Bounds;
pub use counter::Counter;
pub use description::{Description, Kind, Merge, RegisterError, Unit};
pub use exemplar::{Exemplar, Origin};
pub use exponential::{ExponentialDistribution, ExponentialHistogram};
pub use facade::{Facade, FacadeSettings};
pub use family::{Family, Handle, OVERFLOW};
pub use gauge::Gauge;
pub use histogram::Histogram;
pub use labels::Labels;
pub use process::ProcessFiles;
pub use registry::Registry;
pub use scale::Scale;
pub use snapshot::{Distribution, FamilySnapshot, Snapshot, Value};
