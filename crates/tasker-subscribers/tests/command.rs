//! Commands: a program for each event.

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::{Bench, LIFE, report, types_of};

fn command(script: &str) -> Value {
    json!({
        "name": "notify", "type": "command", "events": ["*"], "start": "beginning", "lease_seconds": 0.6,
        "command": ["sh", "-c", script], "dead_letters": "dead.ndjson",
    })
}

#[tokio::test]
async fn a_program_gets_each_event_on_its_input_and_in_its_variables() {
    let bench = Bench::in_memory().await;
    let mut settings = command(
        r#"cat >> "$OUT"; echo >> "$OUT"
        echo "$TASKER_SUBSCRIBER $TASKER_EVENT_ID $TASKER_EVENT $TASKER_TASK $TASKER_STEP.$TASKER_ATTEMPT [$API_TOKEN]" >> variables"#,
    );
    settings["env"] = json!({ "OUT": "events.ndjson" });
    let subscribers = bench.start(settings, 1);
    let task = bench.run().await;
    bench.caught_up().await;
    let events = bench.lines("events.ndjson");
    assert_eq!(types_of(&events, task), LIFE);
    let variables = std::fs::read_to_string(bench.folder.path().join("variables")).expect("written");
    let lines: Vec<&str> = variables.lines().collect();
    let id = |index: usize| events[index]["id"].as_str().expect("a text").to_owned();
    assert_eq!(lines[0], format!("notify {} task.initialize_requested pair . []", id(0)));
    assert_eq!(lines[3], format!("notify {} step.completed pair a.1 []", id(3)));
    subscribers.stop().await;
}

#[tokio::test]
async fn a_program_that_fails_is_run_again_with_the_same_event() {
    let bench = Bench::in_memory().await;
    let script = r#"echo "$TASKER_EVENT_ID" >> tries; [ "$(wc -l < tries)" -gt 2 ] || exit 75; cat >> events.ndjson; echo >> events.ndjson"#;
    let subscribers = bench.start(command(script), 1);
    let task = bench.run().await;
    bench.caught_up().await;
    assert_eq!(types_of(&bench.lines("events.ndjson"), task), LIFE);
    assert_eq!((report(&subscribers).taken, report(&subscribers).retried), (7, 2));
    subscribers.stop().await;
}

#[tokio::test]
async fn a_program_that_hangs_is_killed_with_all_it_started() {
    let bench = Bench::in_memory().await;
    let script = r"[ -e pids ] && exit 0; sleep 600 & echo $! > pids; echo waiting >&2; wait";
    let mut settings = command(script);
    settings["timeout_seconds"] = json!(0.5);
    let subscribers = bench.start(settings, 1);
    bench.submit().await;
    bench.caught_up().await;
    assert_eq!(report(&subscribers).retried, 1);
    let process = std::fs::read_to_string(bench.folder.path().join("pids")).expect("written");
    let is_gone = async {
        // A killed process stays until whoever adopted it has looked at it.
        while is_running(process.trim()) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), is_gone).await.expect("in time");
    subscribers.stop().await;
}

/// Whether a process is there and not a zombie.
fn is_running(process: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    status.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

#[tokio::test]
async fn a_program_can_refuse_an_event_and_its_secrets_stay_out_of_what_is_told() {
    let bench = Bench::in_memory().await;
    let mut settings = command(r#"echo "cannot read $KEY" >&2; exit 65"#);
    settings["env"] = json!({ "KEY": "hunter2-hunter2" });
    let subscribers = bench.start(settings, 1);
    bench.submit().await;
    bench.caught_up().await;
    assert_eq!((report(&subscribers).refused, report(&subscribers).retried), (1, 0));
    assert_eq!(bench.lines("dead.ndjson")[0]["error"], "sh exited with 65: cannot read ***");
    subscribers.stop().await;
}

#[tokio::test]
async fn a_program_that_is_not_there_is_told_and_awaited() {
    let bench = Bench::in_memory().await;
    let mut settings = command("");
    settings["command"] = json!(["no-such-program"]);
    let subscribers = bench.start(settings, 1);
    bench.submit().await;
    let is_told = async {
        loop {
            match report(&subscribers).last_error {
                Some(error) => return error,
                None => tokio::task::yield_now().await,
            }
        }
    };
    let error = tokio::time::timeout(Duration::from_secs(60), is_told).await.expect("in time");
    assert!(error.starts_with("no-such-program could not be started: "), "{error}");
    subscribers.stop().await;
}
