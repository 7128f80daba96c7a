//! The `command` handler with real programs.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tasker_core::{Failure, FailureKind, Outcome};
use tasker_handler::testing::{LogLines, TestStep};
use tasker_handler::{CommandHandler, StepContext, StepHandler, Surroundings};

fn handler() -> CommandHandler {
    let environment = [("PATH", "/usr/local/bin:/usr/bin:/bin"), ("LC_ALL", "C"), ("API_TOKEN", "s3cret")];
    CommandHandler::new(Arc::new(Surroundings::default().environment(environment)))
}

async fn run(config: Value) -> Outcome {
    let step = TestStep::new().context(json!({ "order": 7 })).config(config).build();
    handler().run(&step).await
}

async fn done(config: Value) -> Value {
    match run(config).await {
        Outcome::Done(results) => results,
        other => panic!("not done: {other:?}"),
    }
}

async fn failed(config: Value) -> (Failure, &'static str) {
    match run(config).await {
        Outcome::Retry { failure, when: None } => (failure, "retried"),
        Outcome::Fail(failure) => (failure, "for good"),
        other => panic!("not failed: {other:?}"),
    }
}

fn shell(text: &str) -> Value {
    json!({ "command": text })
}

#[tokio::test]
async fn a_program_reads_the_step_and_writes_its_results() {
    let step = done(json!({ "command": ["cat"] })).await;
    assert_eq!((&step["context"], &step["step"]), (&json!({ "order": 7 }), &json!("step")));
    let echo = json!({ "program": "cat", "args": ["-"], "stdin": { "a": [1] } });
    assert_eq!(done(echo).await, json!({ "a": [1] }));
}

#[tokio::test]
async fn results_are_json_if_the_output_or_its_last_line_is() {
    for (script, results) in [
        ("true", Value::Null),
        ("echo 42", json!(42)),
        ("printf '{\\n \"a\": 1\\n}\\n\\n'", json!({ "a": 1 })),
        ("echo working; echo '{\"a\": 1}'", json!({ "a": 1 })),
        ("echo working; echo 42", json!({ "stdout": "working\n42" })),
        ("echo '{broken'", json!({ "stdout": "{broken" })),
    ] {
        assert_eq!(done(shell(script)).await, results, "{script}");
    }
}

#[tokio::test]
async fn variables_tell_about_the_step_and_no_secret_of_the_worker() {
    let results = done(shell("env")).await;
    let text = results["stdout"].as_str().expect("text");
    for line in
        ["TASKER_STEP=step", "TASKER_ATTEMPT=1", "TASKER_NAMESPACE=default", "TASKER_TASK=task", "LC_ALL=C"]
    {
        assert!(text.lines().any(|have| have == line), "{line} is not in {text}");
    }
    assert!(text.contains("TASKER_IDEMPOTENCY_KEY=") && text.contains("TASKER_TASK_ID="), "{text}");
    assert!(!text.contains("API_TOKEN"), "{text}");
    let all = done(json!({ "command": "echo $API_TOKEN", "inherit_env": true })).await;
    assert_eq!(all, json!({ "stdout": "s3cret" }));
    let own = json!({ "command": "echo \"$A $B $LC_ALL\"", "env": { "A": "x", "B": 2, "LC_ALL": null } });
    assert_eq!(done(own).await, json!({ "stdout": "x 2" }));
}

#[tokio::test]
async fn a_shell_sees_the_variables_that_templates_may_use() {
    let environment = [("PATH", "/usr/bin:/bin"), ("API_TOKEN", "s3cret"), ("OTHER", "secret")];
    let surroundings = Surroundings::default().environment(environment).expose(["API_TOKEN"]);
    let step = TestStep::new().config(shell("echo \"${API_TOKEN}${OTHER}\"")).build();
    let outcome = CommandHandler::new(Arc::new(surroundings)).run(&step).await;
    assert_eq!(outcome, Outcome::Done(json!({ "stdout": "s3cret" })));
}

#[tokio::test]
async fn what_may_hold_a_secret_is_in_no_message() {
    let (failure, _) = failed(json!({ "command": ["true"], "env": "TOKEN=s3cret" })).await;
    assert_eq!(failure.message, "handler_config.env: expected an object, found a text");
}

#[tokio::test]
async fn standard_error_is_logged_line_by_line() {
    let lines = LogLines::default();
    let config = shell("echo one >&2; printf 'two\\nthree' >&2");
    handler().run(&TestStep::new().config(config).log_to(lines.clone()).build()).await;
    assert_eq!(lines.take(), ["one", "two", "three"]);
}

#[tokio::test]
async fn exit_codes_say_whether_to_try_again() {
    let codes = json!({ "retry_exit_codes": [126], "permanent_exit_codes": [3, 4] });
    for (code, expected) in
        [(1, "retried"), (75, "retried"), (3, "for good"), (126, "retried"), (127, "for good")]
    {
        let mut config = codes.clone();
        config["command"] = json!(format!("echo out; echo broken >&2; exit {code}"));
        let (failure, outcome) = failed(config).await;
        assert_eq!((failure.code, outcome), (Some(format!("EXIT_{code}")), expected), "{code}");
        assert!(failure.message.ends_with(&format!("exited with {code}: broken")), "{}", failure.message);
        assert_eq!(failure.details, json!({ "exit_code": code, "stdout": "out", "stderr": "broken" }));
    }
    let (failure, outcome) = failed(shell("kill -9 $$")).await;
    assert_eq!((failure.code.as_deref(), outcome), (Some("SIGNAL_9"), "retried"));
}

