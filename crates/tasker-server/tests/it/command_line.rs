//! The server as its user meets it: what it prints, and with which code it ends.

use std::net::TcpListener;

use tasker_runtime::testing::{Ended, Program};
use tempfile::tempdir;

/// Runs the server to its end, in an empty directory.
fn run(arguments: &[&str]) -> Ended {
    let directory = tempdir().expect("a directory");
    Program::start(env!("CARGO_BIN_EXE_tasker-server"), directory.path(), arguments).wait()
}

#[test]
fn what_is_ready_is_told_on_one_line() {
    let directory = tempdir().expect("a directory");
    let arguments = ["--listen", "127.0.0.1:0"];
    let mut server = Program::start(env!("CARGO_BIN_EXE_tasker-server"), directory.path(), &arguments);
    let line = server.line();
    let (before, after) = line.split_once("127.0.0.1:").expect("an address");
    assert_eq!(
        before,
        format!("tasker-server {} ready: sqlite:.tasker/tasker.db, http://", env!("CARGO_PKG_VERSION"))
    );
    assert!(after.ends_with(", worker off"), "{after}");
    assert!(directory.path().join(".tasker/tasker.db").exists());
}

#[test]
fn wrong_flags_and_settings_end_with_code_2() {
    assert_eq!(run(&["--nope"]).code, Some(2));
    let ended = run(&["--set", "worker.concurency=8", "--set", "http.listen=here"]);
    assert_eq!(ended.code, Some(2));
    insta::assert_snapshot!(ended.errors, @r#"
    tasker-server: the settings cannot be used:
      command line: there is no setting "worker.concurency"; did you mean worker.concurrency?
      command line: http.listen is "here": write an address with its port, such as 127.0.0.1:8484 or [::]:8484
    "#);
}

#[test]
fn a_variable_that_is_no_setting_ends_with_code_2() {
    let directory = tempdir().expect("a directory");
    let variables = [("TASKER__WORKER__CONCURENCY", "8")];
    let server = env!("CARGO_BIN_EXE_tasker-server");
    let ended = Program::start_with(server, directory.path(), &[], &variables).wait();
    assert_eq!(ended.code, Some(2));
    insta::assert_snapshot!(ended.errors, @r#"
    tasker-server: the settings cannot be used:
      TASKER__WORKER__CONCURENCY: there is no setting "TASKER__WORKER__CONCURENCY"; did you mean TASKER__WORKER__CONCURRENCY?
    "#);
}

#[test]
fn wrong_bindings_and_templates_end_with_code_2_before_anything_is_started() {
    let ended = run(&["--worker", "--set", "worker.bindings=nowhere.yaml"]);
    assert_eq!((ended.code, ended.output.as_str()), (Some(2), ""));
    let ended = run(&["--set", "templates.directories=nowhere"]);
    assert_eq!((ended.code, ended.output.as_str()), (Some(2), ""));
}

#[test]
fn an_address_in_use_ends_with_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let ended = run(&["--database", "memory:", "--listen", &address]);
    assert_eq!(ended.code, Some(1));
    insta::assert_snapshot!(ended.errors.replace(&address, "ADDRESS"), @"tasker-server: failed to listen at ADDRESS (the setting http.listen): Address already in use (os error 98)");
}

#[test]
fn a_database_that_stays_away_ends_with_code_75() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound");
    let url = format!("postgres://user:hunter2@{free}/tasker");
    let ended = run(&["--database", &url, "--wait-for-database", "1", "--listen", "127.0.0.1:0"]);
    assert_eq!(ended.code, Some(75));
    assert!(
        ended.errors.contains("cannot be reached") && !ended.errors.contains("hunter2"),
        "{}",
        ended.errors
    );
}

#[test]
fn a_file_that_is_no_database_ends_with_code_1() {
    let directory = tempdir().expect("a directory");
    std::fs::write(directory.path().join("notes.db"), "x".repeat(5_000)).expect("written");
    let arguments = ["--database", "notes.db", "--listen", "127.0.0.1:0"];
    let ended = Program::start(env!("CARGO_BIN_EXE_tasker-server"), directory.path(), &arguments).wait();
    assert_eq!(ended.code, Some(1));
    let told = ended.errors.replace(&directory.path().display().to_string(), "DIRECTORY");
    insta::assert_snapshot!(told, @"tasker-server: the database notes.db cannot be used: the database refused to be opened: DIRECTORY/notes.db is not a SQLite database: choose another name, or move the file away");
}

#[test]
fn the_settings_that_hold_are_printed_without_secrets() {
    let directory = tempdir().expect("a directory");
    std::fs::write(directory.path().join("tasker.toml"), "[worker]\nconcurrency = 8\n").expect("written");
    let url = "postgres://user:hunter2@localhost/tasker";
    let variables = [("TASKER__DATABASE__URL", url)];
    let server = env!("CARGO_BIN_EXE_tasker-server");
    let ended =
        Program::start_with(server, directory.path(), &["--print-config", "--worker"], &variables).wait();
    assert_eq!(ended.code, Some(0));
    let changed: Vec<&str> = ended.output.lines().filter(|line| !line.contains("# default")).collect();
    insta::assert_snapshot!(changed.join("\n"), @r#"
    [database]
    url = "postgres://user:********@localhost/tasker"  # TASKER__DATABASE__URL

    [engine]
    # environment is not set

    [worker]
    enabled = true              # command line
    # name is not set
    concurrency = 8             # tasker.toml
    # bindings is not set
    # base_dir is not set
    # health_listen is not set

    [agents]

    [backoff]

    [log]

    [events]

    [traces]
    # headers is not set
    # ca_file is not set
    # service_name is not set

    [http]
    # metrics_token is not set
    # metrics_token_file is not set
    # admin_token is not set
    # admin_token_file is not set

    [templates]
    "#);
}
