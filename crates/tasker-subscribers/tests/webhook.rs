//! Webhooks: signed calls, and receivers that are down, slow, busy or unwilling.

mod support;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use support::service::{Answer, Call, Service};
use support::{Bench, LIFE, ids, report, types_of};

const SECRET: &str = "a secret of at least twenty-four bytes";
const PREVIOUS: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn webhook(service: &Service) -> Value {
    json!({
        "name": "billing", "type": "webhook", "events": ["*"], "start": "beginning", "url": service.url(),
        "lease_seconds": 0.6, "timeout_seconds": 0.3, "dead_letters": "dead.ndjson",
    })
}

/// HMAC-SHA256 by its definition (RFC 2104), for keys of at most 64 bytes.
fn hmac(key: &[u8], message: &[u8]) -> String {
    let padded = |byte: u8| {
        let mut block = [byte; 64];
        block.iter_mut().zip(key).for_each(|(padding, key)| *padding ^= key);
        block
    };
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(message).finalize();
    STANDARD.encode(Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize())
}

fn assert_signed(call: &Call) {
    let (id, timestamp) = (call.header("webhook-id"), call.header("webhook-timestamp"));
    let content = [format!("{id}.{timestamp}.").as_bytes(), &call.body].concat();
    let previous = STANDARD.decode(&PREVIOUS["whsec_".len()..]).expect("Base64");
    let expected = format!("v1,{} v1,{}", hmac(SECRET.as_bytes(), &content), hmac(&previous, &content));
    assert_eq!(call.header("webhook-signature"), expected);
    assert_eq!(call.event()["id"], id);
}

#[tokio::test]
async fn every_event_is_sent_once_and_signed_with_both_secrets() {
    let (bench, mut service) = (Bench::in_memory().await, Service::start(&[]));
    let mut settings = webhook(&service);
    settings["secret"] = json!(SECRET);
    settings["previous_secret"] = json!(PREVIOUS);
    settings["headers"] = json!({ "authorization": "Bearer abc" });
    let subscribers = bench.start(settings, 1);
    let tasks = [bench.run().await, bench.run().await, bench.run().await];
    let calls = service.some_calls(3 * LIFE.len()).await;
    calls.iter().for_each(assert_signed);
    assert!(calls.iter().all(|call| call.header("authorization") == "Bearer abc"));
    assert!(calls.iter().all(|call| call.header("content-type") == "application/json"));
    let events: Vec<Value> = calls.iter().map(Call::event).collect();
    for task in tasks {
        assert_eq!(types_of(&events, task), LIFE);
    }
    bench.caught_up().await;
    subscribers.stop().await;
    assert!(service.calls.try_recv().is_err(), "nothing came twice");
}

#[tokio::test]
async fn what_a_receiver_missed_while_it_was_down_comes_later_in_order() {
    let (bench, service) = (Bench::in_memory().await, Service::start(&[]));
    let (address, settings) = (service.address, webhook(&service));
    drop(service);
    let subscribers = bench.start(settings, 1);
    let tasks = [bench.run().await, bench.run().await];
    let is_noticed = async {
        while report(&subscribers).retried < 3 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), is_noticed).await.expect("in time");
    let trouble = report(&subscribers);
    assert!(trouble.last_error.expect("told").contains("could not be reached"));
    assert!(trouble.paused_until.is_some());
    let mut service = Service::at(address, &[]);
    let events = service.taken(2 * LIFE.len()).await;
    for task in tasks {
        assert_eq!(types_of(&events, task), LIFE);
    }
    bench.caught_up().await;
    assert_eq!(report(&subscribers).last_error, None);
    subscribers.stop().await;
}

#[tokio::test]
async fn failures_and_silence_are_met_with_repetition_under_the_same_id() {
    let answers = [Answer::Status(500), Answer::Never, Answer::With(302, "location", "/elsewhere")];
    let (bench, mut service) = (Bench::in_memory().await, Service::start(&answers));
    let subscribers = bench.start(webhook(&service), 1);
    let task = bench.run().await;
    let calls = service.some_calls(3 + LIFE.len()).await;
    let first = calls[0].header("webhook-id");
    assert!(calls[1..4].iter().all(|call| call.header("webhook-id") == first), "nothing overtakes it");
    let events: Vec<Value> = calls[3..].iter().map(Call::event).collect();
    assert_eq!(types_of(&events, task), LIFE);
    bench.caught_up().await;
    let report = report(&subscribers);
    assert_eq!((report.taken, report.retried, report.refused), (7, 3, 0));
    subscribers.stop().await;
}