#[tokio::test]
async fn a_program_that_cannot_be_started_fails_for_good() {
    for (config, code, message) in [
        (
            json!({ "command": ["no-such-program"] }),
            "EXIT_127",
            "no-such-program was not found; install it where the worker runs, or write its full path",
        ),
        (json!({ "command": ["/etc/passwd"] }), "EXIT_126", "/etc/passwd may not be executed"),
        (
            json!({ "command": "true", "cwd": "/no/such/folder" }),
            "INVALID_CONFIGURATION",
            "handler_config.cwd: there is no folder /no/such/folder",
        ),
        (
            json!({ "command": "echo {{ context.x }}" }),
            "INVALID_CONFIGURATION",
            "handler_config.command: nothing is inserted into a text for the shell, which would run it as code; \
             pass values by `env` and write \"$NAME\", or write a list of program and arguments",
        ),
        (
            json!({ "command": [] }),
            "INVALID_CONFIGURATION",
            "handler_config.command: expected a text, or a list of texts with the program first, found a list of 0",
        ),
    ] {
        let (failure, outcome) = failed(config).await;
        assert_eq!(
            (failure.code.as_deref(), failure.message.as_str(), outcome),
            (Some(code), message, "for good")
        );
    }
}

#[tokio::test]
async fn a_program_runs_in_the_folder_it_is_told_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let base = folder.path().canonicalize().expect("a path");
    std::fs::create_dir(base.join("inner")).expect("made");
    let handler = CommandHandler::new(Arc::new(Surroundings::default().base_dir(&base)));
    for (config, expected) in [
        (json!({ "command": ["pwd"] }), base.clone()),
        (json!({ "command": ["pwd"], "cwd": "inner" }), base.join("inner")),
        (json!({ "command": ["pwd"], "cwd": "/" }), "/".into()),
    ] {
        let outcome = handler.run(&TestStep::new().config(config).build()).await;
        assert_eq!(outcome, Outcome::Done(json!({ "stdout": expected })));
    }
}

#[tokio::test]
async fn a_program_need_not_read_what_it_is_given() {
    let config = json!({ "command": "exit 0", "stdin": "x".repeat(1_000_000) });
    assert_eq!(done(config).await, Value::Null);
}

#[tokio::test]
async fn a_program_that_writes_without_end_is_killed() {
    let (failure, outcome) = failed(shell("yes")).await;
    assert_eq!((failure.code.as_deref(), outcome), (Some("OUTPUT_TOO_LARGE"), "for good"));
    assert_eq!(failure.kind, FailureKind::Permanent);
}

/// A step whose program starts a child of its own, writes both ids to its log, and waits for ever.
fn family(script_tail: &str) -> (StepContext, LogLines) {
    let lines = LogLines::default();
    let script = format!("sleep 1000 & echo $! >&2; echo $$ >&2; {script_tail}");
    (TestStep::new().config(shell(&script)).log_to(lines.clone()).build(), lines)
}

/// Waits until a program has logged its two ids.
async fn ids(lines: &LogLines) -> Vec<String> {
    let mut seen = Vec::new();
    while seen.len() < 2 {
        tokio::task::yield_now().await;
        seen.extend(lines.take());
    }
    seen
}

/// Waits until a process is gone, also as a zombie.
async fn gone(id: &str) {
    let gone = async {
        while Path::new("/proc").join(id).exists() {
            // sleep: whoever inherits an orphan reaps it when it likes, and tells nobody
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone)
        .await
        .unwrap_or_else(|_| panic!("{id} is still there"));
}

#[tokio::test]
async fn a_cancelled_program_ends_with_all_it_started() {
    let (step, lines) = family("wait");
    let handler = handler();
    let (outcome, ids) = tokio::join!(handler.run(&step), async {
        let ids = ids(&lines).await;
        step.cancellation().cancel();
        ids
    });
    let Outcome::Retry { failure, when: None } = outcome else { panic!("{outcome:?}") };
    assert_eq!(failure.code.as_deref(), Some("CANCELLED"));
    for id in ids {
        gone(&id).await;
    }
}

#[tokio::test]
async fn a_program_that_ignores_the_request_to_end_is_killed() {
    let (step, lines) = family("trap '' TERM; while :; do sleep 1000; done");
    let handler = handler();
    let (outcome, ids) = tokio::join!(handler.run(&step), async {
        let ids = ids(&lines).await;
        step.cancellation().cancel();
        ids
    });
    assert!(matches!(outcome, Outcome::Retry { .. }), "{outcome:?}");
    for id in ids {
        gone(&id).await;
    }
}

#[tokio::test]
async fn what_a_program_leaves_behind_does_not_outlive_it() {
    let (step, lines) = family("echo done");
    assert_eq!(handler().run(&step).await, Outcome::Done(json!({ "stdout": "done" })));
    for id in ids(&lines).await {
        gone(&id).await;
    }
}

#[tokio::test]
async fn a_dropped_attempt_leaves_no_process() {
    let (step, lines) = family("wait");
    let handler = handler();
    let ids = tokio::select! {
        outcome = handler.run(&step) => panic!("{outcome:?}"),
        ids = ids(&lines) => ids,
    };
    for id in ids {
        gone(&id).await;
    }
}
