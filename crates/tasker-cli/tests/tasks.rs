//! `tasker task` and `tasker namespace`: looked at, and helped.

mod support;

use std::io::{BufRead, BufReader};

use support::{Folder, ended};

/// The first step fails until the file `mended` is there.
const MENDABLE: &str = r"
name: mendable
step_templates:
  - name: load
    handler_class: command
    handler_config: {command: 'test -e mended || exit 3', permanent_exit_codes: [3]}
  - {name: tell, depends_on_step: load, handler_class: noop}
";

fn failed() -> Folder {
    let folder = Folder::with("mendable.yaml", MENDABLE);
    folder.run_to(1, &["run", "mendable.yaml", "--quiet", "--tags", "nightly,eu"]);
    folder
}

#[test]
fn a_failed_step_is_retried_and_the_task_goes_on() {
    let folder = failed();
    folder.write("mended", "");
    let ran = folder.run_to(0, &["task", "retry", "last", "--step", "load"]);
    insta::assert_snapshot!(folder.redacted(&format!("{}{}", ran.out, ran.err)), @r"
    task (short): 1 step may be tried again; the task is pending
    a worker will go on with it; without one: tasker resume (short)
    ");
    let ran = folder.run_to(0, &["resume"]);
    assert!(ran.out.contains("2 of 2 steps"), "{}", ran.out);
}

#[test]
fn a_failed_step_is_resolved_and_the_task_goes_on() {
    let folder = failed();
    let ran =
        folder.run_to(0, &["task", "resolve", "last", "--step", "load", "--results", r#"{"by": "hand"}"#]);
    insta::assert_snapshot!(folder.redacted(&ran.out), @"task (short): resolved 1 step by hand; the task is pending");
    folder.run_to(0, &["resume", "last"]);
    let shown = folder.run_to(0, &["task", "show", "last"]).out;
    assert!(shown.contains(r#"resolved by hand {"by":"hand"}"#), "{shown}");
}

#[test]
fn a_task_is_explained_listed_shown_and_called_off() {
    let folder = failed();
    insta::assert_snapshot!(folder.redacted(&folder.run_to(0, &["task", "explain", "last"]).out), @r"
    The task is blocked by failures: load failed for good (`test -e mended || exit 3` exited with 3); retry or resolve it.
      tell waits for load (error).
    ");
    let list = folder.redacted(&folder.run_to(0, &["task", "list"]).out);
    let rows: Vec<Vec<&str>> = list.lines().map(|line| line.split_whitespace().collect()).collect();
    let heading = ["ID", "STATE", "STEPS", "REQUESTED", "TOOK", "TEMPLATE", "TAGS"];
    let row = ["(short)", "error", "0/2", "(took)", "(took)", "default.mendable@0.1.0", "nightly,eu"];
    assert_eq!(rows, [heading, row]);
    let ran = folder.run_to(0, &["task", "cancel", "last", "--reason", "no longer wanted"]);
    insta::assert_snapshot!(folder.redacted(&ran.out), @"task (short): cancelled 2 steps; the task is cancelled");
    let ran = folder.run_to(1, &["task", "cancel", "last"]);
    insta::assert_snapshot!(folder.redacted(&ran.err), @"error: task (id) is cancelled: it cannot be cancelled");
    let history = folder.run_to(0, &["task", "history", "last"]).out;
    assert!(history.contains("ada") && history.contains("no longer wanted"), "{history}");
}

#[test]
fn a_part_of_an_id_names_a_task_and_an_unknown_step_is_told_which_there_are() {
    let folder = failed();
    let json = folder.run_to(0, &["task", "list", "--json"]).out;
    let task: serde_json::Value = serde_json::from_str(json.trim()).expect("one line of JSON");
    let id = task["task_id"].as_str().expect("an id").to_owned();
    for part in [&id[..], &id[..13], &id[24..31], &id[20..]] {
        folder.run_to(0, &["task", "show", part]);
    }
    let ran = folder.run_to(2, &["task", "retry", &id, "--step", "laod"]);
    insta::assert_snapshot!(folder.redacted(&ran.err), @r#"error: task (short) has no step "laod"; its steps are load, tell"#);
    let ran = folder.run_to(2, &["task", "resolve", &id, "--results", "{}"]);
    insta::assert_snapshot!(folder.redacted(&ran.err), @"error: a task has no results of its own: name the step with --step NAME");
}

#[test]
fn a_pause_is_told_to_whoever_waits() {
    let folder = Folder::with("mendable.yaml", MENDABLE);
    folder.write("mended", "");
    folder.run_to(0, &["template", "register", "mendable.yaml"]);
    folder.run_to(0, &["task", "submit", "mendable"]);
    folder.run_to(0, &["task", "pause", "last", "--reason", "stocktaking"]);
    let ran = folder.run_to(124, &["resume", "last", "--timeout", "2"]);
    assert!(ran.err.contains("load is held: the task is paused by ada"), "{}", ran.err);
    folder.run_to(0, &["task", "resume", "last"]);
    folder.run_to(0, &["namespace", "pause", "default"]);
    folder.run_to(1, &["namespace", "pause", "default"]);
    folder.run_to(0, &["namespace", "resume", "default"]);
    folder.run_to(0, &["resume", "last"]);
}

#[test]
fn a_task_and_its_commands_belong_to_the_request_that_caused_it() {
    let script = "echo $TASKER_CORRELATION_ID";
    let template = format!(
        "name: one\nstep_templates: [{{name: a, handler_class: command, handler_config: {{command: {script}}}}}]"
    );
    let folder = Folder::with("one.yaml", &template);
    folder.run_to(0, &["run", "one.yaml", "--correlation-id", "order-42"]);
    let shown = folder.run_to(0, &["task", "show", "last"]).out;
    assert!(
        shown.contains(r#"{"stdout":"order-42"}"#) && shown.contains("correlation id  order-42"),
        "{shown}"
    );
    let mut command = folder.command(&["run", "one.yaml", "--quiet"]);
    command.env("TRACEPARENT", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    assert!(command.status().expect("it starts").success());
    let shown = folder.run_to(0, &["task", "show", "last", "--json"]).out;
    let task: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    let id = task["correlation_id"].as_str().expect("made up");
    assert!(id.starts_with("tsk_"), "{id}");
    assert_eq!(task["steps"][0]["results"]["stdout"], id);
    assert_eq!(task["traceparent"], "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    let ran = folder.run_to(2, &["run", "one.yaml", "--correlation-id", "order 42"]);
    assert!(ran.err.contains("the correlation id \"order 42\" has ' ' in it: use letters"), "{}", ran.err);
}

/// The first attempt fails; both say something.
const CHATTY: &str = r"
name: chatty
step_templates:
  - name: load
    handler_class: command
    handler_config: {command: 'echo attempt $TASKER_ATTEMPT >&2; test $TASKER_ATTEMPT = 2'}
    retry: {backoff_seconds: [0], jitter: false}
  - {name: tell, depends_on_step: load, handler_class: command, handler_config: {command: 'echo told >&2'}}
  - {name: rest, depends_on_step: tell, handler_class: noop}
";

#[test]
fn what_attempts_logged_is_shown_by_time_step_and_attempt() {
    let folder = Folder::with("chatty.yaml", CHATTY);
    folder.run_to(0, &["run", "chatty.yaml", "--quiet"]);
    let logs = |args: &[&str]| {
        let ran = folder.run_to(0, &[&["task", "logs", "last"], args].concat());
        folder.redacted(&format!("{}{}", ran.out, ran.err))
    };
    insta::assert_snapshot!(logs(&[]), @r"
    (moment)  load  1  attempt 1
    (moment)  load  2  attempt 2
    (moment)  tell  1  told
    ");
    assert_eq!(logs(&["--follow"]), logs(&[]));
    insta::assert_snapshot!(logs(&["--step", "load", "--attempt", "2"]), @"(moment)  load  2  attempt 2");
    insta::assert_snapshot!(logs(&["--step", "rest"]), @"nothing that was logged is kept of step rest of task (short)");
    insta::assert_snapshot!(logs(&["--attempt", "7"]), @"nothing that was logged is kept of attempt 7 of task (short)");
    insta::assert_snapshot!(logs(&["--step", "tell", "--json"]), @r#"{"at":"(moment)","attempt":1,"step":"tell","step_id":"(id)","text":"told"}"#);
}

#[test]
fn what_is_logged_is_followed_until_the_task_ends() {
    let script = "echo begun >&2; echo > begun; cat go; echo over >&2";
    let template = format!(
        "name: slow\nstep_templates: [{{name: a, handler_class: command, handler_config: {{command: '{script}'}}}}]"
    );
    let folder = Folder::with("slow.yaml", &template);
    folder.pipe("begun");
    folder.pipe("go");
    let mut running = folder.start(&["run", "slow.yaml", "--quiet"]);
    folder.hear("begun", &mut running);
    let mut following = folder.start(&["task", "logs", "last", "--follow"]);
    let mut reader = BufReader::new(following.stdout.take().expect("piped"));
    let mut line = String::new();
    reader.read_line(&mut line).expect("readable");
    assert!(line.ends_with("  a  1  begun\n"), "{line}");
    folder.write("go", "on");
    line.clear();
    reader.read_line(&mut line).expect("readable");
    assert!(line.ends_with("  a  1  over\n"), "{line}");
    assert_eq!((ended(following).code, ended(running).code), (Some(0), Some(0)));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = failed();
    let mut child = folder.start(&["template", "show", "mendable", "--json"]);
    let mut line = String::new();
    let mut reader = BufReader::with_capacity(1, child.stdout.take().expect("piped"));
    reader.read_line(&mut line).expect("readable");
    drop(reader);
    assert_eq!(line, "{\n");
    let ran = ended(child);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    // A pipe that nobody reads at all.
    let mut child = folder.start(&["task", "list"]);
    drop(child.stdout.take());
    assert_eq!(ended(child).code, Some(0));
}
