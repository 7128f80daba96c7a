//! What settings may say, and what is answered to the rest.

mod support;

use serde_json::{Value, json};
use tasker_subscribers::{ReceiverSettings, SubscriberSettings, Subscribers};

fn webhook() -> Value {
    json!({
        "name": "billing", "type": "webhook", "events": ["task.completed", "step.*"],
        "url": "https://ada:hunter2@example.com/hooks/T0KEN?key=hunter2",
        "secret": "hunter2-hunter2-hunter2-hunter2", "headers": { "authorization": "Bearer hunter2" },
    })
}

fn read(settings: Value) -> Result<SubscriberSettings, String> {
    serde_json::from_value(settings).map_err(|error| error.to_string())
}

fn with(field: &str, value: Value) -> String {
    let mut settings = webhook();
    settings[field] = value;
    read(settings).expect_err(field)
}

#[test]
fn a_webhook_needs_little() {
    let settings = read(webhook()).expect("valid");
    let ReceiverSettings::Webhook(receiver) = settings.receiver else { panic!("a webhook") };
    assert_eq!((receiver.timeout.as_secs(), receiver.max_in_flight, receiver.secrets.len()), (10, 8, 1));
    assert_eq!((settings.source.as_str(), settings.lease.as_secs()), ("tasker", 30));
}

#[test]
fn secrets_are_never_shown() {
    let mut settings = webhook();
    settings["type"] = json!("command");
    let texts = [
        format!("{:?}", read(webhook()).expect("valid")),
        with("secret", json!("hunter2")),
        with("secret", json!({ "hunter2": "hunter2" })),
        with("previous_secret", json!("hunter2")),
        with("url", json!("hunter2 is no address")),
        with("headers", json!({ "authorization": "hunter2\n" })),
        with("max_in_flight", json!(0)),
        read(settings).expect_err("a mixture"),
    ];
    for text in texts {
        assert!(!text.contains("hunter2") && !text.contains("T0KEN"), "{text}");
    }
}

#[test]
fn what_is_wrong_is_told_with_the_subscriber_the_field_and_the_remedy() {
    let cases = [
        (
            "events",
            json!(["task.complete"]),
            "subscriber \"billing\": events[0]: \"task.complete\" is no event; did you mean \"task.completed\"?",
        ),
        (
            "path",
            json!("x"),
            "subscriber \"billing\": path: means nothing to a subscriber of type webhook; take it out",
        ),
        ("timeout_seconds", json!(-1), "timeout_seconds: is -1; write seconds, more than 0 and at most 3600"),
        ("max_in_flight", json!(1000), "max_in_flight: is 1000; write a number from 1 to 256"),
        (
            "url",
            json!("ftp://example.com"),
            "url: begins with \"ftp:\"; write http:// or https:// and a host",
        ),
        (
            "headers",
            json!({ "Webhook-Id": "7" }),
            "headers.Webhook-Id: is written by the subscriber itself; take it out",
        ),
        ("name", json!("a b"), "name: \"a b\" is no name; write up to 64 letters"),
        ("urll", json!("x"), "unknown field `urll`"),
    ];
    for (field, value, expected) in cases {
        let problem = with(field, value);
        assert!(problem.contains(expected), "{problem}");
    }
}

#[test]
fn every_type_says_what_it_lacks() {
    let of = |kind: &str| read(json!({ "name": "x", "type": kind, "events": ["*"] })).expect_err(kind);
    assert!(of("webhook").contains("url: is missing; write the address"));
    assert!(of("command").contains("command: is missing or empty; write a list"));
    assert!(of("file").contains("path: is missing or names no file; write one"));
    assert!(of("mail").contains("unknown variant `mail`, expected one of `webhook`, `command`, `file`"));
}

#[tokio::test]
async fn two_subscribers_have_neither_a_name_nor_a_file_in_common() {
    let bench = support::Bench::in_memory().await;
    let file =
        |name: &str, path: &str| json!({ "name": name, "type": "file", "events": ["*"], "path": path });
    let mut letters = webhook();
    letters["dead_letters"] = json!("a.ndjson");
    for (first, second, expected) in [
        (file("x", "a.ndjson"), file("x", "b.ndjson"), "subscriber \"x\": name: stands twice"),
        (
            file("x", "a.ndjson"),
            file("y", "a.ndjson"),
            "subscriber \"y\": path: is written by another subscriber",
        ),
        (file("x", "a.ndjson"), letters, "subscriber \"billing\": dead_letters: is written by another"),
    ] {
        let both = [first, second].map(support::settings_of).to_vec();
        let error = Subscribers::start(both, &bench.surroundings(1)).expect_err(expected);
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn an_authority_that_cannot_be_read_is_told_at_the_start() {
    let bench = support::Bench::in_memory().await;
    let mut settings = webhook();
    settings["ca_file"] = json!("none.pem");
    let error = Subscribers::start(vec![support::settings_of(settings)], &bench.surroundings(1));
    let error = error.expect_err("no such file").to_string();
    assert!(error.contains("ca_file: ") && error.contains("none.pem cannot be used"), "{error}");
}
