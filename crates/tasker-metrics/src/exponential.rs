//! Histograms whose bounds need not be chosen.
//!
//! Their bounds grow by a constant factor, so that every value is known with the same relative error, from a
//! nanosecond to a century. Distributions of different scales merge exactly into one of the lower scale.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::description::Unit;
use crate::exemplar::{Exemplar, Exemplars, Origin};
use crate::halves::Halves;
use crate::scale::{OCTAVES, Octave, Scale, lowered};
use crate::snapshot::Bucket;

/// A distribution has at most so many buckets: the scale is lowered until they are enough. OpenTelemetry's number.
const MOST: i32 = 160;

/// How often values were in which range, for ranges that grow by a constant factor, and their sum.
///
/// Observing costs about what it costs a [`Histogram`](crate::Histogram), and never waits. A series takes 3 KiB, and
/// for every doubling of values that occurs two numbers for each of its [`Scale`]'s buckets.
#[derive(Debug)]
pub struct ExponentialHistogram {
    octave: &'static Octave,
    scale: Scale,
    halves: Halves<Buckets>,
    /// One for every octave.
    exemplars: Exemplars,
}

#[derive(Debug)]
struct Buckets {
    zeros: AtomicU64,
    octaves: Box<[OnceLock<Box<[AtomicU64]>>]>,
}

/// How often values were in which range, for ranges that grow by a constant factor, and their sum.
///
/// The buckets are numbered as Prometheus numbers those of native histograms: at scale s, that with index i holds
/// what is greater than 2^((i−1)/2^s) units and not greater than 2^(i/2^s).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExponentialDistribution {
    /// How fast the bounds grow.
    pub scale: Scale,
    /// How many values were zero.
    pub zeros: u64,
    /// The index of the first bucket; 0 if there is none.
    pub first: i32,
    /// How many values each bucket has, from the first that has any to the last: at most 160.
    pub counts: Vec<u64>,
    /// The sum of all values, in parts of the unit.
    pub sum: u128,
    /// The newest exemplars, at most one for each bucket, by the indexes of the buckets.
    pub exemplars: BTreeMap<i32, Exemplar>,
}

impl ExponentialHistogram {
    /// A histogram without observations.
    pub fn new(unit: Unit, scale: Scale) -> Self {
        let (octave, halves) = (Octave::new(unit), Halves::new(Buckets::new));
        Self { octave, scale, halves, exemplars: Exemplars::default() }
    }

    /// Records a duration, of a histogram in [`Unit::Seconds`]; one of more than 584 years as that.
    #[inline]
    pub fn observe(&self, duration: Duration) {
        self.record(Unit::parts_of_duration(duration));
    }

    /// Records a value in parts of the unit. The sum of those between two readings is kept modulo 2⁶⁴.
    #[inline]
    pub fn record(&self, parts: u64) {
        if parts == 0 {
            self.halves.record(0, |buckets| _ = buckets.zeros.fetch_add(1, Ordering::Relaxed));
            return;
        }
        let scale = self.scale.recorded();
        let (octave, bucket) = self.octave.place(parts, scale);
        self.halves.record(parts, |buckets| buckets.add(octave, bucket, 1, scale));
    }

    /// Records a duration as [`observe`](Self::observe) does, and keeps it as an exemplar.
    pub fn observe_with(&self, duration: Duration, origin: Origin) {
        self.record_with(Unit::parts_of_duration(duration), origin);
    }

    /// Records a value as [`record`](Self::record) does, and keeps it as an exemplar until there is a newer one that
    /// lies between the same two powers of two. Zero is no example of anything.
    pub fn record_with(&self, parts: u64, origin: Origin) {
        self.record(parts);
        if parts > 0 {
            let (octave, _) = self.octave.place(parts, self.scale.recorded());
            self.exemplars.keep(Exemplar { origin, parts }, octave, OCTAVES);
        }
    }

