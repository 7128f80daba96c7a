//! What libraries count through the `metrics` facade.

use metrics::{Key, Label, Metadata, Recorder, with_local_recorder};
use proptest::prelude::*;
use tasker_metrics::text::{Format, encode};
use tasker_metrics::{Description, Facade, FacadeSettings, Merge, OVERFLOW, Registry, Unit, Value};

use crate::support::Page;

/// What is told after `count` has counted.
fn told(settings: FacadeSettings, count: impl FnOnce(&Registry)) -> Page {
    let registry = Registry::default();
    let facade = Facade::new(&registry, settings).expect("a facade");
    with_local_recorder(&facade, || count(&registry));
    let text = encode(&registry.snapshot(), Format::OpenMetrics);
    assert!(Page::read(&text).is_ended);
    Page::read(&encode(&registry.snapshot(), Format::Prometheus))
}

fn told_of(count: impl FnOnce()) -> Page {
    told(FacadeSettings::default(), |_| count())
}

fn refused(page: &Page, metric: &str, reason: &str) -> String {
    page.value("tasker_metrics_refused_total", &[("metric", metric), ("reason", reason)]).to_owned()
}

#[test]
fn all_three_kinds_land_in_the_registry() {
    let page = told_of(|| {
        metrics::counter!("hits_total", "method" => "GET").increment(3);
        metrics::gauge!("open_connections").set(7.5);
        metrics::histogram!("wait_seconds").record(0.25);
    });
    assert_eq!(page.value("hits_total", &[("method", "GET")]), "3");
    assert_eq!(page.value("open_connections", &[]), "7.5");
    assert_eq!(page.value("wait_seconds_sum", &[]), "0.25", "seconds stay seconds");
    assert_eq!(page.value("wait_seconds_bucket", &[("le", "0.1")]), "0");
    assert_eq!(page.value("wait_seconds_bucket", &[("le", "0.25")]), "1");
}

#[test]
fn an_absolute_count_never_goes_down() {
    let page = told_of(|| {
        let counter = metrics::counter!("seen_total");
        for total in [5, 3, 9, 1] {
            counter.absolute(total);
        }
        counter.increment(1);
    });
    assert_eq!(page.value("seen_total", &[]), "10");
}

#[test]
fn a_gauge_goes_up_and_down() {
    let page = told_of(|| {
        let gauge = metrics::gauge!("level");
        gauge.set(10.0);
        gauge.increment(2.5);
        gauge.decrement(4.0);
    });
    assert_eq!(page.value("level", &[]), "8.5");
}

#[test]
fn a_description_counts_whether_it_comes_before_or_after() {
    let page = told_of(|| {
        metrics::describe_gauge!("before", metrics::Unit::Milliseconds, "Said first.");
        metrics::gauge!("before").set(1.0);
        metrics::gauge!("after").set(1.0);
        metrics::describe_gauge!("after", "Said later.");
        metrics::gauge!("never").set(1.0);
    });
    assert_eq!(page.helps["before"], "Said first, in milliseconds.");
    assert_eq!(page.helps["after"], "Said later.");
    assert_eq!(page.helps["never"], "Not described.");
}

#[test]
fn the_unit_is_told_where_the_name_ends_with_it() {
    let registry = Registry::default();
    let facade = Facade::new(&registry, FacadeSettings::default()).expect("a facade");
    with_local_recorder(&facade, || {
        metrics::counter!("sent_bytes").increment(512);
        metrics::histogram!("size_bytes").record(300.0);
    });
    let text = encode(&registry.snapshot(), Format::OpenMetrics);
    assert!(
        text.contains("# TYPE sent_bytes counter\n# UNIT sent_bytes bytes\nsent_bytes_total 512\n"),
        "{text}"
    );
    assert!(text.contains("# UNIT size_bytes bytes\nsize_bytes_bucket{le=\"256.0\"} 0\n"), "{text}");
}

