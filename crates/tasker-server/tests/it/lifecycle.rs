//! How a server stops, and what becomes of the work: signals sent to the real binary.

use std::net::SocketAddr;
use std::path::Path;

use tasker_core::State;
use tasker_runtime::testing::{Program, get};
use tempfile::tempdir;

use crate::shared::{Shared, Stub};

/// A server with a worker, on a database.
fn server(directory: &Path, database: &str, more: &[&str]) -> Program {
    let mut arguments = vec!["--worker", "--listen", "127.0.0.1:0", "--database", database];
    arguments.extend(more);
    Program::start(env!("CARGO_BIN_EXE_tasker-server"), directory, &arguments)
}

/// Asks until the server is, or is not, ready; gives the last answer.
fn ask_until(address: SocketAddr, status: u16) -> String {
    loop {
        let (found, body) = get(address, "/health/ready");
        if found == status {
            return body.to_string();
        }
    }
}

#[test]
fn an_idle_server_stops_in_order_on_sigterm_and_on_ctrl_c() {
    for signal in ["TERM", "INT"] {
        let directory = tempdir().expect("a directory");
        let mut server = server(directory.path(), "sqlite:tasker.db", &[]);
        assert_eq!(get(server.ready(), "/health/ready").0, 200);
        server.signal(signal);
        assert_eq!(server.wait().code, Some(0));
    }
}

#[test]
fn a_running_handler_is_waited_for_and_its_outcome_is_kept() {
    let directory = tempdir().expect("a directory");
    let (shared, stub) = (Shared::file(directory.path()), Stub::new());
    let task = shared.submit(&stub);
    let mut server = server(directory.path(), &shared.url, &[]);
    let address = server.ready();
    let asked = stub.asked();
    server.signal("TERM");
    let body = ask_until(address, 503);
    assert!(body.contains("about to stop"), "{body}");
    assert_eq!(shared.state(task), State::InProgress);
    asked.answer();
    assert_eq!(server.wait().code, Some(0));
    assert_eq!(shared.state(task), State::Complete);
}

#[test]
fn a_handler_that_outlives_the_drain_is_given_back() {
    let directory = tempdir().expect("a directory");
    let (shared, stub) = (Shared::file(directory.path()), Stub::new());
    let task = shared.submit(&stub);
    let mut first = server(directory.path(), &shared.url, &["--set", "worker.drain_timeout_seconds=0"]);
    first.ready();
    let _held = stub.asked();
    first.signal("TERM");
    assert_eq!(first.wait().code, Some(0));
    let _second = server(directory.path(), &shared.url, &[]);
    stub.asked().answer();
    assert_eq!(shared.wait(task), State::Complete);
}

#[test]
fn a_second_ctrl_c_stops_at_once() {
    let directory = tempdir().expect("a directory");
    let (shared, stub) = (Shared::file(directory.path()), Stub::new());
    shared.submit(&stub);
    let mut server = server(directory.path(), &shared.url, &[]);
    let address = server.ready();
    let _held = stub.asked();
    server.signal("INT");
    ask_until(address, 503);
    server.signal("INT");
    let ended = server.wait();
    assert_eq!(ended.code, Some(130));
    assert!(ended.errors.contains("stopped at once by a second Ctrl-C"), "{}", ended.errors);
}

#[test]
fn a_second_ctrl_c_ends_the_programs_that_commands_have_started() {
    let directory = tempdir().expect("a directory");
    let (shared, stub) = (Shared::file(directory.path()), Stub::new());
    shared.submit_command(&stub);
    let mut server = server(directory.path(), &shared.url, &[]);
    let address = server.ready();
    let asked = stub.asked();
    server.signal("INT");
    ask_until(address, 503);
    server.signal("INT");
    assert_eq!(server.wait().code, Some(130));
    asked.abandoned();
}

#[test]
fn the_work_of_a_server_that_was_killed_is_done_by_the_next() {
    let directory = tempdir().expect("a directory");
    let (shared, stub) = (Shared::file(directory.path()), Stub::new());
    let task = shared.submit(&stub);
    let quick = ["--set", "worker.lease_seconds=1", "--set", "agents.rescue_interval_seconds=1"];
    let mut first = server(directory.path(), &shared.url, &quick);
    first.ready();
    let _held = stub.asked();
    first.signal("KILL");
    assert_eq!(first.wait().code, None);
    let _second = server(directory.path(), &shared.url, &quick);
    stub.asked().answer();
    assert_eq!(shared.wait(task), State::Complete);
}