    /// What was observed, at one time.
    pub fn distribution(&self) -> ExponentialDistribution {
        let scale = self.scale.recorded();
        // Before the counts, so that what is an example of a bucket is counted in it.
        let exemplars = self.exemplars(scale);
        let ((zeros, seen), sum) = self.halves.read(|cold, hot| cold.move_into(hot, scale));
        let mut distribution =
            ExponentialDistribution { scale, zeros, first: 0, counts: Vec::new(), sum, exemplars };
        let index = |octave, bucket| self.octave.index(octave, bucket, scale);
        if let (Some(first), Some(last)) = (seen.first(), seen.last()) {
            distribution.first = index(first.0, first.1);
            let length = index(last.0, last.1) - distribution.first + 1;
            distribution.counts = vec![0; length.unsigned_abs() as usize];
            for (octave, bucket, count) in &seen {
                let place = index(*octave, *bucket) - distribution.first;
                distribution.counts[place.unsigned_abs() as usize] += count;
            }
        }
        distribution.at(self.scale).fitted()
    }

    fn exemplars(&self, scale: Scale) -> BTreeMap<i32, Exemplar> {
        let index = |exemplar: Exemplar| {
            let (octave, bucket) = self.octave.place(exemplar.parts, scale);
            (self.octave.index(octave, bucket, scale), exemplar)
        };
        self.exemplars.kept().into_iter().flatten().map(index).collect()
    }
}

impl Buckets {
    fn new() -> Self {
        Self { zeros: AtomicU64::new(0), octaves: (0..OCTAVES).map(|_| OnceLock::new()).collect() }
    }

    #[inline]
    fn add(&self, octave: usize, bucket: usize, count: u64, scale: Scale) {
        let make = || (0..scale.steps()).map(|_| AtomicU64::new(0)).collect();
        self.octaves[octave].get_or_init(make)[bucket].fetch_add(count, Ordering::Relaxed);
    }

    /// Moves all counts: the zeros, and the others in ascending order by octave and bucket.
    fn move_into(&self, other: &Self, scale: Scale) -> (u64, Vec<(usize, usize, u64)>) {
        let zeros = self.zeros.swap(0, Ordering::Relaxed);
        other.zeros.fetch_add(zeros, Ordering::Relaxed);
        let mut seen = Vec::new();
        for (octave, buckets) in self.octaves.iter().enumerate() {
            for (bucket, count) in buckets.get().into_iter().flatten().enumerate() {
                let count = count.swap(0, Ordering::Relaxed);
                if count > 0 {
                    other.add(octave, bucket, count, scale);
                    seen.push((octave, bucket, count));
                }
            }
        }
        (zeros, seen)
    }
}

impl ExponentialDistribution {
    /// How many values there are.
    pub fn count(&self) -> u64 {
        self.zeros + self.counts.iter().sum::<u64>()
    }

    /// Whether a histogram can have this. What another process wrote need not be, and is not to be merged.
    pub fn is_possible(&self) -> bool {
        let most = OCTAVES * Scale::FINEST.steps();
        self.first.unsigned_abs() as usize <= most && self.counts.len() <= MOST as usize
    }

    /// Both together, exactly, at the lower scale of both or at one that has few enough buckets.
    #[must_use]
    pub fn merged(&self, other: &Self) -> Self {
        let scale = self.scale.min(other.scale);
        self.at(scale).added(&other.at(scale)).fitted()
    }

