//! Families, their limits, and what cannot be registered.

use tasker_metrics::{Bounds, Description, Labels, Merge, OVERFLOW, Registry, Snapshot, Unit, Value};

fn description(name: &str) -> Description {
    Description::new(name, "A metric.")
}

fn values(snapshot: &Snapshot, name: &str) -> Vec<(String, Value)> {
    let family = snapshot.families.get(name).unwrap_or_else(|| panic!("no {name}"));
    let joined = |labels: &Labels| labels.values().collect::<Vec<_>>().join("|");
    family.series.iter().map(|(labels, value)| (joined(labels), value.clone())).collect()
}

fn counts(snapshot: &Snapshot, name: &str) -> Vec<(String, Value)> {
    values(snapshot, name)
}

fn count(labels: &str, count: u64) -> (String, Value) {
    (labels.to_owned(), Value::Count(count))
}

#[test]
fn a_series_is_found_again_by_its_labels() {
    let registry = Registry::default();
    let steps = registry.counter(description("steps_total").labels(&["task", "step"])).expect("a counter");
    steps.with(&["order", "charge"]).increment();
    steps.with(&["order", "charge"]).add(2);
    steps.with(&["order", "ship"]).increment();
    let wanted = vec![count("order|charge", 3), count("order|ship", 1)];
    assert_eq!(counts(&registry.snapshot(), "steps_total"), wanted);
}

#[test]
fn values_that_only_look_alike_when_put_together_are_two_series() {
    let registry = Registry::default();
    let pairs = registry.counter(description("pairs_total").labels(&["a", "b"])).expect("a counter");
    for (a, b) in [("x", "yz"), ("xy", "z"), ("", "xyz"), ("xyz", "")] {
        pairs.with(&[a, b]).increment();
    }
    let snapshot = registry.snapshot();
    assert_eq!(counts(&snapshot, "pairs_total").len(), 4, "{snapshot:?}");
}

#[test]
fn a_value_of_ten_thousand_bytes_is_kept() {
    let registry = Registry::default();
    let long = "ä".repeat(5_000);
    registry.counter(description("long_total").labels(&["v"])).expect("a counter").with(&[&long]).increment();
    assert_eq!(counts(&registry.snapshot(), "long_total"), [count(&long, 1)]);
}

#[test]
fn a_label_with_too_many_values_overflows_and_the_others_keep_theirs() {
    let registry = Registry::default();
    let described = description("wild_total").labels(&["namespace", "task"]).limit(2);
    let wild = registry.counter(described).expect("a counter");
    for task in ["a", "b", "c", "d", "a"] {
        wild.with(&["billing", task]).increment();
    }
    let snapshot = registry.snapshot();
    let other = format!("billing|{OVERFLOW}");
    let wanted = [count(&other, 2), count("billing|a", 2), count("billing|b", 1)];
    assert_eq!(counts(&snapshot, "wild_total"), wanted);
    assert_eq!(counts(&snapshot, "tasker_metrics_overflows_total"), [count("wild_total", 2)]);
}

#[test]
fn labels_that_are_wild_together_overflow_too() {
    let registry = Registry::default();
    let labels = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"];
    let wild = registry.counter(description("wild_total").labels(&labels).limit(2)).expect("a counter");
    for number in 0..1 << labels.len() {
        let values: Vec<&str> =
            (0..labels.len()).map(|label| if number >> label & 1 == 0 { "no" } else { "yes" }).collect();
        wild.with(&values).increment();
    }
    let counted = counts(&registry.snapshot(), "wild_total");
    assert_eq!(counted.len(), 2 * 500 + 1);
    let others = [OVERFLOW; 11].join("|");
    assert_eq!(counted.first(), Some(&count(&others, (1 << labels.len()) - 1_000)));
}

#[test]
fn the_same_metric_registered_twice_is_one() {
    let registry = Registry::default();
    for _ in 0..2 {
        registry.counter(description("twice_total")).expect("a counter").with(&[]).increment();
    }
    assert_eq!(counts(&registry.snapshot(), "twice_total"), [count("", 2)]);
}