#[test]
fn series_of_one_name_may_have_different_labels() {
    let page = told_of(|| {
        metrics::counter!("calls_total").increment(1);
        metrics::counter!("calls_total", "code" => "200").increment(2);
        metrics::counter!("calls_total", "code" => "200", "path" => "/").increment(3);
        metrics::counter!("calls_total", "path" => "/", "code" => "200").increment(4);
        metrics::counter!("calls_total", "path" => "").increment(5);
    });
    assert_eq!(page.of("calls_total").len(), 3);
    assert_eq!(page.value("calls_total", &[]), "6", "a label without a value is none");
    assert_eq!(page.value("calls_total", &[("code", "200")]), "2");
    assert_eq!(page.value("calls_total", &[("code", "200"), ("path", "/")]), "7");
}

#[test]
fn a_declared_metric_takes_what_comes_through_the_facade() {
    let page = told(FacadeSettings::default(), |registry| {
        let declared = Description::new("done_total", "Done.").labels(&["task", "step"]);
        let declared = registry.counter(declared).expect("a counter");
        declared.with(&["order", "ship"]).increment();
        declared.with(&["order", ""]).increment();
        metrics::counter!("done_total", "step" => "ship", "task" => "order").increment(10);
        metrics::counter!("done_total", "task" => "order").increment(100);
        metrics::describe_counter!("done_total", "Something else.");
    });
    assert_eq!(page.value("done_total", &[("task", "order"), ("step", "ship")]), "11");
    assert_eq!(page.value("done_total", &[("task", "order")]), "101");
    assert_eq!(page.helps["done_total"], "Done.", "who declares it describes it");
}

#[test]
fn a_metric_that_is_of_another_kind_is_dropped_and_counted() {
    let page = told(FacadeSettings::default(), |registry| {
        registry
            .gauge(Description::new("taken", "A level."), Merge::Sum)
            .expect("a gauge")
            .with(&[])
            .set(1.0);
        for _ in 0..3 {
            metrics::histogram!("taken").record(1.0);
        }
        metrics::counter!("jobs").increment(1);
        metrics::gauge!("jobs").set(5.0);
        let seconds = Description::new("busy_seconds_total", "Busy.").unit(Unit::Seconds);
        registry.counter(seconds).expect("a counter");
        metrics::counter!("busy_seconds_total").increment(1);
    });
    assert_eq!(page.value("taken", &[]), "1");
    assert_eq!(page.value("jobs_total", &[]), "1");
    assert_eq!(refused(&page, "taken", "kind"), "3");
    assert_eq!(refused(&page, "jobs", "kind"), "1");
    assert_eq!(refused(&page, "busy_seconds_total", "kind"), "1", "it is counted in nanoseconds");
}

#[test]
fn names_that_are_written_alike_are_not_mistaken_for_each_other() {
    let page = told_of(|| {
        metrics::counter!("na.me_total").increment(5);
        metrics::counter!("na_me_total").increment(7);
        metrics::counter!("na_me_total").increment(7);
        metrics::counter!("").increment(1);
    });
    assert_eq!(page.value("na_me_total", &[]), "5");
    assert_eq!(refused(&page, "na_me_total", "name"), "2", "every loss is counted");
    assert_eq!(page.of("tasker_metrics_refused_total").len(), 2);
}

#[test]
fn labels_that_are_written_alike_are_not_mistaken_for_each_other() {
    let page = told_of(|| {
        metrics::counter!("lab_total", "a.b" => "1", "a_b" => "2").increment(1);
        metrics::counter!("lab_total", "a.b" => "1").increment(2);
        metrics::counter!("lab_total", "a_b" => "1").increment(4);
        metrics::counter!("lab_total", "le" => "x", "quantile" => "y", "__name__" => "z").increment(8);
    });
    assert_eq!(page.value("lab_total", &[("a_b", "1")]), "2");
    let others = [("label_le", "x"), ("label_quantile", "y"), ("label___name__", "z")];
    assert_eq!(page.value("lab_total", &others), "8");
    assert_eq!(refused(&page, "lab_total", "label"), "2");
}

