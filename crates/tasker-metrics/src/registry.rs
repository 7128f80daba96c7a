//! All metrics of a process.

use std::collections::BTreeMap;
use std::mem::discriminant;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::bounds::Bounds;
use crate::counter::Counter;
use crate::description::{Description, Kind, Merge, RegisterError, Unit};
use crate::exponential::ExponentialHistogram;
use crate::family::Family;
use crate::gauge::Gauge;
use crate::histogram::Histogram;
use crate::labels::Labels;
use crate::scale::Scale;
use crate::sets::Sets;
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
    standing: Standing,
    series: Series,
}

/// How a metric came into the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The program declared it, and it is what was declared.
    Declared,
    /// It was found in use, and what is known of it grows.
    Found,
}

/// What an entry has for who registers it.
struct Found {
    unit: Unit,
    standing: Standing,
    series: Series,
}

/// A metric that is used by its name.
pub(crate) struct Registered<M> {
    pub(crate) name: String,
    pub(crate) unit: Unit,
    pub(crate) standing: Standing,
    pub(crate) sets: Sets<M>,
}

#[derive(Debug, Clone)]
pub(crate) enum Series {
    Counters(Sets<Counter>),
    Gauges(Sets<Gauge>),
    Histograms(Sets<Histogram>),
    Exponentials(Sets<ExponentialHistogram>),
}

/// A metric whose series a registry keeps.
pub(crate) trait Metric: Sized {
    /// The series, if they are of this kind.
    fn of(series: Series) -> Option<Sets<Self>>;
    /// What a series reads.
    fn value(&self) -> Value;
}

impl Registry {
    /// Registers a counter, or finds it if it is registered.
    ///
    /// # Errors
    ///
    /// [`RegisterError`] names what cannot be used. The same holds for the other kinds.
    pub fn counter(&self, description: Description) -> Result<Family<Counter>, RegisterError> {
        self.declare(description, Kind::Counter)
    }

    /// Registers a gauge, or finds it if it is registered.
    ///
    /// # Errors
    ///
    /// As [`Registry::counter`].
    pub fn gauge(&self, description: Description, merge: Merge) -> Result<Family<Gauge>, RegisterError> {
        self.declare(description, Kind::Gauge(merge))
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
        self.declare(description, Kind::Histogram(bounds))
    }

    /// Registers an exponential histogram, or finds it if it is registered.
    ///
    /// # Errors
    ///
    /// As [`Registry::counter`].
    pub fn exponential(
        &self,
        description: Description,
        scale: Scale,
    ) -> Result<Family<ExponentialHistogram>, RegisterError> {
        self.declare(description, Kind::Exponential(scale))
    }

    /// The values of all series.
    pub fn snapshot(&self) -> Snapshot {
        let entries = self.entries();
        let mut families: BTreeMap<_, _> =
            entries.iter().map(|(name, entry)| (name.clone(), entry.snapshot())).collect();
        let overflows = entries.iter().map(|(name, entry)| (name, entry.series.overflows()));
        let overflows = overflows.filter(|(_, count)| *count > 0);
        let series: Vec<_> =
            overflows.map(|(name, count)| (Labels::new(&[name]), Value::Count(count))).collect();
        if !series.is_empty() {
            let help = "Values of labels that were too many, and counted under \"__other__\".";
            let description = Description::new(OVERFLOWS, help).labels(&["metric"]);
            families
                .insert(OVERFLOWS.to_owned(), FamilySnapshot { description, kind: Kind::Counter, series });
        }
        Snapshot { families }
    }

    /// The metric that is used by this name, which is registered as described if there is none.
    pub(crate) fn find<M: Metric>(
        &self,
        description: Description,
        kind: Kind,
    ) -> Result<Registered<M>, RegisterError> {
        let name = description.name.clone();
        let entry = self.register(description, kind, Standing::Found)?;
        let sets = M::of(entry.series).expect("invariant: kinds were compared");
        Ok(Registered { name, unit: entry.unit, standing: entry.standing, sets })
    }

    /// The help of a metric that was found.
    pub(crate) fn describe(&self, name: &str, help: &str) {
        if let Some(entry) = self.entries().get_mut(name).filter(|entry| entry.standing == Standing::Found) {
            help.clone_into(&mut entry.description.help);
        }
    }

