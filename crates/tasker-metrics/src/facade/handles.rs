//! What the macros of the facade count with.

use metrics::{CounterFn, GaugeFn, HistogramFn};

use crate::counter::Counter;
use crate::description::Unit;
use crate::family::{Family, Handle, Series};
use crate::gauge::Gauge;
use crate::histogram::Histogram;

use super::Refusal;

/// Counts how often something was done that counts nothing.
pub(super) struct Lost(pub(super) Handle<Counter>);

/// Records numbers in parts of a unit.
pub(super) struct Scaled {
    name: Box<str>,
    histogram: Handle<Histogram>,
    unit: Unit,
    refused: Family<Counter>,
}

impl Scaled {
    pub(super) fn new(
        name: &str,
        histogram: Handle<Histogram>,
        unit: Unit,
        refused: Family<Counter>,
    ) -> Self {
        Self { name: name.into(), histogram, unit, refused }
    }
}

impl CounterFn for Series<Counter> {
    #[inline]
    fn increment(&self, value: u64) {
        self.metric.add(value);
    }

    fn absolute(&self, value: u64) {
        self.metric.raise_to(value);
    }
}

impl GaugeFn for Series<Gauge> {
    fn increment(&self, value: f64) {
        self.metric.add(value);
    }

    fn decrement(&self, value: f64) {
        self.metric.add(-value);
    }

    #[inline]
    fn set(&self, value: f64) {
        self.metric.set(value);
    }
}

impl HistogramFn for Scaled {
    #[inline]
    fn record(&self, value: f64) {
        match self.unit.parts_of(value) {
            Some(parts) => self.histogram.record(parts),
            None => self.refused.with(&[&self.name, Refusal::Value.name()]).increment(),
        }
    }
}

impl CounterFn for Lost {
    fn increment(&self, _: u64) {
        self.0.increment();
    }

    fn absolute(&self, _: u64) {
        self.0.increment();
    }
}

impl GaugeFn for Lost {
    fn increment(&self, _: f64) {
        self.0.increment();
    }

    fn decrement(&self, _: f64) {
        self.0.increment();
    }

    fn set(&self, _: f64) {
        self.0.increment();
    }
}

impl HistogramFn for Lost {
    fn record(&self, _: f64) {
        self.0.increment();
    }
}