#[test]
fn what_prometheus_would_not_read_is_refused_by_name() {
    let registry = Registry::default();
    let refused = |described: Description| registry.counter(described).expect_err("refused").to_string();
    assert!(refused(description("na.me_total")).starts_with("metric name \"na.me_total\" cannot be used"));
    assert!(refused(description("1x_total")).starts_with("metric name \"1x_total\" cannot be used"));
    assert!(refused(description("")).starts_with("metric name \"\" cannot be used"));
    assert_eq!(refused(description("steps")), "metric name \"steps\" does not end in \"_total\"");
    let seconds = description("wait_total").unit(Unit::Seconds);
    assert_eq!(refused(seconds), "metric name \"wait_total\" does not end in \"_seconds\"");
    for labels in [["a-b", "c"], ["le", "c"], ["__x", "c"], ["", "c"], ["c", "c"]] {
        let message = refused(description("labelled_total").labels(&labels));
        assert!(message.contains("of metric labelled_total cannot be used"), "{message}");
    }
    assert_eq!(registry.snapshot(), Snapshot::default());
}

#[test]
fn names_that_would_meet_in_the_text_are_refused() {
    let registry = Registry::default();
    let bounds = Bounds::of_answers();
    registry.counter(description("a_total")).expect("a counter");
    registry.histogram(description("b"), bounds.clone()).expect("a histogram");
    let taken = |error: tasker_metrics::RegisterError| error.to_string();
    let gauge = |name: &str| registry.gauge(description(name), Merge::Sum).map(drop).map_err(taken);
    for (name, other) in [("a_total", "a_total"), ("a", "a_total"), ("b_count", "b"), ("b_bucket", "b")] {
        let wanted = format!(
            "metric {name} is in the way of {other}, which is registered already: choose another name"
        );
        assert_eq!(gauge(name), Err(wanted));
    }
    assert_eq!(gauge("c"), Ok(()));
    let other = registry.counter(description("a_total").labels(&["x"])).expect_err("other labels");
    assert!(other.to_string().starts_with("metric a_total is in the way of a_total"), "{other}");
    assert!(
        registry.counter(description("tasker_metrics_overflows_total")).is_err(),
        "it is the registry's own"
    );
}

#[test]
#[should_panic(expected = "as many values as labels")]
fn too_few_values_are_a_mistake_in_the_program() {
    let registry = Registry::default();
    registry.counter(description("few_total").labels(&["a", "b"])).expect("a counter").with(&["x"]);
}

#[test]
fn snapshots_of_processes_merge_as_their_metrics_say() {
    let of = |done: u64, slots: f64, oldest: f64| {
        let registry = Registry::default();
        registry.counter(description("done_total")).expect("a counter").with(&[]).add(done);
        registry.gauge(description("slots"), Merge::Sum).expect("a gauge").with(&[]).set(slots);
        registry.gauge(description("oldest"), Merge::Max).expect("a gauge").with(&[]).set(oldest);
        registry.gauge(description("spare"), Merge::Min).expect("a gauge").with(&[]).set(slots);
        registry.snapshot()
    };
    let mut all = of(5, 10.0, 1.5);
    assert_eq!(all.merge(of(7, 20.0, 0.5)), Vec::<String>::new());
    assert_eq!(values(&all, "done_total"), [count("", 12)]);
    assert_eq!(values(&all, "slots"), [(String::new(), Value::Level(30.0))]);
    assert_eq!(values(&all, "oldest"), [(String::new(), Value::Level(1.5))]);
    assert_eq!(values(&all, "spare"), [(String::new(), Value::Level(10.0))]);
}

#[test]
fn series_of_either_side_are_there_after_a_merge_and_in_order() {
    let of = |steps: &[&str]| {
        let registry = Registry::default();
        let done = registry.counter(description("done_total").labels(&["step"])).expect("a counter");
        for step in steps {
            done.with(&[step]).increment();
        }
        registry.snapshot()
    };
    let mut all = of(&["b", "d"]);
    all.merge(of(&["a", "b", "c", "e"]));
    let wanted = [count("a", 1), count("b", 2), count("c", 1), count("d", 1), count("e", 1)];
    assert_eq!(counts(&all, "done_total"), wanted);
}

#[test]
fn a_metric_that_is_another_kind_in_another_release_is_left_out_and_named() {
    let (ours, theirs) = (Registry::default(), Registry::default());
    ours.gauge(description("size"), Merge::Sum).expect("a gauge").with(&[]).set(1.0);
    theirs.gauge(description("size"), Merge::Max).expect("a gauge").with(&[]).set(9.0);
    let mut all = ours.snapshot();
    assert_eq!(all.merge(theirs.snapshot()), ["size"]);
    assert_eq!(values(&all, "size"), [(String::new(), Value::Level(1.0))]);
}
