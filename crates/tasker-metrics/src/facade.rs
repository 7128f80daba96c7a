//! The recorder of the `metrics` facade.
//!
//! Libraries count through the macros of the crate `metrics`. A [`Facade`] is where these arrive: what they count is
//! in the same [`Registry`], bounded by the same limits and told in the same snapshots as what the program declares.
//!
//! Nothing that a library does breaks a scrape. A name that Prometheus would not read is written with underscores; a
//! metric that would then be mistaken for another one is refused, and what it would have counted is counted in
//! `tasker_metrics_refused_total`, by the name and the reason:
//!
//! | Reason | What was wrong |
//! |---|---|
//! | `name` | Nothing that can be read is left of the name, or another name is written in the same way. |
//! | `kind` | A metric of another kind has the name. |
//! | `names` | There are too many names. |
//! | `label` | Two labels are written in the same way. |
//! | `labels` | There are too many sets of labels under one name. |
//! | `value` | A histogram does not take what is negative or no number. |

mod handles;
mod names;
mod settings;
mod table;

use std::fmt;
use std::sync::Arc;

use metrics::{Key, KeyName, Metadata, Recorder, SharedString};

use crate::counter::Counter;
use crate::description::{Description, Kind, RegisterError, Unit};
use crate::family::{Family, Handle};
use crate::gauge::Gauge;
use crate::histogram::Histogram;
use crate::registry::{Metric, Registry};

use handles::{Lost, Scaled};
use table::Table;

pub use settings::FacadeSettings;

/// What counts all that is refused.
const REFUSED: &str = "tasker_metrics_refused_total";

/// The recorder of the `metrics` facade over a [`Registry`]. Cheap to clone; a registry has one.
///
/// ```
/// use tasker_metrics::{Facade, FacadeSettings, Registry, text};
///
/// let registry = Registry::default();
/// let facade = Facade::new(&registry, FacadeSettings::default())?;
/// metrics::with_local_recorder(&facade, || {
///     metrics::describe_counter!("cups.served", "Cups that were served.");
///     metrics::counter!("cups.served", "kind" => "tea").increment(2);
/// });
/// let text = text::encode(&registry.snapshot(), text::Format::Prometheus);
/// assert!(text.ends_with("cups_served_total{kind=\"tea\"} 2\n"), "{text}");
/// # Ok::<(), tasker_metrics::RegisterError>(())
/// ```
///
/// A program gives it to `metrics::set_global_recorder` once, when it starts. Handles are worth keeping: one costs as
/// much as the metric itself, and the macro that finds it many times that.
#[derive(Clone)]
pub struct Facade(Arc<Inner>);

struct Inner {
    registry: Registry,
    settings: FacadeSettings,
    refused: Family<Counter>,
    counters: Table<Counter>,
    gauges: Table<Gauge>,
    histograms: Table<Histogram>,
}

/// Why something is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    Name,
    Kind,
    Names,
    Label,
    Labels,
    Value,
}

impl Refusal {
    fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Kind => "kind",
            Self::Names => "names",
            Self::Label => "label",
            Self::Labels => "labels",
            Self::Value => "value",
        }
    }
}

impl fmt::Debug for Facade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facade").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

impl Facade {
    /// A recorder over a registry.
    ///
    /// # Errors
    ///
    /// [`RegisterError`] if the program has another metric named `tasker_metrics_refused_total`.
    pub fn new(registry: &Registry, settings: FacadeSettings) -> Result<Self, RegisterError> {
        let help = "What came through the metrics facade and could not be counted, by why.";
        let refused = Description::new(REFUSED, help).labels(&["metric", "reason"]);
        Ok(Self(Arc::new(Inner {
            registry: registry.clone(),
            refused: registry.counter(refused)?,
            settings,
            counters: Table::default(),
            gauges: Table::default(),
            histograms: Table::default(),
        })))
    }
}

impl Inner {
    fn find<M: Metric + 'static>(
        &self,
        table: &Table<M>,
        key: &Key,
        kind: impl FnOnce() -> Kind,
    ) -> Result<(Handle<M>, Unit), Refusal> {
        let found = table.find(key.name(), self.settings.names, |help| {
            let kind = kind();
            let legal = names::of_metric(key.name(), &kind).ok_or(Refusal::Name)?;
            let unit = names::unit(&legal, &kind);
            let description = Description::new(legal, help).unit(unit).limit(self.settings.limit);
            let is_counter = kind == Kind::Counter;
            let metric = self.registry.find(description, kind).map_err(|_| Refusal::Kind)?;
            // A counter that is declared in a unit with parts counts those, and the facade has only whole ones.
            if is_counter && metric.unit.parts() != 1 { Err(Refusal::Kind) } else { Ok(metric) }
        })?;
        Ok((found.series(key.labels())?, found.unit()))
    }

    fn describe<M>(&self, table: &Table<M>, name: &str, unit: Option<metrics::Unit>, help: &str) {
        let help = names::help(help, unit, name);
        if let Some(legal) = table.describe(name, &help, self.settings.names) {
            self.registry.describe(&legal, &help);
        }
    }

    fn lost(&self, key: &Key, refusal: Refusal) -> Arc<Lost> {
        Arc::new(Lost(self.refused.with(&[key.name(), refusal.name()])))
    }
}

impl Recorder for Facade {
    fn describe_counter(&self, key: KeyName, unit: Option<metrics::Unit>, description: SharedString) {
        self.0.describe(&self.0.counters, key.as_str(), unit, &description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<metrics::Unit>, description: SharedString) {
        self.0.describe(&self.0.gauges, key.as_str(), unit, &description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<metrics::Unit>, description: SharedString) {
        self.0.describe(&self.0.histograms, key.as_str(), unit, &description);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> metrics::Counter {
        match self.0.find(&self.0.counters, key, || Kind::Counter) {
            Ok((counter, _)) => metrics::Counter::from_arc(counter.into_series()),
            Err(refusal) => metrics::Counter::from_arc(self.0.lost(key, refusal)),
        }
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> metrics::Gauge {
        match self.0.find(&self.0.gauges, key, || Kind::Gauge(self.0.settings.merge_of(key.name()))) {
            Ok((gauge, _)) => metrics::Gauge::from_arc(gauge.into_series()),
            Err(refusal) => metrics::Gauge::from_arc(self.0.lost(key, refusal)),
        }
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> metrics::Histogram {
        let kind = || Kind::Histogram(self.0.settings.bounds_of(key.name()));
        match self.0.find(&self.0.histograms, key, kind) {
            Ok((histogram, unit)) => {
                let refused = self.0.refused.clone();
                metrics::Histogram::from_arc(Arc::new(Scaled::new(key.name(), histogram, unit, refused)))
            }
            Err(refusal) => metrics::Histogram::from_arc(self.0.lost(key, refusal)),
        }
    }
}