#[tokio::test]
async fn a_receiver_that_asks_to_be_left_alone_is_left_alone_by_all_tasks() {
    let (bench, mut service) =
        (Bench::in_memory().await, Service::start(&[Answer::With(429, "retry-after", "1")]));
    let subscribers = bench.start(webhook(&service), 1);
    bench.submit().await;
    let refused = service.call().await;
    bench.submit().await;
    bench.submit().await;
    let calls = service.some_calls(3).await;
    for call in calls {
        assert!(call.at - refused.at >= Duration::from_millis(990), "{:?}", call.at - refused.at);
    }
    bench.caught_up().await;
    subscribers.stop().await;
}

#[tokio::test]
async fn what_is_refused_for_good_becomes_a_dead_letter_and_is_passed_over() {
    let (bench, mut service) = (Bench::in_memory().await, Service::start(&[Answer::Status(422)]));
    let subscribers = bench.start(webhook(&service), 1);
    let task = bench.run().await;
    bench.caught_up().await;
    let calls = service.some_calls(LIFE.len()).await;
    let events: Vec<Value> = calls.iter().map(Call::event).collect();
    assert_eq!(types_of(&events, task), LIFE);
    let letters = bench.lines("dead.ndjson");
    assert_eq!(letters.len(), 1);
    assert_eq!((&letters[0]["subscriber"], &letters[0]["event"]), (&json!("billing"), &events[0]));
    assert_eq!(letters[0]["error"], format!("http://{} answered 422 Unprocessable Entity", service.address));
    let report = report(&subscribers);
    assert_eq!((report.taken, report.refused, report.retried), (6, 1, 0));
    subscribers.stop().await;
}

#[tokio::test]
async fn that_it_begins_stalls_recovers_and_is_refused_something_is_told_once() {
    let answers = [Answer::Status(500), Answer::Status(503), Answer::Status(200), Answer::Status(410)];
    let (bench, service) = (Bench::in_memory().await, Service::start(&answers));
    let subscribers = bench.start(webhook(&service), 1);
    bench.run().await;
    bench.caught_up().await;
    subscribers.stop().await;
    let shown = format!("http://{}", service.address);
    let stalled = json!({
        "subscriber": "billing", "error_message": format!("{shown} answered 500 Internal Server Error"),
    });
    let refused = json!({
        "subscriber": "billing", "event": LIFE[1], "error_message": format!("{shown} answered 410 Gone"),
    });
    let expected = [
        ("subscriber.started", json!({ "subscriber": "billing", "position": 0 })),
        ("subscriber.stalled", stalled),
        ("subscriber.recovered", json!({ "subscriber": "billing" })),
        ("subscriber.refused", refused),
    ];
    assert_eq!(bench.record.told(), expected);
}

#[tokio::test]
async fn a_task_that_is_not_taken_holds_up_no_other_and_comes_again_after_a_restart() {
    let (bench, mut service) = (Bench::in_memory().await, Service::start(&[Answer::Never]));
    let mut settings = webhook(&service);
    settings["timeout_seconds"] = json!(60);
    let subscribers = bench.start(settings.clone(), 1);
    let stuck = bench.submit().await;
    let missed = service.call().await.event();
    let other = bench.run().await;
    let events = service.taken(LIFE.len()).await;
    assert_eq!(types_of(&events, other), LIFE);
    assert!(
        bench.places.position() < ids(std::slice::from_ref(&missed))[0].parse().ok(),
        "its place is before the stuck one"
    );
    drop(subscribers);
    let subscribers = bench.start(settings, 2);
    let again = service.taken(1 + LIFE.len()).await;
    assert_eq!(types_of(&again, stuck), LIFE[..1]);
    assert!(again.contains(&missed), "the same event under the same id");
    assert_eq!(types_of(&again, other), LIFE, "what came after it comes again, in order");
    bench.caught_up().await;
    subscribers.stop().await;
}
