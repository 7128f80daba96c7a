//! What operators read and change over HTTP while the real binary runs, and what its log says of it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use serde_json::{Value, json};
use tasker_runtime::testing::{LONG, Program, get};
use tempfile::tempdir;

const TOKEN: &str = "operator-0123456789";

/// A server with a worker, whose log is JSON, and in which operators may change things.
fn server(directory: &Path, more: &[&str]) -> (Program, SocketAddr) {
    let mut arguments =
        vec!["--worker", "--listen", "127.0.0.1:0", "--database", "memory:", "--set", "log.format=json"];
    arguments.extend(more);
    let variables = [("TASKER__HTTP__ADMIN_TOKEN", TOKEN)];
    let mut program =
        Program::start_with(env!("CARGO_BIN_EXE_tasker-server"), directory, &arguments, &variables);
    let address = program.ready();
    (program, address)
}

/// The status and the body of the answer to an operator whose requests are called `visit`.
fn ask(address: SocketAddr, what: &str, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(address).expect("something listens");
    stream.set_read_timeout(Some(LONG)).expect("a timeout can be set");
    let length = body.len();
    let head = format!(
        "Host: test\r\nConnection: close\r\nX-Correlation-ID: visit\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {length}"
    );
    write!(stream, "{what} HTTP/1.1\r\n{head}\r\n\r\n{body}").expect("a request can be sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("there is an answer");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

/// The lines of the log of a program that is told to stop.
fn log(program: Program) -> Vec<Value> {
    program.signal("TERM");
    let ended = program.wait();
    let line = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    ended.errors.lines().map(line).collect()
}

#[test]
fn the_level_and_the_routes_change_while_the_server_runs_and_the_log_says_who_asked() {
    let directory = tempdir().expect("a directory");
    let (program, address) = server(directory.path(), &[]);
    assert_eq!(ask(address, "GET /log/level", ""), (200, json!({ "level": "info" })));
    let changed = ask(address, "PUT /log/level", "{\"level\": \"info,tasker::http=debug\"}");
    assert_eq!(changed, (200, json!({ "level": "info,tasker::http=debug", "before": "info" })));
    let route = "{\"backends\": [\"metrics\", \"logs\"]}";
    assert_eq!(ask(address, "PUT /events/template.registered/route", route).0, 200);
    let refused =
        ask(address, "PUT /events/task.completed/route", "{\"backends\": [\"metrics\"], \"sampling\": 0.1}");
    assert_eq!(refused.0, 422);
    let lines = log(program);
    let said = |message: &str| {
        let line =
            lines.iter().find(|line| line["message"] == message).unwrap_or_else(|| panic!("{lines:?}"));
        (line["level"].clone(), line["correlation_id"].clone())
    };
    let by_visit = |level: &str| (json!(level), json!("visit"));
    assert_eq!(said("the level of the log is changed"), by_visit("warn"));
    assert_eq!(said("the route of an event was changed over HTTP"), by_visit("warn"));
    assert_eq!(said("answered"), by_visit("debug"));
    assert!(
        lines.iter().all(|line| line["service"] == "tasker-server" && line["process_id"].is_u64()),
        "{lines:?}"
    );
    assert!(!format!("{lines:?}").contains(TOKEN));
}

#[test]
fn the_status_tells_versions_slots_and_whether_the_database_answers() {
    let directory = tempdir().expect("a directory");
    let (_program, address) = server(directory.path(), &["--set", "worker.concurrency=4"]);
    let (status, body) = get(address, "/health/status");
    assert_eq!((status, &body["status"], &body["store"]["up"]), (200, &json!("healthy"), &json!(true)));
    assert_eq!((&body["worker"]["slots"], &body["worker"]["saturation"]), (&json!(4), &json!(0.0)));
    assert_eq!(
        (&body["service"], &body["version"]),
        (&json!("tasker-server"), &json!(env!("CARGO_PKG_VERSION")))
    );
}

#[test]
fn routes_in_the_settings_hold_from_the_start() {
    let directory = tempdir().expect("a directory");
    let settings = "[events.routes.'task.completed']\nbackends = ['logs', 'metrics']\nsampling = 0.5\n";
    std::fs::write(directory.path().join("tasker.toml"), settings).expect("written");
    let (_program, address) = server(directory.path(), &[]);
    let (_, body) = get(address, "/events/task.completed");
    assert_eq!((&body["backends"], &body["sampling"]), (&json!(["metrics", "logs"]), &json!(0.5)));
}

#[test]
fn metrics_may_ask_for_a_token() {
    let directory = tempdir().expect("a directory");
    std::fs::write(directory.path().join("token"), format!("{TOKEN}\n")).expect("written");
    let (_program, address) = server(directory.path(), &["--set", "http.metrics_token_file=token"]);
    for path in ["/metrics", "/events", "/health/status"] {
        assert_eq!(get(address, path).0, 401, "{path}");
        assert_eq!(ask(address, &format!("GET {path}"), "").0, 200, "{path}");
    }
    assert_eq!(get(address, "/health/ready").0, 200);
}
