//! The values of all series at one time.

use std::collections::BTreeMap;

use crate::bounds::Bounds;
use crate::description::{Description, Kind, Merge};
use crate::exemplar::Exemplar;
use crate::exponential::ExponentialDistribution;
use crate::labels::Labels;

/// The values of all series at one time, by the names of their metrics.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// The families by name.
    pub families: BTreeMap<String, FamilySnapshot>,
}

/// The values of one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct FamilySnapshot {
    /// What it is called and means.
    pub description: Description,
    /// What kind of metric it is.
    pub kind: Kind,
    /// The values, in ascending order of the labels.
    pub series: Vec<(Labels, Value)>,
}

/// The value of one series.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Of a counter.
    Count(u64),
    /// Of a gauge.
    Level(f64),
    /// Of a histogram; in a box, as most series are counters and gauges.
    Distribution(Box<Distribution>),
    /// Of an exponential histogram.
    Exponential(Box<ExponentialDistribution>),
}

/// How often values were in which range, and their sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// The upper bounds of all buckets but the last.
    pub bounds: Bounds,
    /// How many values each bucket has; one more than there are bounds.
    pub counts: Vec<u64>,
    /// The sum of all values, in parts of the unit.
    pub sum: u128,
    /// The newest exemplar of each bucket; nothing at all if there is none.
    pub exemplars: Vec<Option<Exemplar>>,
}

/// A bucket as it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bucket {
    /// The upper bound in parts; none for the last.
    pub(crate) bound: Option<u128>,
    /// How many values are not greater.
    pub(crate) below: u64,
    pub(crate) exemplar: Option<Exemplar>,
}

impl Snapshot {
    /// Adds what another process counted.
    ///
    /// Counts and distributions are added, gauges merged as their descriptions say. Where labels differ, all are
    /// there, those that a series does not have without a value. A family that is another kind of metric there, or
    /// measured in something else, is left out, and its name returned: two releases may run side by side.
    pub fn merge(&mut self, other: Self) -> Vec<String> {
        let mut left_out = Vec::new();
        for (name, theirs) in other.families {
            match self.families.get_mut(&name) {
                None => drop(self.families.insert(name, theirs)),
                Some(ours) if ours.is_like(&theirs) => ours.merge(theirs),
                Some(_) => left_out.push(name),
            }
        }
        left_out
    }
}

impl FamilySnapshot {
    fn is_like(&self, other: &Self) -> bool {
        let kinds = match (&self.kind, &other.kind) {
            (Kind::Histogram(_), Kind::Histogram(_)) | (Kind::Exponential(_), Kind::Exponential(_)) => true,
            (ours, theirs) => ours == theirs,
        };
        kinds && self.description.unit == other.description.unit
    }

    /// Adds the series of a family that [`is_like`](Self::is_like) it.
    pub(crate) fn merge(&mut self, mut other: Self) {
        let labels = &self.description.labels;
        if *labels != other.description.labels {
            let mut all: Vec<String> = labels.iter().chain(&other.description.labels).cloned().collect();
            all.sort_unstable();
            all.dedup();
            self.relabel(&all);
            other.relabel(&all);
        }
        let merge = match self.kind {
            Kind::Gauge(merge) => merge,
            Kind::Counter | Kind::Histogram(_) | Kind::Exponential(_) => Merge::Sum,
        };
        let mut series = Vec::with_capacity(self.series.len().max(other.series.len()));
        let mut others = other.series.into_iter().peekable();
        for (labels, mut value) in std::mem::take(&mut self.series) {
            while let Some(before) = others.next_if(|(theirs, _)| *theirs < labels) {
                series.push(before);
            }
            if let Some((_, theirs)) = others.next_if(|(theirs, _)| *theirs == labels) {
                value.merge(theirs, merge);
            }
            series.push((labels, value));
        }
        series.extend(others);
        self.series = series;
    }

    /// Gives all series these labels, among which are all that they have.
    fn relabel(&mut self, all: &[String]) {
        let places: Vec<Option<usize>> =
            all.iter().map(|label| self.description.labels.iter().position(|ours| ours == label)).collect();
        for (labels, _) in &mut self.series {
            let values: Vec<&str> = labels.values().collect();
            let arranged: Vec<&str> = places.iter().map(|place| place.map_or("", |at| values[at])).collect();
            *labels = Labels::new(&arranged);
        }
        self.series.sort_by(|one, other| one.0.cmp(&other.0));
        all.clone_into(&mut self.description.labels);
    }
}

impl Value {
    fn merge(&mut self, other: Self, merge: Merge) {
        match (self, other) {
            (Self::Count(ours), Self::Count(theirs)) => *ours = ours.wrapping_add(theirs),
            (Self::Level(ours), Self::Level(theirs)) => {
                *ours = match merge {
                    Merge::Sum => *ours + theirs,
                    Merge::Max => ours.max(theirs),
                    Merge::Min => ours.min(theirs),
                }
            }
            (Self::Distribution(ours), Self::Distribution(theirs)) => **ours = ours.merged(&theirs),
            (Self::Exponential(ours), Self::Exponential(theirs)) => **ours = ours.merged(&theirs),
            (Self::Count(_) | Self::Level(_) | Self::Distribution(_) | Self::Exponential(_), _) => {
                unreachable!("invariant: values of one kind are in families of one kind")
            }
        }
    }
}

impl Distribution {
    /// How many values there are.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The buckets as they are told.
    pub(crate) fn cumulative(&self) -> impl Iterator<Item = Bucket> {
        let bounds = self.bounds.as_parts().iter().map(|bound| Some(u128::from(*bound)));
        let counts = self.counts.iter().scan(0, |below, count| {
            *below += count;
            Some(*below)
        });
        let exemplars = self.exemplars.iter().copied().chain(std::iter::repeat(None));
        let buckets = bounds.chain([None]).zip(counts).zip(exemplars);
        buckets.map(|((bound, below), exemplar)| Bucket { bound, below, exemplar })
    }

    /// Both together. Where bounds differ, those that both have remain: counts below them are exact on both sides.
    #[must_use]
    pub fn merged(&self, other: &Self) -> Self {
        let bounds = self.bounds.intersection(&other.bounds);
        let (mut counts, mut exemplars) = (vec![0_u64; bounds.as_parts().len() + 1], Vec::new());
        for side in [self, other] {
            for (place, count) in side.places_within(&bounds).zip(&side.counts) {
                counts[place] = counts[place].wrapping_add(*count);
            }
            for (place, exemplar) in side.places_within(&bounds).zip(&side.exemplars) {
                exemplars.resize(counts.len(), None);
                exemplars[place] = exemplars[place].max(*exemplar);
            }
        }
        Self { bounds, counts, sum: self.sum.wrapping_add(other.sum), exemplars }
    }

    /// Which bucket each of its own is in, among buckets with these bounds, which are some of its own.
    fn places_within(&self, bounds: &Bounds) -> impl Iterator<Item = usize> {
        let bounds = bounds.as_parts();
        let place = |upper: &u64| bounds.partition_point(|bound| bound < upper);
        self.bounds.as_parts().iter().map(place).chain([bounds.len()])
    }
}
