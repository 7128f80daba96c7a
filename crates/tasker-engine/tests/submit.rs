//! Submissions: versions, contexts, identities.

mod support;

use serde_json::{Value, json};
use support::{Bench, pair};
use tasker_core::{CorrelationId, IdentityStrategy, OnDuplicate};
use tasker_engine::{EngineError, SubmissionError, TaskRequest};
use tasker_store::{Origin, Submitted};

fn request(template: &str, context: Value) -> TaskRequest {
    TaskRequest::new(template.parse().expect("a request"), context)
}

async fn version_of(bench: &Bench, template: &str) -> Result<String, String> {
    let submitted =
        bench.engine.submit(request(template, json!({}))).await.map_err(|error| error.to_string())?;
    let view = bench.engine.task(submitted.id()).await.expect("memory does not fail").expect("just made");
    Ok(view.template.version.to_string())
}

#[tokio::test]
async fn a_request_means_the_highest_version_that_fits() {
    let bench = Bench::new();
    for version in ["9.0.0", "10.0.0", "2.1.0", "2.4.7"] {
        bench.register(pair(version)).await;
    }
    assert_eq!(version_of(&bench, "pair").await.as_deref(), Ok("10.0.0"));
    assert_eq!(version_of(&bench, "pair@^2.1").await.as_deref(), Ok("2.4.7"));
    assert_eq!(version_of(&bench, "pair@9.0.0").await.as_deref(), Ok("9.0.0"));
    let error = version_of(&bench, "pair@3.0.0").await.expect_err("not registered");
    assert_eq!(
        error,
        "no template default.pair@3.0.0 is registered; registered versions: 2.1.0, 2.4.7, 9.0.0, 10.0.0"
    );
}

#[tokio::test]
async fn a_task_keeps_its_version_when_a_newer_one_is_registered() {
    let bench = Bench::new();
    bench.register(pair("1.0.0")).await;
    let task = bench.submit("pair", json!({})).await;
    bench.register(pair("2.0.0")).await;
    let view = bench.engine.task(task).await.expect("memory does not fail").expect("just made");
    assert_eq!(view.template.key().to_string(), "default.pair@1.0.0");
}

async fn origin_of(bench: &Bench, request: TaskRequest) -> Origin {
    let submitted = bench.engine.submit(request).await.expect("submitted");
    bench.engine.task(submitted.id()).await.expect("memory does not fail").expect("just made").task.origin
}

#[tokio::test]
async fn a_task_belongs_to_the_request_that_caused_it() {
    let bench = Bench::new();
    bench.register(pair("1.0.0")).await;
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned();
    let given = Origin { correlation_id: Some("order-42".to_owned()), traceparent: Some(traceparent) };
    let with = |origin: &Origin| TaskRequest {
        correlation_id: origin.correlation_id.clone(),
        traceparent: origin.traceparent.clone(),
        ..request("pair", json!({}))
    };
    assert_eq!(origin_of(&bench, with(&given)).await, given);
    let odd = Origin { correlation_id: None, traceparent: Some("00-1".to_owned()) };
    let (one, other) = (origin_of(&bench, with(&odd)).await, origin_of(&bench, with(&odd)).await);
    assert_eq!((&one.traceparent, &other.traceparent), (&None, &None));
    let id = one.correlation_id.expect("made up");
    assert!(id.starts_with("tsk_") && id.parse::<CorrelationId>().is_ok(), "{id}");
    assert_ne!(Some(id), other.correlation_id);
    let wrong = Origin { correlation_id: Some("order 42".to_owned()), traceparent: None };
    let refused = bench.engine.submit(with(&wrong)).await.expect_err("refused").to_string();
    assert_eq!(
        refused,
        "correlation_id \"order 42\" cannot be used: write at most 100 letters from a to z, digits, - and _, a letter or a \
         digit first"
    );
}

fn with_schema() -> Value {
    let mut definition = pair("1.0.0");
    definition["schema"] = json!({
        "type": "object",
        "required": ["cart_id"],
        "properties": { "cart_id": { "type": "integer" }, "currency": { "type": "string", "default": "EUR" } },
    });
    definition
}

#[tokio::test]
async fn defaults_of_the_schema_are_stored_with_the_context() {
    let bench = Bench::new();
    bench.register(with_schema()).await;
    let task = bench.submit("pair", json!({ "cart_id": 7 })).await;
    let view = bench.engine.task(task).await.expect("memory does not fail").expect("just made");
    assert_eq!(view.task.context, json!({ "cart_id": 7, "currency": "EUR" }));
}

