//! The `http` handler against a real server: cases H1–H14 and H16, and what goes over the wire.
//!
//! H15 (results that a handler set itself are kept when it returns another value) cannot arise: a step has no results
//! that a handler could set beside its answer, [`Outcome::Done`] is the only way to give them.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tasker_core::{Failure, FailureKind, Outcome, When};
use tasker_handler::testing::TestStep;
use tasker_handler::{HttpHandler, StepHandler, Surroundings};

use crate::support::server::{Answer, Server};

fn handler() -> HttpHandler {
    HttpHandler::new(&Arc::new(Surroundings::default()))
}

async fn outcome_of(answer: Answer, attempt: u32, config: Value) -> Outcome {
    let server = Server::answering([answer]).await;
    let mut config = config;
    config["url"] = json!(server.url("/charge"));
    handler().run(&TestStep::new().attempt(attempt).config(config).build()).await
}

async fn refused(status: u16, headers: &[&str]) -> Outcome {
    outcome_of(Answer::new(status, headers, ""), 1, json!({})).await
}

fn retried(outcome: Outcome) -> (Failure, Option<When>) {
    match outcome {
        Outcome::Retry { failure, when } => (failure, when),
        other => panic!("not retried: {other:?}"),
    }
}

fn after(seconds: u64) -> When {
    When::After(Duration::from_secs(seconds))
}