    /// What a part of all values is not greater than, such as 0.99 of them, in units, with the relative error of the
    /// scale; `None` if there are no values.
    ///
    /// The value of that rank is in a bucket, and this is [as far](Scale::relative_error) from both its bounds.
    pub fn quantile(&self, part: f64) -> Option<f64> {
        let count = self.count();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "a rank among more than 2⁵² values need not be exact"
        )]
        let rank = ((part.clamp(0.0, 1.0) * count as f64).ceil() as u64).max(1);
        if count == 0 || part.is_nan() {
            return None;
        }
        let mut below = self.zeros;
        if rank <= below {
            return Some(0.0);
        }
        let reaches = |(_, count): &(i32, u64)| {
            below += count;
            below >= rank
        };
        let bucket = self.buckets().find(reaches).or_else(|| self.buckets().last());
        bucket.map(|(index, _)| self.scale.middle(index))
    }

    /// The buckets as they are told. Bounds that lie between the same two whole parts are one.
    pub(crate) fn cumulative(&self, unit: Unit) -> impl Iterator<Item = Bucket> {
        let octave = Octave::new(unit);
        let mut below = self.zeros;
        let first = if self.counts.is_empty() { 0 } else { octave.bound(self.first - 1, self.scale) };
        let mut told = vec![Bucket { bound: Some(first), below, exemplar: None }];
        for (index, count) in self.buckets() {
            below += count;
            let bound = Some(octave.bound(index, self.scale));
            let exemplar = self.exemplars.get(&index).copied();
            match told.last_mut() {
                Some(last) if last.bound == bound => last.below = below,
                _ => told.push(Bucket { bound, below, exemplar }),
            }
        }
        told.push(Bucket { bound: None, below, exemplar: None });
        told.into_iter()
    }

    /// The buckets by their indexes.
    fn buckets(&self) -> impl Iterator<Item = (i32, u64)> {
        (self.first..).zip(self.counts.iter().copied())
    }

    /// The same at a scale that is not higher.
    fn at(&self, scale: Scale) -> Self {
        let lowered = |index| lowered(index, self.scale, scale);
        let first = if self.counts.is_empty() { 0 } else { lowered(self.first) };
        let mut counts = Vec::with_capacity(self.counts.len());
        for (index, count) in self.buckets() {
            let place = (lowered(index) - first).unsigned_abs() as usize;
            counts.resize(counts.len().max(place + 1), 0);
            counts[place] += count;
        }
        let mut exemplars = BTreeMap::new();
        newest(&mut exemplars, self.exemplars.iter().map(|(index, exemplar)| (lowered(*index), *exemplar)));
        Self { scale, first, counts, exemplars, ..*self }
    }

    /// The same at the highest scale at which there are not too many buckets.
    fn fitted(self) -> Self {
        let last = self.first + i32::try_from(self.counts.len()).unwrap_or(i32::MAX) - 1;
        let is_fit = |scale: &Scale| {
            let lowered = |index| lowered(index, self.scale, *scale);
            lowered(last) - lowered(self.first) < MOST
        };
        let mut scales = std::iter::successors(Some(self.scale), |scale| scale.coarser());
        let scale = scales.find(is_fit).unwrap_or(Scale::COARSEST);
        if scale == self.scale { self } else { self.at(scale) }
    }

    /// Both together, at one scale.
    fn added(mut self, other: &Self) -> Self {
        self.zeros += other.zeros;
        self.sum = self.sum.wrapping_add(other.sum);
        newest(&mut self.exemplars, other.exemplars.iter().map(|(index, exemplar)| (*index, *exemplar)));
        if self.counts.is_empty() {
            self.first = other.first;
        }
        if other.counts.is_empty() {
            return self;
        }
        let missing = (self.first - other.first).max(0);
        self.first -= missing;
        self.counts.splice(0..0, std::iter::repeat_n(0, missing.unsigned_abs() as usize));
        let length = (other.first - self.first).unsigned_abs() as usize + other.counts.len();
        self.counts.resize(self.counts.len().max(length), 0);
        for (index, count) in other.buckets() {
            self.counts[(index - self.first).unsigned_abs() as usize] += count;
        }
        self
    }
}

/// Keeps the newest exemplar of each bucket.
fn newest(kept: &mut BTreeMap<i32, Exemplar>, others: impl Iterator<Item = (i32, Exemplar)>) {
    for (index, exemplar) in others {
        let kept = kept.entry(index).or_insert(exemplar);
        *kept = exemplar.max(*kept);
    }
}
