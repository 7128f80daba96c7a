//! How names of the facade are written so that Prometheus reads them.

use std::borrow::Cow;

use crate::bounds::Bounds;
use crate::description::{Kind, Unit, is_label, is_name};

/// The name of a metric: all that is neither letter, digit nor underscore is an underscore; `None` if it is empty.
///
/// Its unit is never added: a metric would be called otherwise whenever it is used before it is described.
pub(super) fn of_metric(name: &str, kind: &Kind) -> Option<String> {
    let mut legal = underscored(name);
    if legal.is_empty() {
        return None;
    }
    if legal.starts_with(|c: char| c.is_ascii_digit()) {
        legal.insert(0, '_');
    }
    if *kind == Kind::Counter && kind.family_name(&legal) == legal {
        legal.push_str("_total");
    }
    is_name(&legal).then_some(legal)
}

/// The name of a label: as that of a metric, with `label_` before what begins otherwise than with a letter, and
/// before what means something else to Prometheus.
pub(super) fn of_label(name: &str) -> Cow<'_, str> {
    if is_label(name) {
        return Cow::Borrowed(name);
    }
    let legal = underscored(name);
    Cow::Owned(if is_label(&legal) { legal } else { format!("label_{legal}") })
}

/// What a metric is measured in, as its name says. Counters of the facade count whole things.
pub(super) fn unit(legal: &str, kind: &Kind) -> Unit {
    let told = Unit::told_by(kind.family_name(legal));
    match (kind, told) {
        (Kind::Counter, Some(Unit::Seconds)) | (Kind::Counter | Kind::Gauge(_), None) => Unit::One,
        (_, Some(unit)) => unit,
        (Kind::Histogram(_) | Kind::Exponential(_), None) => Unit::Fraction,
    }
}

/// What a histogram of this name is measured in.
pub(super) fn unit_of_histogram(name: &str) -> Unit {
    unit(name, &Kind::Histogram(Bounds::new(&[])))
}

/// The help, with the unit where the name does not tell it.
pub(super) fn help(help: &str, unit: Option<metrics::Unit>, name: &str) -> String {
    match unit {
        None | Some(metrics::Unit::Count) => help.to_owned(),
        Some(unit) if name.contains(unit.as_str()) => help.to_owned(),
        Some(unit) => format!("{}, in {}.", help.trim_end_matches('.'), unit.as_str().replace('_', " ")),
    }
}

fn underscored(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::description::Merge;

    #[test]
    fn a_name_that_is_read_stays_as_it_is() {
        let gauge = Kind::Gauge(Merge::Sum);
        assert_eq!(of_metric("pool_size", &gauge).as_deref(), Some("pool_size"));
        assert_eq!(of_metric("hits_total", &Kind::Counter).as_deref(), Some("hits_total"));
        assert_eq!(of_label("method"), "method");
    }

    #[test]
    fn what_is_not_read_is_underscored() {
        let gauge = Kind::Gauge(Merge::Sum);
        for (name, legal) in [("pool.size", "pool_size"), ("1x", "_1x"), ("größe", "gr__e"), ("a:b", "a_b")]
        {
            assert_eq!(of_metric(name, &gauge).as_deref(), Some(legal));
        }
        assert_eq!(of_metric("hits", &Kind::Counter).as_deref(), Some("hits_total"));
        assert_eq!(of_metric("", &Kind::Counter), None);
        for (name, legal) in [("a-b", "a_b"), ("le", "label_le"), ("__x", "label___x"), ("", "label_")] {
            assert_eq!(of_label(name), legal);
        }
    }

    #[test]
    fn the_name_tells_the_unit_and_the_help_what_the_name_does_not() {
        let histogram = Kind::Histogram(Bounds::of_work());
        assert_eq!(unit("wait_seconds", &histogram), Unit::Seconds);
        assert_eq!(unit("wait", &histogram), Unit::Fraction);
        assert_eq!(unit("sent_bytes_total", &Kind::Counter), Unit::Bytes);
        assert_eq!(
            help("How long.", Some(metrics::Unit::Milliseconds), "wait"),
            "How long, in milliseconds."
        );
        assert_eq!(help("How long.", Some(metrics::Unit::Seconds), "wait_seconds"), "How long.");
    }
}
