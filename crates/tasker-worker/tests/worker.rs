//! The worker as its user meets it: the real binary, on a database file.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tasker_core::{ParseOptions, State, TaskTemplate};
use tasker_engine::{Engine, EngineSettings, TaskRequest};
use tasker_runtime::testing::{LONG, Program, get};
use tasker_runtime::{DatabaseSettings, open_store};
use tasker_store::WhenTaken;
use tempfile::tempdir;

/// A worker in a directory, on the database in it.
fn worker(directory: &Path, more: &[&str]) -> Program {
    let mut arguments = vec!["--database", "sqlite:tasker.db"];
    arguments.extend(more);
    Program::start(env!("CARGO_BIN_EXE_tasker-worker"), directory, &arguments)
}

/// Submits a task of one step to the database in a directory, and waits until it has ended.
fn run_step(directory: &Path, step: &Value) -> State {
    let template = json!({ "name": "one_step", "step_templates": [step] }).to_string();
    let template = TaskTemplate::parse(&template, &ParseOptions::default()).expect("a template").template;
    let url = format!("sqlite:{}", directory.join("tasker.db").display());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let settings = DatabaseSettings { url, ..DatabaseSettings::default() };
        let store = open_store(&settings).await.expect("opened");
        let engine = Engine::new(store, EngineSettings::default());
        engine.register(template.into(), WhenTaken::Refuse).await.expect("registered");
        let request = TaskRequest::new("one_step".parse().expect("a name"), json!({}));
        let id = engine.submit(request).await.expect("submitted").id();
        tokio::time::timeout(LONG, engine.wait(id)).await.expect("it ends").expect("answered")
    })
}

#[test]
fn a_worker_tells_what_it_serves_and_offers_and_is_ready() {
    let directory = tempdir().expect("a directory");
    std::fs::write(directory.path().join("bindings.yaml"), "\"Orders::Ship\": {type: noop}\n")
        .expect("written");
    let more = ["--queue", "default", "--queue", "slow", "--concurrency", "8", "--bindings", "bindings.yaml"];
    let mut program = worker(directory.path(), &more);
    let line = program.line();
    let ready = line.split_once(" ready: ").expect("a ready line").1;
    insta::assert_snapshot!(ready, @"sqlite:tasker.db, queues default slow, 8 steps at once, handlers Orders::Ship api command http noop transform wait");
    assert_eq!(
        run_step(directory.path(), &json!({ "name": "ship", "handler_class": "Orders::Ship" })),
        State::Complete
    );
    program.signal("TERM");
    assert_eq!(program.wait().code, Some(0));
}

#[test]
fn a_worker_alone_makes_the_next_attempt_when_it_is_due() {
    let directory = tempdir().expect("a directory");
    let mut program = worker(directory.path(), &[]);
    program.line();
    let step = json!({
        "name": "second_time_lucky",
        "handler_class": "command",
        "handler_config": { "command": ["sh", "-c", "test -e tried || { touch tried; exit 75; }; echo {}"] },
        "retry": { "backoff_seconds": [1], "jitter": false },
    });
    let start = Instant::now();
    assert_eq!(run_step(directory.path(), &step), State::Complete);
    assert!(start.elapsed() < Duration::from_secs(15), "it was found by the poll alone");
}

#[test]
fn a_worker_answers_health_checks_if_it_is_asked_to() {
    let directory = tempdir().expect("a directory");
    let mut program = worker(directory.path(), &["--health-listen", "127.0.0.1:0"]);
    let address = program.ready();
    assert_eq!(get(address, "/health/live").0, 200);
    assert_eq!(get(address, "/health/ready").0, 200);
}

#[test]
fn a_log_in_json_is_json_on_every_line() {
    let directory = tempdir().expect("a directory");
    let mut program = worker(directory.path(), &["--set", "log.format=json"]);
    program.line();
    program.signal("TERM");
    let ended = program.wait();
    assert_eq!(ended.code, Some(0));
    assert!(ended.errors.contains("stopping in order after SIGTERM"), "{}", ended.errors);
    for line in ended.errors.lines() {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
    }
}

#[test]
fn wrong_settings_end_with_code_2() {
    let directory = tempdir().expect("a directory");
    let ended = worker(directory.path(), &["--concurrency", "0"]).wait();
    assert_eq!(ended.code, Some(2));
    insta::assert_snapshot!(ended.errors, @r"
    tasker-worker: the settings cannot be used:
      command line: worker.concurrency is 0: write a whole number from 1 to 10000
    ");
    assert_eq!(worker(directory.path(), &["--bindings", "nowhere.yaml"]).wait().code, Some(2));
}

#[test]
fn a_worker_asks_scrapers_for_the_token_of_the_settings() {
    let directory = tempdir().expect("a directory");
    let more = ["--health-listen", "127.0.0.1:0", "--set", "http.metrics_token=0123456789abcdef"];
    let mut program = worker(directory.path(), &more);
    let address = program.ready();
    assert_eq!((get(address, "/metrics").0, get(address, "/log/level").0), (401, 403));
    assert_eq!(get(address, "/health/ready").0, 200);
}
