//! What a metric is called and means.

use std::time::Duration;

use crate::bounds::Bounds;
use crate::scale::Scale;

/// Labels take at most so many values if nothing else is said.
const USUAL_LIMIT: usize = 200;

/// What a metric is called and means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    pub(crate) name: String,
    pub(crate) help: String,
    pub(crate) labels: Vec<String>,
    pub(crate) unit: Unit,
    pub(crate) limit: usize,
}

/// What a metric is measured in.
///
/// Histograms add up whole numbers of a small part of the unit, so that a sum is exact in whatever order it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unit {
    /// Nothing: a number of things. Recorded as it is.
    #[default]
    One,
    /// Seconds. Recorded in nanoseconds.
    Seconds,
    /// Bytes. Recorded as they are.
    Bytes,
    /// Nothing: a number that may have a fraction. Recorded in millionths.
    Fraction,
}

impl Unit {
    /// How many recorded parts make one.
    pub fn parts(self) -> u64 {
        match self {
            Self::One | Self::Bytes => 1,
            Self::Seconds => 1_000_000_000,
            Self::Fraction => 1_000_000,
        }
    }

    /// What a metric is measured in whose name, before `_total`, is this.
    pub(crate) fn told_by(stem: &str) -> Option<Self> {
        let is_told = |unit: &Self| unit.suffix().is_some_and(|suffix| stem.ends_with(suffix));
        [Self::Seconds, Self::Bytes].into_iter().find(is_told)
    }

    /// A value in parts, as far as they go; `None` if it is no number or less than zero.
    pub(crate) fn parts_of(self, value: f64) -> Option<u64> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "the parts of a unit are few, and a cast ends at what there is"
        )]
        (value >= 0.0 && value.is_finite()).then(|| (value * self.parts() as f64).round() as u64)
    }

    /// A duration in parts of [`Unit::Seconds`].
    #[inline]
    pub(crate) fn parts_of_duration(duration: Duration) -> u64 {
        u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
    }

    /// What the name of a metric in it ends with, before `_total`.
    pub(crate) fn suffix(self) -> Option<&'static str> {
        match self {
            Self::One | Self::Fraction => None,
            Self::Seconds => Some("_seconds"),
            Self::Bytes => Some("_bytes"),
        }
    }
}

/// How values of one gauge in several processes become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// They are added: what each has.
    Sum,
    /// The greatest counts: the worst of all.
    Max,
    /// The least counts.
    Min,
}

/// What kind of metric it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A [`Counter`](crate::Counter).
    Counter,
    /// A [`Gauge`](crate::Gauge).
    Gauge(Merge),
    /// A [`Histogram`](crate::Histogram).
    Histogram(Bounds),
    /// An [`ExponentialHistogram`](crate::ExponentialHistogram).
    Exponential(Scale),
}

impl Kind {
    /// What OpenMetrics calls the family of a metric: a counter's without `_total`.
    pub(crate) fn family_name<'n>(&self, name: &'n str) -> &'n str {
        match self {
            Self::Counter => name.strip_suffix("_total").unwrap_or(name),
            Self::Gauge(_) | Self::Histogram(_) | Self::Exponential(_) => name,
        }
    }
}

/// Why a metric cannot be registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// A name that Prometheus would not read.
    #[error(
        "metric name {0:?} cannot be used: write letters, digits and underscores, beginning with no digit"
    )]
    Name(String),
    /// A name whose end does not say what it is.
    #[error("metric name {name:?} does not end in {suffix:?}")]
    Suffix {
        /// The name.
        name: String,
        /// What it should end with.
        suffix: &'static str,
    },
    /// A label that Prometheus would not read, or that means something else to it.
    #[error(
        "label {label:?} of metric {name} cannot be used: write letters, digits and underscores, beginning with a \
         letter, and neither \"le\" nor \"quantile\" nor the same twice"
    )]
    Label {
        /// The metric.
        name: String,
        /// The label.
        label: String,
    },
    /// A metric of this name, or one whose lines would have the same names, is registered as something else.
    #[error("metric {name} is in the way of {other}, which is registered already: choose another name")]
    Taken {
        /// The new one.
        name: String,
        /// The one that is there.
        other: String,
    },
}

impl Description {
    /// A metric without labels. The help is a sentence.
    ///
    /// The name of a counter ends in `_total`, and that of a metric with a unit in the unit's name before that.
    pub fn new(name: impl Into<String>, help: impl Into<String>) -> Self {
        let (name, help) = (name.into(), help.into());
        Self { name, help, labels: Vec::new(), unit: Unit::One, limit: USUAL_LIMIT }
    }

    /// With these labels, whose values are given in the same order.
    #[must_use]
    pub fn labels(mut self, labels: &[&str]) -> Self {
        self.labels = labels.iter().map(|label| (*label).to_owned()).collect();
        self
    }

    /// Measured in this.
    #[must_use]
    pub fn unit(mut self, unit: Unit) -> Self {
        self.unit = unit;
        self
    }

    /// No label takes more values than this (200).
    #[must_use]
    pub fn limit(mut self, values: usize) -> Self {
        self.limit = values;
        self
    }

    pub(crate) fn check(&self, kind: &Kind) -> Result<(), RegisterError> {
        let name = &self.name;
        if !is_name(name) {
            return Err(RegisterError::Name(name.clone()));
        }
        let stem = kind.family_name(name);
        if *kind == Kind::Counter && stem == name {
            return Err(RegisterError::Suffix { name: name.clone(), suffix: "_total" });
        }
        if let Some(suffix) = self.unit.suffix().filter(|suffix| !stem.ends_with(suffix)) {
            return Err(RegisterError::Suffix { name: name.clone(), suffix });
        }
        let bad = self
            .labels
            .iter()
            .enumerate()
            .find(|(index, label)| !is_label(label) || self.labels[..*index].contains(label));
        match bad {
            Some((_, label)) => Err(RegisterError::Label { name: name.clone(), label: label.clone() }),
            None => Ok(()),
        }
    }
}

/// <https://prometheus.io/docs/concepts/data_model/>, without the colon, which is for rules.
pub(crate) fn is_name(name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(is_word) && name.chars().next().is_some_and(|c| !c.is_ascii_digit())
}

pub(crate) fn is_label(label: &str) -> bool {
    is_name(label) && !label.starts_with('_') && !["le", "quantile"].contains(&label)
}
