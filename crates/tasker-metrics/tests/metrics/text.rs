//! The text, byte for byte, and read back.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use tasker_metrics::text::{Format, encode};
use tasker_metrics::{Bounds, Description, Merge, Registry, Unit};

use crate::support::Page;

fn golden() -> Registry {
    let registry = Registry::default();
    let done = Description::new("done_total", "Steps \"done\".\nSee C:\\docs.").labels(&["step", "outcome"]);
    let done = registry.counter(done).expect("a counter");
    done.with(&["b", "complete"]).add(7);
    done.with(&["a", "error"]).increment();
    registry.counter(Description::new("silent_total", "Never.").labels(&["x"])).expect("a counter");
    let level = Description::new("level", "Odd values.").labels(&["v"]);
    let level = registry.gauge(level, Merge::Sum).expect("a gauge");
    for (name, value) in
        [("nan", f64::NAN), ("plus", f64::INFINITY), ("minus", f64::NEG_INFINITY), ("small", -0.25)]
    {
        level.with(&[name]).set(value);
    }
    let wait = Description::new("wait_seconds", "How long.").unit(Unit::Seconds);
    let bounds = Bounds::new(&[100_000_000, 1_000_000_000, 10_000_000_000]);
    let wait = registry.histogram(wait, bounds).expect("a histogram").with(&[]);
    for millis in [50, 100, 500, 5_000, 50_000] {
        wait.observe(Duration::from_millis(millis));
    }
    registry
}

#[test]
fn the_text_of_prometheus() {
    let wanted = r#"# HELP done_total Steps "done".\nSee C:\\docs.
# TYPE done_total counter
done_total{step="a",outcome="error"} 1
done_total{step="b",outcome="complete"} 7
# HELP level Odd values.
# TYPE level gauge
level{v="minus"} -Inf
level{v="nan"} NaN
level{v="plus"} +Inf
level{v="small"} -0.25
# HELP wait_seconds How long.
# TYPE wait_seconds histogram
wait_seconds_bucket{le="0.1"} 2
wait_seconds_bucket{le="1.0"} 3
wait_seconds_bucket{le="10.0"} 4
wait_seconds_bucket{le="+Inf"} 5
wait_seconds_sum 55.65
wait_seconds_count 5
"#;
    assert_eq!(encode(&golden().snapshot(), Format::Prometheus), wanted);
}

#[test]
fn the_text_of_openmetrics_differs_where_it_must() {
    let wanted = r#"# HELP done Steps \"done\".\nSee C:\\docs.
# TYPE done counter
done_total{step="a",outcome="error"} 1
done_total{step="b",outcome="complete"} 7
# HELP level Odd values.
# TYPE level gauge
level{v="minus"} -Inf
level{v="nan"} NaN
level{v="plus"} +Inf
level{v="small"} -0.25
# HELP wait_seconds How long.
# TYPE wait_seconds histogram
# UNIT wait_seconds seconds
wait_seconds_bucket{le="0.1"} 2
wait_seconds_bucket{le="1.0"} 3
wait_seconds_bucket{le="10.0"} 4
wait_seconds_bucket{le="+Inf"} 5
wait_seconds_sum 55.65
wait_seconds_count 5
# EOF
"#;
    assert_eq!(encode(&golden().snapshot(), Format::OpenMetrics), wanted);
}

#[test]
fn a_counter_of_seconds_is_told_in_seconds_exactly() {
    let registry = Registry::default();
    let busy = Description::new("busy_seconds_total", "Busy.").unit(Unit::Seconds);
    registry.counter(busy).expect("a counter").with(&[]).add(1_500_000_000);
    let text = encode(&registry.snapshot(), Format::Prometheus);
    assert!(text.ends_with("busy_seconds_total 1.5\n"), "{text}");
}

#[test]
fn the_name_of_a_family_loses_only_the_end_that_says_counter() {
    let registry = Registry::default();
    let total = Description::new("sub_total_total", "Sums.");
    registry.counter(total).expect("a counter").with(&[]).increment();
    let text = encode(&registry.snapshot(), Format::OpenMetrics);
    assert!(text.ends_with("# TYPE sub_total counter\nsub_total_total 1\n# EOF\n"), "{text}");
}

#[test]
fn nothing_counted_is_an_empty_page() {
    let snapshot = Registry::default().snapshot();
    assert_eq!(encode(&snapshot, Format::Prometheus), "");
    assert_eq!(encode(&snapshot, Format::OpenMetrics), "# EOF\n");
}

#[test]
fn a_scraper_gets_the_format_it_likes_best() {
    let prometheus =
        "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
    assert_eq!(Format::accepted(prometheus), Format::OpenMetrics);
    for plain in
        ["", "*/*", "text/html,*/*;q=0.8", "text/plain", "application/openmetrics-text;q=0.1,text/plain"]
    {
        assert_eq!(Format::accepted(plain), Format::Prometheus, "{plain}");
    }
}

/// The values of the label `v` and of the samples, as a reader of the format takes them.
fn read(text: &str) -> BTreeMap<String, u64> {
    let samples = Page::read(text).samples.into_iter();
    samples.map(|sample| (sample.label("v").to_owned(), sample.value.parse().expect("a count"))).collect()
}

fn round_trip(values: &[&str]) {
    let registry = Registry::default();
    let described = Description::new("t_total", "Texts.").labels(&["v"]).limit(usize::MAX);
    let texts = registry.counter(described).expect("a counter");
    let mut wanted = BTreeMap::new();
    for value in values {
        texts.with(&[value]).increment();
        *wanted.entry((*value).to_owned()).or_insert(0) += 1;
    }
    for format in [Format::Prometheus, Format::OpenMetrics] {
        assert_eq!(read(&encode(&registry.snapshot(), format)), wanted);
    }
}

#[test]
fn hostile_values_are_read_back_as_they_were() {
    let long = "\\\"\n".repeat(3_000);
    round_trip(&[
        "plain",
        "a\\b",
        "a\\\\b",
        "a\\\"b",
        "a\nb",
        "tail\\",
        "q\"q",
        "\n",
        "héé",
        "\u{2028}",
        "",
        "\t",
        "\r",
        "\u{1}",
        "\u{200b}",
        "{}",
        "a,b=\"c\"",
        &long,
    ]);
}

proptest! {
    // Of five texts each: ten thousand.
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_values_are_read_back_as_they_were(values in prop::collection::vec("\\PC*|[\\\\\"\n\r\t a]{0,8}|(?s:.){0,6}", 5)) {
        round_trip(&values.iter().map(String::as_str).collect::<Vec<_>>());
    }
}