#[tokio::test]
async fn h1_an_answer_in_json_is_stored_whole() {
    let answer = Answer::new(200, &["Content-Type: application/json"], r#"{"data": "successful response"}"#);
    let Outcome::Done(results) = outcome_of(answer, 1, json!({})).await else { panic!("not done") };
    assert_eq!(results["status"], 200);
    assert_eq!(results["headers"]["content-type"], "application/json");
    assert_eq!(results["body"], json!({ "data": "successful response" }));
}

#[tokio::test]
async fn h2_other_good_statuses_are_done_too() {
    for (status, body, stored) in
        [(201, "made", json!("made")), (202, "", Value::Null), (204, "", Value::Null)]
    {
        let Outcome::Done(results) = outcome_of(Answer::new(status, &[], body), 1, json!({})).await else {
            panic!("{status} is not done")
        };
        assert_eq!((&results["status"], &results["body"]), (&json!(status), &stored));
    }
}

#[tokio::test]
async fn h3_h16_a_server_that_names_seconds_is_left_alone_so_long() {
    for header in ["Retry-After: 30", "retry-after: 30"] {
        let (failure, when) = retried(refused(429, &[header]).await);
        assert_eq!(when, Some(after(30)));
        assert_eq!((failure.kind, failure.code.as_deref()), (FailureKind::Retryable, Some("HTTP_429")));
    }
}

#[tokio::test]
async fn h4_h11_a_date_counts_from_the_present_and_is_never_past() {
    let present = TestStep::new().build().claimed_at();
    let present = SystemTime::UNIX_EPOCH + Duration::from_micros(present.as_micros().unsigned_abs());
    let minute = Duration::from_mins(1);
    let date = |time| format!("Retry-After: {}", httpdate::fmt_http_date(time));
    let (_, when) = retried(refused(429, &[&date(present + minute)]).await);
    let Some(When::After(wait)) = when else { panic!("{when:?}") };
    assert!((1..=60).contains(&wait.as_secs()), "{wait:?}");
    let (_, when) = retried(refused(429, &[&date(present - minute)]).await);
    assert_eq!(when, Some(after(1)));
}

#[tokio::test]
async fn h5_h6_h7_h12_without_a_sensible_header_the_backoff_of_the_step_is_used() {
    for (status, headers, attempt, seconds) in
        [(429, &[][..], 1, 1), (429, &[], 3, 4), (503, &[], 1, 1), (429, &["Retry-After: in a while"], 2, 2)]
    {
        let outcome = outcome_of(Answer::new(status, headers, ""), attempt, json!({})).await;
        assert_eq!(retried(outcome).1, Some(after(seconds)), "{status} {headers:?} {attempt}");
    }
}

#[tokio::test]
async fn h8_h14_other_statuses_leave_the_wait_to_the_step() {
    for status in [500, 302, 418, 502] {
        let (failure, when) = retried(refused(status, &["Location: /elsewhere"]).await);
        assert_eq!((failure.code, when), (Some(format!("HTTP_{status}")), None));
    }
}

#[tokio::test]
async fn h9_a_handler_may_be_told_not_to_set_a_wait() {
    let config = json!({ "enable_exponential_backoff": false });
    let outcome = outcome_of(Answer::new(429, &[], ""), 1, config).await;
    assert_eq!(retried(outcome).1, None);
}

#[tokio::test]
async fn h10_no_server_is_left_alone_longer_than_the_longest_backoff() {
    let (_, when) = retried(refused(429, &["Retry-After: 7200"]).await);
    assert_eq!(when, Some(after(300)));
}

#[tokio::test]
async fn h13_a_refusal_for_good_is_a_permanent_failure() {
    for status in [400, 401, 403, 404, 422] {
        let answer = Answer::new(status, &["content-type: application/json"], r#"{"error": "no"}"#);
        let Outcome::Fail(failure) = outcome_of(answer, 1, json!({})).await else {
            panic!("{status} retried")
        };
        assert_eq!((failure.kind, failure.code), (FailureKind::Permanent, Some(format!("HTTP_{status}"))));
        assert_eq!(failure.details["body"], json!({ "error": "no" }));
        assert!(failure.message.starts_with("GET http://127.0.0.1:"), "{}", failure.message);
    }
}

#[tokio::test]
async fn a_post_without_a_body_sends_the_step() {
    let server = Server::answering([Answer::new(200, &[], "")]).await;
    let config =
        json!({ "url": server.url("/ship"), "method": "post", "params": { "page": [1, 2], "q": "a b" } });
    let step =
        TestStep::new().config(config).context(json!({ "order": 7 })).dependency("quote", json!(5)).build();
    handler().run(&step).await;
    let request = &server.requests()[0];
    assert_eq!(request.line, "POST /ship?page=1&page=2&q=a+b");
    assert_eq!(request.header("Idempotency-Key"), Some(step.idempotency_key().as_str()));
    assert_eq!(request.header("Content-Type"), Some("application/json"));
    let body: Value = serde_json::from_str(&request.body).expect("JSON");
    assert_eq!((&body["context"], &body["dependencies"]), (&json!({ "order": 7 }), &json!({ "quote": 5 })));
    assert_eq!((&body["step"], &body["attempt"]), (&json!("step"), &json!(1)));
    assert_eq!(body["task_id"], json!(step.task_id()));
}

#[tokio::test]
async fn headers_and_body_are_sent_as_configured() {
    let server = Server::answering([Answer::new(200, &[], ""), Answer::new(200, &[], "")]).await;
    for body in [json!({ "a": 1 }), json!("plain")] {
        let headers = json!({ "Authorization": "Bearer x", "Idempotency-Key": "mine", "X-Number": 7 });
        let config = json!({ "url": server.url("/"), "headers": headers, "body": body });
        handler().run(&TestStep::new().config(config).build()).await;
    }
    let requests = server.requests();
    assert_eq!(requests[0].line, "POST /");
    assert_eq!((requests[0].body.as_str(), requests[1].body.as_str()), (r#"{"a":1}"#, "plain"));
    assert_eq!(requests[0].header("authorization"), Some("Bearer x"));
    assert_eq!(requests[0].header("idempotency-key"), Some("mine"));
    assert_eq!(requests[0].header("x-number"), Some("7"));
}

#[tokio::test]
async fn a_null_takes_a_header_or_a_parameter_away() {
    let server = Server::answering([Answer::new(200, &[], "")]).await;
    let config = json!({
        "url": server.url("/"), "params": { "a": null, "b": 1 }, "headers": { "Idempotency-Key": null },
    });
    handler().run(&TestStep::new().config(config).build()).await;
    let request = &server.requests()[0];
    assert_eq!((request.line.as_str(), request.header("Idempotency-Key")), ("GET /?b=1", None));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let server =
        Server::answering([Answer::new(302, &["Location: /secret"], ""), Answer::new(200, &[], "")]).await;
    let config = json!({ "url": server.url("/") });
    retried(handler().run(&TestStep::new().config(config).build()).await);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn credentials_are_stored_nowhere() {
    let headers = ["Set-Cookie: session=s3cret", "WWW-Authenticate: Bearer s3cret", "X-Auth-Token: s3cret"];
    let done = outcome_of(Answer::new(200, &headers, ""), 1, json!({})).await;
    let server = Server::answering([Answer::new(500, &headers, ""), Answer::HangUp]).await;
    let url = server.url("/x?token=s3cret&page=2").replace("http://", "http://ada:s3cret@");
    let config = json!({ "url": url, "headers": { "Authorization": "s3cret" } });
    let failed = handler().run(&TestStep::new().config(config.clone()).build()).await;
    let unreached = handler().run(&TestStep::new().config(config).build()).await;
    for outcome in [done, failed, unreached] {
        assert!(!format!("{outcome:?}").contains("s3cret"), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_in_time_is_tried_again() {
    let outcome = outcome_of(Answer::Silence, 1, json!({ "timeout_seconds": 0.05 })).await;
    let (failure, when) = retried(outcome);
    assert_eq!((failure.code.as_deref(), when), (Some("HTTP_TIMEOUT"), None));
    assert!(failure.message.ends_with("/charge did not answer within 0.05 s"), "{}", failure.message);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_tried_again() {
    let config = json!({ "url": "http://127.0.0.1:1/" });
    let (failure, _) = retried(handler().run(&TestStep::new().config(config).build()).await);
    assert_eq!(failure.code.as_deref(), Some("HTTP_CONNECT"));
    assert!(
        failure.message.contains("could not connect: ") && failure.message.contains("refused"),
        "{failure:?}"
    );
    let (failure, _) = retried(outcome_of(Answer::HangUp, 1, json!({})).await);
    assert_eq!(failure.code.as_deref(), Some("HTTP_TRANSPORT"));
}

#[tokio::test]
async fn a_cancelled_attempt_leaves_its_call() {
    let server = Server::answering([Answer::Silence]).await;
    let step = TestStep::new().config(json!({ "url": server.url("/") })).build();
    step.cancellation().cancel();
    assert_eq!(retried(handler().run(&step).await).0.code.as_deref(), Some("CANCELLED"));
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_a_clear_failure() {
    let answer = Answer::new(200, &[], &"x".repeat(100));
    let Outcome::Fail(failure) = outcome_of(answer, 1, json!({ "max_body_bytes": 99 })).await else {
        panic!()
    };
    assert_eq!(failure.code.as_deref(), Some("HTTP_BODY_TOO_LARGE"));
    let remedy = "with more than 99 bytes; raise handler_config.max_body_bytes";
    assert!(failure.message.contains(remedy), "{}", failure.message);
    let answer = Answer::new(200, &[], &"x".repeat(99));
    assert!(matches!(outcome_of(answer, 1, json!({ "max_body_bytes": 99 })).await, Outcome::Done(_)));
}

#[tokio::test]
async fn what_says_it_is_json_and_is_not_is_kept_as_text() {
    let answer = Answer::new(200, &["content-type: application/problem+json"], "<html>");
    let Outcome::Done(results) = outcome_of(answer, 1, json!({})).await else { panic!("not done") };
    assert_eq!(results["body"], "<html>");
}

#[tokio::test]
async fn a_configuration_that_cannot_be_used_is_named() {
    for (config, message) in [
        (
            json!({}),
            "handler_config.url is missing; write the address to call, such as https://api.example.com/orders",
        ),
        (
            json!({ "url": "example.com" }),
            "handler_config.url is not an address: relative URL without a base; write e.g. https://api.example.com/orders",
        ),
        (json!({ "url": "ftp://x/" }), "handler_config.url begins with \"ftp:\"; write http: or https:"),
        (json!({ "url": 5 }), "handler_config.url: expected a text, found 5"),
        (
            json!({ "url": "http://x/", "method": "FETCH" }),
            "handler_config.method: expected GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS, found \"FETCH\"",
        ),
        (
            json!({ "url": "http://x/", "headers": { "A": ["b"] } }),
            "handler_config.headers.A: expected a text of visible characters",
        ),
        (
            json!({ "url": "https://x/", "ssl": { "ca_file": "/nowhere.pem" } }),
            "ssl.ca_file: /nowhere.pem cannot be used: No such file or directory (os error 2)",
        ),
        (
            json!({ "url": "https://x/", "ssl": { "verify": "no" } }),
            "ssl.verify: expected true or false, found a text",
        ),
    ] {
        let Outcome::Fail(failure) = handler().run(&TestStep::new().config(config).build()).await else {
            panic!("{message}")
        };
        assert_eq!((failure.kind, failure.message.as_str()), (FailureKind::Configuration, message));
    }
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_no_https_server() {
    for ssl in [json!({ "verify": true }), json!({ "verify": false })] {
        let server = Server::answering([Answer::new(200, &[], "")]).await;
        let config = json!({ "url": server.url("/").replace("http:", "https:"), "ssl": ssl });
        let (failure, _) = retried(handler().run(&TestStep::new().config(config).build()).await);
        assert_eq!(failure.code.as_deref(), Some("HTTP_CONNECT"), "{failure:?}");
    }
}

#[tokio::test]
async fn a_server_must_prove_who_it_is_unless_it_need_not() {
    let (server, certificate) =
        Server::secured([Answer::new(200, &[], "a"), Answer::new(200, &[], "b")]).await;
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("ca.pem"), certificate).expect("written");
    let handler = HttpHandler::new(&Arc::new(Surroundings::default().base_dir(folder.path())));
    let call = async |ssl: Value| {
        let config = json!({ "url": format!("https://localhost:{}/", server.port()), "ssl": ssl });
        handler.run(&TestStep::new().config(config).build()).await
    };
    let (failure, _) = retried(call(json!({})).await);
    assert_eq!(failure.code.as_deref(), Some("HTTP_CONNECT"), "{failure:?}");
    assert!(failure.message.contains("certificate"), "{}", failure.message);
    for ssl in [json!({ "ca_file": "ca.pem" }), json!({ "verify": false })] {
        assert!(matches!(call(ssl.clone()).await, Outcome::Done(_)), "{ssl}");
    }
}
