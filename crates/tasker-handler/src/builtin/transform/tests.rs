use super::*;
use crate::testing::TestStep;

fn step(config: Value) -> StepContext {
    TestStep::new()
        .context(json!({ "amount": 3, "names": ["b", "a"] }))
        .dependency("quote", json!({ "price": 1.5, "big": 12_345_678_901_234_567_890_u64 }))
        .config(config)
        .build()
}

async fn done(filter: &str) -> Value {
    match TransformHandler::default().run(&step(json!({ "filter": filter }))).await {
        Outcome::Done(value) => value,
        other => panic!("{filter}: {other:?}"),
    }
}

async fn failure(filter: &str) -> Failure {
    match TransformHandler::with_max_steps(100_000).run(&step(json!({ "filter": filter }))).await {
        Outcome::Fail(failure) => failure,
        other => panic!("{filter}: {other:?}"),
    }
}

#[tokio::test]
async fn a_filter_sees_context_steps_and_config() {
    assert_eq!(done(".steps.quote.price * .context.amount").await, json!(4.5));
    assert_eq!(done(".config.filter | length").await, json!(23));
    let both = json!({ "sorted": ["a", "b"], "n": 2 });
    assert_eq!(done("{sorted: (.context.names | sort), n: (.context | length)}").await, both);
}

#[tokio::test]
async fn numbers_come_back_as_they_went_in() {
    assert_eq!(done(".steps.quote.big").await, json!(12_345_678_901_234_567_890_u64));
    assert_eq!(done("[0.1, 1e3, -5, nan, infinite]").await, json!([0.1, 1e3, -5, null, f64::MAX]));
}

#[tokio::test]
async fn several_outputs_are_refused_unless_they_are_collected() {
    let refused = failure("1, 2").await;
    assert_eq!(refused.code.as_deref(), Some("TRANSFORM_OUTPUTS"));
    let collected = step(json!({ "filter": "1, 2", "collect": true }));
    assert_eq!(TransformHandler::default().run(&collected).await, Outcome::Done(json!([1, 2])));
}

#[tokio::test]
async fn a_filter_that_cannot_be_read_is_shown_with_the_place() {
    for (filter, message) in [
        (
            ".a | | .b",
            "handler_config.filter, line 1, column 6: expected term, found |\n  .a | | .b\n       ^",
        ),
        (
            ".a\n  | foo(1)",
            "handler_config.filter, line 2, column 5: unknown filter foo\n    | foo(1)\n      ^",
        ),
        ("[1, 2", "handler_config.filter, line 1, column 6: expected closing bracket\n  [1, 2\n       ^"),
        ("{a: }", "handler_config.filter, line 1, column 5: expected term, found }\n  {a: }\n      ^"),
        ("$ENV", "handler_config.filter, line 1, column 1: unknown variable $ENV\n  $ENV\n  ^"),
        ("env", "handler_config.filter, line 1, column 1: unknown filter env\n  env\n  ^"),
        (
            "include \"a\"; .",
            "handler_config.filter: modules cannot be used; write the definitions in the filter",
        ),
    ] {
        let failure = failure(filter).await;
        assert_eq!((failure.kind, failure.message.as_str()), (FailureKind::Configuration, message));
    }
}

#[tokio::test]
async fn an_error_of_the_filter_is_a_permanent_failure() {
    let failure = failure(".context.amount.x").await;
    assert_eq!(failure.kind, FailureKind::Permanent);
    assert_eq!(failure.message, "the filter failed: cannot index 3 with \"x\"");
}

#[tokio::test]
async fn a_filter_ends_with_its_attempt() {
    let step = step(json!({ "filter": "def f: f; f" }));
    step.cancellation().cancel();
    let outcome = TransformHandler::default().run(&step).await;
    assert!(
        matches!(outcome, Outcome::Retry { failure, .. } if failure.code.as_deref() == Some("CANCELLED"))
    );
}
