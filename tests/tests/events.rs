//! Every event of the catalog is made to happen by a test, which looks at its name and at what it says.

use std::collections::BTreeSet;

use tasker_events::EventId;

/// The tests in which events are made to happen, by the crates that tell them.
const TESTS: [&str; 7] = [
    include_str!("../../crates/tasker-engine/tests/events.rs"),
    include_str!("../../crates/tasker-handler/tests/suite/events.rs"),
    include_str!("../../crates/tasker-subscribers/tests/webhook.rs"),
    include_str!("../../crates/tasker-api/tests/http/controls.rs"),
    include_str!("../../crates/tasker-runtime/src/process/tests.rs"),
    include_str!("../../crates/tasker-runtime/src/health/tests.rs"),
    include_str!("../../crates/tasker-runtime/src/traces/tests.rs"),
];

/// Counted where it is told: in the values that it is about.
const IN_METRICS: &str = include_str!("../../crates/tasker-runtime/src/metrics/tests.rs");

#[test]
fn no_event_is_in_the_catalog_that_no_test_makes_happen() {
    let is_looked_at = |event: &EventId| {
        let (quoted, variant) = (format!("\"{event}\""), format!("EventId::{event:?}"));
        let told = format!("    {event} {{");
        let is_there =
            |text: &&str| text.contains(&quoted) || text.contains(&variant) || text.contains(&told);
        TESTS.iter().any(is_there) || IN_METRICS.contains(&format!("\\\"{event}\\\""))
    };
    let missing: BTreeSet<&str> =
        EventId::ALL.iter().filter(|event| !is_looked_at(event)).map(|event| event.name()).collect();
    assert!(missing.is_empty(), "nobody makes these happen: {missing:?}");
    println!("{} events", EventId::ALL.len());
    assert!(EventId::ALL.len() >= 50);
}
