//! Following the feed: nothing is missed, whatever is restarted, and one process delivers.

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::places::Places;
use support::{Bench, LIFE, ids, on_every_store, report, types_of};
use tasker_subscribers::{Standing, Subscribers};

fn file() -> Value {
    json!({
        "name": "audit", "type": "file", "events": ["*"], "path": "events.ndjson", "start": "beginning",
        "lease_seconds": 0.6,
    })
}

on_every_store! {
    a_file_gets_every_event_once_in_the_order_of_the_feed,
    an_event_says_what_was_recorded,
    a_restart_goes_on_where_it_was_and_repeats_nothing_that_was_taken,
    of_two_processes_one_delivers_and_the_other_takes_over_when_it_dies,
    whoever_lost_its_place_stops_delivering,
    a_process_keeps_its_place_as_long_as_it_works,
    whoever_cannot_renew_in_time_stops_delivering_and_begins_again_later,
    a_lease_that_ran_out_is_told_beside_the_failure_under_an_id_of_its_own,
    a_beginning_now_leaves_out_what_was_before,
    a_subscriber_gets_what_it_wants_and_its_place_moves_over_the_rest,
    a_store_that_fails_for_a_while_and_a_panic_cost_nothing_but_time,
}

async fn a_file_gets_every_event_once_in_the_order_of_the_feed(bench: Bench) {
    let subscribers = bench.start(file(), 1);
    let first = bench.run().await;
    let second = bench.fail().await;
    bench.caught_up().await;
    let events = bench.lines("events.ndjson");
    assert_eq!(types_of(&events, first), LIFE);
    assert_eq!(types_of(&events, second), [LIFE[0], LIFE[1], LIFE[2], "step.failed", "task.failed"]);
    let numbers: Vec<i64> = ids(&events).iter().map(|id| id.parse().expect("a number")).collect();
    assert!(numbers.is_sorted_by(|left, right| left < right), "{numbers:?}");
    subscribers.stop().await;
    assert!(!bench.places.is_held(), "the place is given back");
}

async fn an_event_says_what_was_recorded(bench: Bench) {
    let subscribers = bench.start(file(), 1);
    let task = bench.fail().await;
    bench.caught_up().await;
    let event =
        bench.lines("events.ndjson").into_iter().find(|event| event["type"] == "step.failed").expect("told");
    assert_eq!((&event["specversion"], &event["source"]), (&json!("1.0"), &json!("tasker")));
    assert_eq!(event["subject"], task.step(0).to_string());
    assert_eq!(
        event["data"],
        json!({
            "task_id": task, "namespace": "default", "task_name": "pair", "task_version": "1.2.0",
            "correlation_id": "request-7",
            "step_id": task.step(0), "step_name": "a", "handler": "work", "queue": "default",
            "attempt_number": 1, "from": "in_progress", "to": "error", "cause": "failed",
            "failure": { "kind": "permanent", "message": "out of stock", "code": "HTTP_404" },
        })
    );
    subscribers.stop().await;
}

async fn a_restart_goes_on_where_it_was_and_repeats_nothing_that_was_taken(bench: Bench) {
    let subscribers = bench.start(file(), 1);
    let first = bench.run().await;
    bench.caught_up().await;
    subscribers.stop().await;
    let second = bench.run().await;
    let subscribers = bench.start(file(), 2);
    bench.caught_up().await;
    let events = bench.lines("events.ndjson");
    assert_eq!((types_of(&events, first), types_of(&events, second)), (strings(&LIFE), strings(&LIFE)));
    assert_eq!(events.len(), 2 * LIFE.len());
    subscribers.stop().await;
}

async fn of_two_processes_one_delivers_and_the_other_takes_over_when_it_dies(bench: Bench) {
    let first = bench.start(file(), 1);
    bench.places.until(Places::is_held).await;
    let second = bench.start(file(), 2);
    bench.run().await;
    bench.caught_up().await;
    assert_eq!((report(&first).taken, report(&second).taken), (7, 0));
    assert_eq!(report(&second).standing, Standing::StandingBy);
    drop(first);
    assert!(bench.places.is_held(), "the dead do not give back");
    bench.run().await;
    bench.caught_up().await;
    assert_eq!((report(&second).taken, report(&second).standing), (7, Standing::Delivering));
    assert_eq!(bench.lines("events.ndjson").len(), 2 * LIFE.len());
    second.stop().await;
}