#[test]
fn wild_labels_overflow_and_wild_names_are_refused() {
    let page = told(FacadeSettings::default().limit(2).names(3), |_| {
        for number in 0..10 {
            metrics::counter!("wild_total", "id" => number.to_string()).increment(1);
            metrics::gauge!(format!("wild_{number}")).set(1.0);
        }
        for number in 0..100 {
            metrics::histogram!("keys", format!("key{number}") => "x").record(1.0);
        }
    });
    assert_eq!(page.value("wild_total", &[("id", OVERFLOW)]), "8");
    assert_eq!(page.value("tasker_metrics_overflows_total", &[("metric", "wild_total")]), "8");
    assert_eq!(page.samples.iter().filter(|sample| sample.name.starts_with("wild_")).count(), 3 + 3);
    assert_eq!(page.of("keys_count").len(), 32);
    assert_eq!(refused(&page, "keys", "labels"), "68");
}

#[test]
fn what_is_no_quantity_is_counted_and_not_recorded() {
    let page = told_of(|| {
        let histogram = metrics::histogram!("wait_seconds");
        for value in [f64::NAN, -1.0, f64::INFINITY, 1.0] {
            histogram.record(value);
        }
    });
    assert_eq!(page.value("wait_seconds_count", &[]), "1");
    assert_eq!(refused(&page, "wait_seconds", "value"), "3");
}

#[test]
fn a_program_may_say_what_bounds_and_merges_are() {
    let settings =
        FacadeSettings::default().bounds("ratio", &[0.5, 0.25, f64::NAN]).merge("oldest", Merge::Max);
    let registry = Registry::default();
    let facade = Facade::new(&registry, settings).expect("a facade");
    with_local_recorder(&facade, || {
        metrics::histogram!("ratio").record(0.3);
        metrics::gauge!("oldest").set(3.0);
    });
    let mut snapshot = registry.snapshot();
    let Value::Distribution(ratio) = &snapshot.families["ratio"].series[0].1 else { panic!("no histogram") };
    assert_eq!((ratio.bounds.as_parts(), ratio.sum), (&[250_000, 500_000][..], 300_000));
    snapshot.merge(snapshot.clone());
    assert_eq!(snapshot.families["oldest"].series[0].1, Value::Level(3.0));
}

#[test]
fn processes_that_saw_different_labels_become_one() {
    let of = |labels: &[(&str, &str)]| {
        let registry = Registry::default();
        let facade = Facade::new(&registry, FacadeSettings::default()).expect("a facade");
        let labels: Vec<Label> = labels
            .iter()
            .map(|(label, value)| Label::new((*label).to_owned(), (*value).to_owned()))
            .collect();
        let metadata = Metadata::new("", metrics::Level::INFO, None);
        facade.register_counter(&Key::from_parts("hits", labels), &metadata).increment(1);
        registry.snapshot()
    };
    let mut all = of(&[("b", "1")]);
    for other in [of(&[]), of(&[("a", "2")]), of(&[("b", "1")])] {
        assert_eq!(all.merge(other), Vec::<String>::new());
    }
    let page = Page::read(&encode(&all, Format::Prometheus));
    assert_eq!(page.value("hits_total", &[("b", "1")]), "2");
    assert_eq!(page.value("hits_total", &[("a", "2")]), "1");
    assert_eq!(page.value("hits_total", &[]), "1");
}

proptest! {
    #[test]
    fn nothing_that_a_library_does_breaks_a_scrape(
        calls in prop::collection::vec(
            ("[a-c._ é1]{0,4}", prop::collection::vec(("[a-b._1é]{0,3}|le", "(?s:.){0,4}"), 0..4), 0..3, any::<f64>()),
            1..30,
        )
    ) {
        told_of(|| {
            for (name, labels, kind, value) in calls {
                let labels: Vec<Label> = labels.into_iter().map(|(key, value)| Label::new(key, value)).collect();
                match kind {
                    0 => metrics::counter!(name, labels).increment(1),
                    1 => metrics::gauge!(name, labels).set(value),
                    _ => metrics::histogram!(name, labels).record(value),
                }
            }
        });
    }
}
