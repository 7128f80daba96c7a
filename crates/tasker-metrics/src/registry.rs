//! All metrics of a process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::counter::Counter;
use crate::description::{Description, Kind, Merge, RegisterError};
use crate::family::Family;
use crate::gauge::Gauge;
use crate::histogram::{Bounds, Histogram};
use crate::labels::Labels;
use crate::snapshot::{FamilySnapshot, Snapshot, Value};

/// What counts the overflows of all families.
const OVERFLOWS: &str = "tasker_metrics_overflows_total";

/// All metrics of a process. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Registry(Arc<Mutex<BTreeMap<String, Entry>>>);

#[derive(Debug)]
struct Entry {
    description: Description,
    kind: Kind,
    series: Series,
}

#[derive(Debug, Clone)]
enum Series {
    Counters(Family<Counter>),
    Gauges(Family<Gauge>),
    Histograms(Family<Histogram>),
}

impl Registry {
    /// Registers a counter, or finds it if it is registered.
    ///
    /// # Errors
    ///
    /// [`RegisterError`] names what cannot be used. The same holds for the other kinds.
    pub fn counter(&self, description: Description) -> Result<Family<Counter>, RegisterError> {
        let make = |labels, limit| Series::Counters(Family::new(labels, limit, Counter::default));
        match self.register(description, Kind::Counter, make)? {
            Series::Counters(family) => Ok(family),
            Series::Gauges(_) | Series::Histograms(_) => unreachable!("invariant: kinds were compared"),
        }
    }

    /// Registers a gauge, or finds it if it is registered.
    ///
    /// # Errors
    ///
    /// As [`Registry::counter`].
    pub fn gauge(&self, description: Description, merge: Merge) -> Result<Family<Gauge>, RegisterError> {
        let make = |labels, limit| Series::Gauges(Family::new(labels, limit, Gauge::default));
        match self.register(description, Kind::Gauge(merge), make)? {
            Series::Gauges(family) => Ok(family),
            Series::Counters(_) | Series::Histograms(_) => unreachable!("invariant: kinds were compared"),
        }
    }

    /// Registers a histogram, or finds it if it is registered.
    ///
    /// # Errors
    ///
    /// As [`Registry::counter`].
    pub fn histogram(
        &self,
        description: Description,
        bounds: Bounds,
    ) -> Result<Family<Histogram>, RegisterError> {
        let kind = Kind::Histogram(bounds.clone());
        let make = move |labels, limit| {
            Series::Histograms(Family::new(labels, limit, move || Histogram::new(bounds.clone())))
        };
        match self.register(description, kind, make)? {
            Series::Histograms(family) => Ok(family),
            Series::Counters(_) | Series::Gauges(_) => unreachable!("invariant: kinds were compared"),
        }
    }

    fn register(
        &self,
        description: Description,
        kind: Kind,
        make: impl FnOnce(usize, usize) -> Series,
    ) -> Result<Series, RegisterError> {
        description.check(&kind)?;
        let mut entries = self.entries();
        if let Some(entry) = entries.get(&description.name)
            && entry.description == description
            && entry.kind == kind
        {
            return Ok(entry.series.clone());
        }
        let lines = lines(&description.name, &kind);
        let is_in_the_way =
            |name: &str, other: &Kind| self::lines(name, other).iter().any(|line| lines.contains(line));
        let other = entries
            .iter()
            .find(|(name, entry)| is_in_the_way(name, &entry.kind))
            .map(|(name, _)| name.clone());
        let other = other.or_else(|| is_in_the_way(OVERFLOWS, &Kind::Counter).then(|| OVERFLOWS.to_owned()));
        if let Some(other) = other {
            return Err(RegisterError::Taken { name: description.name, other });
        }
        let series = make(description.labels.len(), description.limit);
        let entry = Entry { kind, series: series.clone(), description };
        entries.insert(entry.description.name.clone(), entry);
        Ok(series)
    }

    /// The values of all series.
    pub fn snapshot(&self) -> Snapshot {
        let entries = self.entries();
        let mut families: BTreeMap<_, _> =
            entries.iter().map(|(name, entry)| (name.clone(), entry.snapshot())).collect();
        let overflows = entries.iter().filter(|(_, entry)| entry.overflows() > 0);
        let series: Vec<_> =
            overflows.map(|(name, entry)| (Labels::new(&[name]), Value::Count(entry.overflows()))).collect();
        if !series.is_empty() {
            let help = "Values of labels that were too many, and counted under \"__other__\".";
            let description = Description::new(OVERFLOWS, help).labels(&["metric"]);
            families
                .insert(OVERFLOWS.to_owned(), FamilySnapshot { description, kind: Kind::Counter, series });
        }
        Snapshot { families }
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn overflows(&self) -> u64 {
        match &self.series {
            Series::Counters(family) => family.overflows(),
            Series::Gauges(family) => family.overflows(),
            Series::Histograms(family) => family.overflows(),
        }
    }

    fn snapshot(&self) -> FamilySnapshot {
        let mut series = Vec::new();
        match &self.series {
            Series::Counters(family) => {
                family.visit(|labels, counter| series.push((labels.clone(), Value::Count(counter.value()))));
            }
            Series::Gauges(family) => {
                family.visit(|labels, gauge| series.push((labels.clone(), Value::Level(gauge.value()))));
            }
            Series::Histograms(family) => family.visit(|labels, histogram| {
                series.push((labels.clone(), Value::Distribution(histogram.distribution())));
            }),
        }
        FamilySnapshot { description: self.description.clone(), kind: self.kind.clone(), series }
    }
}

/// The names that a metric takes: of its lines, and of its family in OpenMetrics.
fn lines(name: &str, kind: &Kind) -> Vec<String> {
    match kind {
        Kind::Counter => vec![name.to_owned(), kind.family_name(name).to_owned()],
        Kind::Gauge(_) => vec![name.to_owned()],
        Kind::Histogram(_) => {
            let parts = ["", "_bucket", "_sum", "_count", "_created"];
            parts.iter().map(|part| format!("{name}{part}")).collect()
        }
    }
}