async fn whoever_lost_its_place_stops_delivering(bench: Bench) {
    let subscribers = bench.start(file(), 1);
    bench.run().await;
    bench.caught_up().await;
    let before = bench.places.position();
    bench.places.take_away().await;
    bench.run().await;
    stands_by(&subscribers).await;
    assert_eq!(bench.places.position(), before, "the place is another's");
    subscribers.stop().await;
}

async fn a_process_keeps_its_place_as_long_as_it_works(bench: Bench) {
    let first = bench.start(file(), 1);
    bench.places.until(Places::is_held).await;
    let second = bench.start(file(), 2);
    bench.places.until(|places| places.holds() > 8).await;
    assert_eq!(
        (report(&first).standing, report(&second).standing),
        (Standing::Delivering, Standing::StandingBy)
    );
    first.stop().await;
    bench.places.until(Places::is_held).await;
    bench.run().await;
    bench.caught_up().await;
    assert_eq!(report(&second).taken, 7);
    second.stop().await;
}

async fn whoever_cannot_renew_in_time_stops_delivering_and_begins_again_later(bench: Bench) {
    let subscribers = bench.start(file(), 1);
    bench.run().await;
    bench.caught_up().await;
    bench.places.fail(u32::MAX);
    stands_by(&subscribers).await;
    bench.places.fail(0);
    bench.run().await;
    bench.caught_up().await;
    assert_eq!(bench.lines("events.ndjson").len(), 2 * LIFE.len());
    subscribers.stop().await;
}

async fn a_lease_that_ran_out_is_told_beside_the_failure_under_an_id_of_its_own(bench: Bench) {
    let mut settings = file();
    settings["events"] = json!(["step.failed", "lease.*"]);
    let subscribers = bench.start(settings, 1);
    bench.lose().await;
    bench.caught_up().await;
    let events = bench.lines("events.ndjson");
    assert_eq!(
        events.iter().map(|event| &event["type"]).collect::<Vec<_>>(),
        ["step.failed", "lease.expired"]
    );
    let ids = ids(&events);
    assert_eq!(ids[1], format!("{}-2", ids[0]));
    assert!(events.iter().all(|event| event["data"]["failure"]["message"] == "its worker went away"));
    subscribers.stop().await;
}

async fn a_beginning_now_leaves_out_what_was_before(bench: Bench) {
    bench.run().await;
    let mut settings = file();
    settings["start"] = json!("now");
    let subscribers = bench.start(settings, 1);
    bench.places.until(Places::is_held).await;
    let later = bench.run().await;
    bench.caught_up().await;
    let events = bench.lines("events.ndjson");
    assert_eq!((types_of(&events, later), events.len()), (strings(&LIFE), LIFE.len()));
    subscribers.stop().await;
}

async fn a_subscriber_gets_what_it_wants_and_its_place_moves_over_the_rest(bench: Bench) {
    let mut settings = file();
    settings["events"] = json!(["task.completed"]);
    let subscribers = bench.start(settings, 1);
    bench.run().await;
    bench.fail().await;
    bench.caught_up().await;
    let events = bench.lines("events.ndjson");
    assert_eq!(events.iter().map(|event| &event["type"]).collect::<Vec<_>>(), ["task.completed"]);
    let reports = subscribers.reports().await.expect("it is open");
    assert_eq!((reports[0].lag, reports[0].taken), (Some(0), 1));
    subscribers.stop().await;
}

async fn a_store_that_fails_for_a_while_and_a_panic_cost_nothing_but_time(bench: Bench) {
    bench.places.fail(2);
    let subscribers = bench.start(file(), 1);
    bench.run().await;
    bench.caught_up().await;
    bench.places.panic_once();
    bench.run().await;
    bench.caught_up().await;
    assert_eq!(report(&subscribers).panics, 1);
    let mut seen = bench.lines("events.ndjson");
    seen.dedup_by_key(|event| event["id"].clone());
    assert!(seen.len() >= 2 * LIFE.len(), "{}", seen.len());
    subscribers.stop().await;
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Waits until a process no longer delivers.
async fn stands_by(subscribers: &Subscribers) {
    let wait = async {
        while report(subscribers).standing == Standing::Delivering {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await.expect("in time");
}