#[tokio::test]
async fn a_context_that_does_not_fit_is_refused_by_field() {
    let bench = Bench::new();
    bench.register(with_schema()).await;
    let error =
        bench.engine.submit(request("pair", json!({ "cart_id": "seven" }))).await.expect_err("a string");
    let EngineError::Context { problems, .. } = &error else { panic!("{error}") };
    assert_eq!(problems.len(), 1);
    assert!(error.to_string().contains("cart_id"), "{error}");
    let error = bench.engine.submit(request("pair", json!([1]))).await.expect_err("not an object");
    assert!(error.to_string().starts_with("context \"[1]\" cannot be used: write a JSON object"), "{error}");
}

#[tokio::test]
async fn a_bypassed_step_that_the_template_does_not_have_is_refused() {
    let bench = Bench::new();
    bench.register(pair("1.0.0")).await;
    let mut wish = request("pair", json!({}));
    wish.bypass_steps = vec!["nobody".parse().expect("a name")];
    let error = bench.engine.submit(wish).await.expect_err("no such step");
    assert_eq!(error.to_string(), "bypass_steps \"nobody\" cannot be used: name steps of the template");
}

#[tokio::test]
async fn a_context_that_could_not_be_read_back_is_refused() {
    let bench = Bench::new();
    bench.register(pair("1.0.0")).await;
    let deep = (0..101).fold(json!(1), |inner, _| json!([inner]));
    let error = bench.engine.submit(request("pair", json!({ "deep": deep }))).await.expect_err("too deep");
    assert!(error.to_string().ends_with("nest at most 100 levels"), "{error}");
}

#[tokio::test]
async fn an_equal_submission_within_the_window_is_a_duplicate() {
    let bench = Bench::new();
    bench.register(pair("1.0.0")).await;
    let mut first = request("pair", json!({ "a": 1, "b": 2 }));
    first.identity = Some(IdentityStrategy::Hash { window_seconds: 60 });
    let made = bench.engine.submit(first.clone()).await.expect("the first of its kind").id();
    let refused = bench.engine.submit(first.clone()).await.expect_err("a duplicate");
    assert!(matches!(refused, EngineError::Duplicate { existing } if existing == made), "{refused}");
    first.on_duplicate = OnDuplicate::ReturnExisting;
    let existing = bench.engine.submit(first.clone()).await.expect("returned");
    assert_eq!(existing, Submitted::Existing(made));
    bench.clock.advance(std::time::Duration::from_secs(61));
    let later = bench.engine.submit(first).await.expect("the window has passed");
    assert!(matches!(later, Submitted::Created(_)));
}

#[tokio::test]
async fn a_batch_with_one_bad_request_makes_nothing() {
    let bench = Bench::new();
    bench.register(pair("1.0.0")).await;
    let mut bad = request("pair", json!({}));
    bad.reason = "x".repeat(129);
    let error = bench.engine.submit_all(vec![request("pair", json!({})), bad]).await.expect_err("too long");
    let SubmissionError::Request { index, source } = &error else { panic!("{error}") };
    assert_eq!(*index, 1);
    assert!(source.to_string().starts_with("reason "), "{source}");
    let listed = bench.store.tasks(&tasker_store::TaskFilter::default(), tasker_store::Page::default()).await;
    assert!(listed.expect("memory does not fail").is_empty());
}

#[tokio::test]
async fn a_batch_with_a_duplicate_names_it_and_makes_nothing() {
    let bench = Bench::new();
    bench.register(pair("1.0.0")).await;
    let mut twin = request("pair", json!({}));
    twin.identity = Some(IdentityStrategy::Hash { window_seconds: 60 });
    let batch = vec![request("pair", json!({})), twin.clone(), twin];
    let error = bench.engine.submit_all(batch).await.expect_err("two are equal");
    let expected = "request 2 of the submission, counted from 0, is refused";
    assert_eq!(error.to_string(), expected);
    let listed = bench.store.tasks(&tasker_store::TaskFilter::default(), tasker_store::Page::default()).await;
    assert!(listed.expect("memory does not fail").is_empty());
}

#[tokio::test]
async fn a_priority_beyond_the_range_is_refused() {
    let bench = Bench::new();
    bench.register(pair("1.0.0")).await;
    for priority in [-101, 101, i32::MIN, i32::MAX] {
        let wild = TaskRequest { priority, ..request("pair", json!({})) };
        let error = bench.engine.submit(wild).await.expect_err("out of range");
        assert!(error.to_string().ends_with("write a number from -100 to 100"), "{error}");
    }
}
