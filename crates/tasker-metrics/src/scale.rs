//! Bounds that grow by a constant factor.
//!
//! The format is that of native histograms of Prometheus, whose schemas from −4 to 8 are the scales here,
//! <https://prometheus.io/docs/specs/native_histograms/>, and of exponential histograms of OpenTelemetry,
//! <https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram>: at scale s, bounds grow by
//! 2^(2^−s), so that every second bound of a scale is one of the scale below it. The bucket with index i holds what
//! is greater than 2^((i−1)/2^s) units and not greater than 2^(i/2^s); OpenTelemetry numbers the same bucket i−1.
//!
//! Bounds are whole numbers of 2^−61 or so of a unit, so that which bucket holds a value never depends on rounding.

use crate::description::Unit;

/// How fast the bounds of a histogram grow: by 2^(2^−scale) from one to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scale(i8);

impl Default for Scale {
    /// Scale 3: eight buckets while values double.
    fn default() -> Self {
        Self(3)
    }
}

impl Scale {
    /// The coarsest: bounds grow by 65,536.
    pub const COARSEST: Self = Self(-4);
    /// The finest: bounds grow by 1.0027.
    pub const FINEST: Self = Self(8);

    /// The scale of this number, or the one nearest to it between −4 and 8.
    pub fn new(scale: i8) -> Self {
        Self(scale.clamp(Self::COARSEST.0, Self::FINEST.0))
    }

    /// The number of the scale, which Prometheus calls the schema.
    pub fn number(self) -> i8 {
        self.0
    }

    /// How far a value may be from what is estimated for its bucket, at most, as a part of the value.
    pub fn relative_error(self) -> f64 {
        let growth = self.bound(1);
        (growth - 1.0) / (growth + 1.0)
    }

    /// The upper bound of the bucket with this index, in units.
    pub(crate) fn bound(self, index: i32) -> f64 {
        (f64::from(index) * f64::from(-self.0).exp2()).exp2()
    }

    /// What is estimated for a value in the bucket with this index, in units: as far from both of its bounds, in
    /// proportion to them.
    pub(crate) fn middle(self, index: i32) -> f64 {
        let (lower, upper) = (self.bound(index - 1), self.bound(index));
        2.0 * lower * (upper / (lower + upper))
    }

    /// The scale below it, whose every bucket is two of this.
    pub(crate) fn coarser(self) -> Option<Self> {
        (self > Self::COARSEST).then(|| Self(self.0 - 1))
    }

    /// The scale at which values are recorded: one with a bound at every power of two, if not more.
    pub(crate) fn recorded(self) -> Self {
        Self(self.0.max(0))
    }

    /// How many buckets there are while values double, of a scale that is recorded.
    pub(crate) fn steps(self) -> usize {
        1 << self.0.max(0)
    }
}

/// The index, at a scale that is not higher, of the bucket with this index.
pub(crate) fn lowered(index: i32, from: Scale, to: Scale) -> i32 {
    let by = from.0 - to.0;
    (index + (1 << by) - 1) >> by
}

/// The bounds between one unit and two.
#[derive(Debug)]
pub(crate) struct Octave {
    /// At the finest scale, in parts of 2^−`shift`; the last is twice the first.
    bounds: [u64; FINE + 1],
    shift: u32,
    /// How many powers of two there are below a unit that a value may have, which is a whole number of parts.
    below: i32,
}

const FINE: usize = 256;
/// No value is in so many octaves or more.
pub(crate) const OCTAVES: usize = 66;

static ONE: Octave = Octave::of(1);
static FRACTION: Octave = Octave::of(1_000_000);
static SECONDS: Octave = Octave::of(1_000_000_000);