    fn declare<M: Metric + 'static>(
        &self,
        description: Description,
        kind: Kind,
    ) -> Result<Family<M>, RegisterError> {
        let labels = description.labels.clone();
        let entry = self.register(description, kind, Standing::Declared)?;
        Ok(M::of(entry.series).expect("invariant: kinds were compared").declared(&labels))
    }

    fn register(
        &self,
        description: Description,
        kind: Kind,
        standing: Standing,
    ) -> Result<Found, RegisterError> {
        description.check(&kind)?;
        let mut entries = self.entries();
        if let Some(entry) = entries.get(&description.name)
            && entry.serves(&description, &kind, standing)
        {
            return Ok(entry.found());
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
        let series = Series::of(&kind, &description);
        let entry = Entry { description, kind, standing, series };
        let found = entry.found();
        entries.insert(entry.description.name.clone(), entry);
        Ok(found)
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn found(&self) -> Found {
        Found { unit: self.description.unit, standing: self.standing, series: self.series.clone() }
    }

    /// Whether who registers this gets what is there: what is declared must be the same, what is found of one kind.
    fn serves(&self, description: &Description, kind: &Kind, standing: Standing) -> bool {
        match standing {
            Standing::Found => discriminant(&self.kind) == discriminant(kind),
            Standing::Declared => {
                self.standing == Standing::Declared && self.description == *description && self.kind == *kind
            }
        }
    }

    fn snapshot(&self) -> FamilySnapshot {
        match &self.series {
            Series::Counters(sets) => self.of(sets),
            Series::Gauges(sets) => self.of(sets),
            Series::Histograms(sets) => self.of(sets),
            Series::Exponentials(sets) => self.of(sets),
        }
    }

    fn of<M: Metric + 'static>(&self, sets: &Sets<M>) -> FamilySnapshot {
        let mut whole: Option<FamilySnapshot> = None;
        sets.visit(|labels, family| {
            let description = Description { labels: labels.to_vec(), ..self.description.clone() };
            let mut series = Vec::with_capacity(family.len());
            family.visit(|labels, metric| series.push((labels.clone(), metric.value())));
            let set = FamilySnapshot { description, kind: self.kind.clone(), series };
            match &mut whole {
                Some(whole) => whole.merge(set),
                None => whole = Some(set),
            }
        });
        whole.unwrap_or_else(|| FamilySnapshot {
            description: self.description.clone(),
            kind: self.kind.clone(),
            series: Vec::new(),
        })
    }
}

impl Series {
    fn of(kind: &Kind, description: &Description) -> Self {
        let Description { limit, unit, .. } = *description;
        match kind.clone() {
            Kind::Counter => Self::Counters(Sets::new(limit, Counter::default)),
            Kind::Gauge(_) => Self::Gauges(Sets::new(limit, Gauge::default)),
            Kind::Histogram(bounds) => {
                Self::Histograms(Sets::new(limit, move || Histogram::new(bounds.clone())))
            }
            Kind::Exponential(scale) => {
                Self::Exponentials(Sets::new(limit, move || ExponentialHistogram::new(unit, scale)))
            }
        }
    }

    fn overflows(&self) -> u64 {
        match self {
            Self::Counters(sets) => sets.overflows(),
            Self::Gauges(sets) => sets.overflows(),
            Self::Histograms(sets) => sets.overflows(),
            Self::Exponentials(sets) => sets.overflows(),
        }
    }
}

impl Metric for Counter {
    fn of(series: Series) -> Option<Sets<Self>> {
        if let Series::Counters(sets) = series { Some(sets) } else { None }
    }

    fn value(&self) -> Value {
        Value::Count(self.value())
    }
}

impl Metric for Gauge {
    fn of(series: Series) -> Option<Sets<Self>> {
        if let Series::Gauges(sets) = series { Some(sets) } else { None }
    }

    fn value(&self) -> Value {
        Value::Level(self.value())
    }
}

impl Metric for Histogram {
    fn of(series: Series) -> Option<Sets<Self>> {
        if let Series::Histograms(sets) = series { Some(sets) } else { None }
    }

    fn value(&self) -> Value {
        Value::Distribution(Box::new(self.distribution()))
    }
}

impl Metric for ExponentialHistogram {
    fn of(series: Series) -> Option<Sets<Self>> {
        if let Series::Exponentials(sets) = series { Some(sets) } else { None }
    }

    fn value(&self) -> Value {
        Value::Exponential(Box::new(self.distribution()))
    }
}

/// The names that a metric takes: of its lines, and of its family in OpenMetrics.
fn lines(name: &str, kind: &Kind) -> Vec<String> {
    match kind {
        Kind::Counter => vec![name.to_owned(), kind.family_name(name).to_owned()],
        Kind::Gauge(_) => vec![name.to_owned()],
        Kind::Histogram(_) | Kind::Exponential(_) => {
            let parts = ["", "_bucket", "_sum", "_count", "_created"];
            parts.iter().map(|part| format!("{name}{part}")).collect()
        }
    }
}