impl Octave {
    /// Of a unit.
    pub(crate) fn new(unit: Unit) -> &'static Self {
        match unit {
            Unit::One | Unit::Bytes => &ONE,
            Unit::Fraction => &FRACTION,
            Unit::Seconds => &SECONDS,
        }
    }

    /// Halves again and again: a bound between two others is the root of their product.
    const fn of(parts: u64) -> Self {
        let shift = 61 - parts.ilog2();
        let mut bounds = [0; FINE + 1];
        bounds[0] = parts << shift;
        bounds[FINE] = parts << (shift + 1);
        let mut step = FINE;
        while step > 1 {
            let mut at = 0;
            while at < FINE {
                let product = bounds[at] as u128 * bounds[at + step] as u128;
                #[expect(clippy::cast_possible_truncation, reason = "it lies between two that are no longer")]
                let root = product.isqrt() as u64;
                bounds[at + step / 2] = root;
                at += step;
            }
            step /= 2;
        }
        Self { bounds, shift, below: parts.ilog2().cast_signed() + 1 }
    }

    /// The octave of a value that is not zero, from 0 up, and its bucket there at a scale that is recorded.
    #[inline]
    pub(crate) fn place(&self, parts: u64, scale: Scale) -> (usize, usize) {
        let value = u128::from(parts) << self.shift;
        let mut octave = value.ilog2().cast_signed() - 61;
        let mut mantissa = shifted(value, octave);
        if mantissa <= u128::from(self.bounds[0]) {
            octave -= 1;
            mantissa = shifted(value, octave);
        }
        let step = FINE / scale.steps();
        // The greatest number of bounds, all but the last one, that are less than the value.
        let (mut below, mut rest) = (0, scale.steps());
        while rest > 1 {
            rest /= 2;
            if u128::from(self.bounds[(below + rest) * step]) < mantissa {
                below += rest;
            }
        }
        ((octave + self.below).unsigned_abs() as usize, below)
    }

    /// The index of a bucket in an octave.
    pub(crate) fn index(&self, octave: usize, bucket: usize, scale: Scale) -> i32 {
        let place = octave * scale.steps() + bucket + 1;
        let below = self.below.unsigned_abs() as usize * scale.steps();
        i32::try_from(place).expect("invariant: there are few")
            - i32::try_from(below).expect("invariant: few")
    }

    /// The upper bound of the bucket with this index, in whole parts: what is greater is not in it.
    pub(crate) fn bound(&self, index: i32, scale: Scale) -> u128 {
        let fine = FINE.ilog2().cast_signed() - i32::from(scale.number());
        let index = i64::from(index) << fine;
        let octave = index >> FINE.ilog2();
        let at = usize::try_from(index & 0xff).expect("invariant: it is below the number of bounds");
        let bound = u128::from(self.bounds[at]);
        match u32::try_from(octave.unsigned_abs()).unwrap_or(u32::MAX) {
            up if octave >= 0 => bound.checked_shl(up.min(65)).unwrap_or(u128::MAX) >> self.shift,
            down => bound.checked_shr(down).unwrap_or(0) >> self.shift,
        }
    }
}

/// A value divided by a power of two. What is left over counts as a whole: a value is then greater than a bound if it
/// was.
fn shifted(value: u128, octave: i32) -> u128 {
    let by = octave.unsigned_abs();
    if octave < 0 { value << by } else { (value >> by) + u128::from(value & ((1 << by) - 1) > 0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The index of the bucket of a value, found by asking all bounds.
    fn searched(octave: &Octave, parts: u64, scale: Scale) -> i32 {
        (-20_000..20_000).find(|index| octave.bound(*index, scale) >= u128::from(parts)).expect("a bucket")
    }

    #[test]
    fn the_place_of_a_value_is_the_first_bucket_whose_bound_is_not_less() {
        let values =
            [1, 2, 3, 7, 999_999_999, 1_000_000_000, 1_000_000_001, 12_345_678_901, 1 << 63, u64::MAX];
        for unit in [Unit::One, Unit::Seconds, Unit::Fraction] {
            let octave = Octave::new(unit);
            for (parts, scale) in
                values.iter().flat_map(|parts| [0, 3, 8].map(|scale| (*parts, Scale::new(scale))))
            {
                let (at, bucket) = octave.place(parts, scale);
                assert!(at < OCTAVES, "{parts}");
                let index = octave.index(at, bucket, scale);
                assert!(octave.bound(index, scale) >= u128::from(parts), "{unit:?} {parts} {scale:?}");
                assert!(octave.bound(index - 1, scale) < u128::from(parts), "{unit:?} {parts} {scale:?}");
                assert!(searched(octave, parts, scale) <= index);
            }
        }
    }

    #[test]
    fn a_power_of_two_is_a_bound_of_every_scale() {
        for scale in 0..=8 {
            let (scale, steps) = (Scale::new(scale), 1 << scale);
            assert_eq!(SECONDS.bound(0, scale), 1_000_000_000);
            assert_eq!(SECONDS.bound(-2 * steps, scale), 250_000_000);
            assert_eq!(ONE.bound(10 * steps, scale), 1_024);
        }
        assert_eq!(ONE.bound(1, Scale::COARSEST), 65_536);
    }

    #[test]
    fn bounds_are_powers_of_the_factor() {
        let close = |index: i32| {
            #[expect(clippy::cast_precision_loss, reason = "the comparison is a rough one")]
            let bound = SECONDS.bound(index, Scale::FINEST) as f64 / 1e9;
            (bound / Scale::FINEST.bound(index) - 1.0).abs() < 1e-8
        };
        assert!((-512..2_560).all(close));
        assert!((Scale::new(3).relative_error() - 0.0433).abs() < 1e-4);
    }
}
