//! What is interrupted or killed goes on where it was.

mod support;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Folder, ended, signal, wait_for_words};

/// Three steps; the first attempt of the second says through a pipe that it runs, and stays.
const WORK: &str = r"
name: work
step_templates:
  - {name: first, handler_class: command, handler_config: {command: 'echo first >> log'}}
  - name: second
    depends_on_step: first
    handler_class: command
    handler_config: {command: 'echo second >> log; test -e again && exit; echo > started; sleep 20'}
    retry: {limit: 3, backoff_seconds: [0], jitter: false}
  - {name: third, depends_on_step: second, handler_class: Work::Third}
";

/// Two steps; the first says through a pipe that it runs, and ends when it reads from another.
const LOAD: &str = r#"
name: work
step_templates:
  - name: load
    handler_class: command
    handler_config: {command: "echo load >> log; echo > started; read word < go; echo '{\"loaded\": 7}'"}
  - {name: tell, depends_on_step: load, handler_class: noop}
"#;

/// A folder in which the second step runs right now, by a process that was started with the bindings.
fn at_work(folder: &Folder) -> std::process::Child {
    folder.write("work.yaml", WORK);
    folder.write("bindings.yaml", "'Work::Third': {type: command, command: 'echo third >> log'}");
    folder.pipe("started");
    let mut child = folder.start(&["run", "work.yaml", "--bindings", "bindings.yaml"]);
    folder.hear("started", &mut child);
    folder.write("again", "");
    child
}

#[test]
fn after_kill_9_finished_steps_do_not_run_again() {
    let folder = Folder::new();
    let mut child = at_work(&folder);
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    let began = Instant::now();
    let ran = folder.run_to(0, &["resume"]);
    assert_eq!(folder.read("log"), "first\nsecond\nsecond\nthird\n");
    assert!(ran.err.contains("second is held by another process"), "{}", ran.err);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert!(ran.out.contains("3 of 3 steps"), "{}", ran.out);
}

#[test]
fn after_ctrl_c_once_what_is_at_work_ends_and_is_kept() {
    let folder = Folder::new();
    folder.write("work.yaml", LOAD);
    folder.pipe("started");
    folder.pipe("go");
    let mut child = folder.start(&["run", "work.yaml"]);
    folder.hear("started", &mut child);
    signal(&child, "-INT");
    wait_for_words(&mut child, "waiting for 1 step at work to end; Ctrl-C stops at once");
    folder.write("go", "\n");
    let ran = ended(child);
    assert_eq!(ran.code, Some(130));
    let told = folder.redacted(ran.err.trim());
    // Whether its beginning was told before the interrupt is a matter of chance.
    let end = told.find("(time)  load  complete").expect("told");
    insta::assert_snapshot!(&told[end..], @r"
    (time)  load  complete (took)

    interrupted: 1 step of the task is unfinished; to go on: tasker resume (short)
    ");
    let load = steps_of(&folder, "last").remove(0);
    assert_eq!((&load["status"], &load["attempts"]), (&json!("complete"), &json!(1)));
    assert_eq!(load["results"], json!({ "loaded": 7 }));
    folder.run_to(0, &["resume"]);
    assert_eq!(folder.read("log"), "load\n");
}

/// The steps of a task, as they are shown.
fn steps_of(folder: &Folder, task: &str) -> Vec<Value> {
    let shown = folder.run_to(0, &["task", "show", task, "--json"]).out;
    let task: Value = serde_json::from_str(&shown).expect("JSON");
    task["steps"].as_array().expect("steps").clone()
}

#[test]
fn after_ctrl_c_twice_the_task_says_how_to_go_on() {
    let folder = Folder::new();
    let mut child = at_work(&folder);
    signal(&child, "-INT");
    wait_for_words(&mut child, "Ctrl-C stops at once");
    signal(&child, "-INT");
    let ran = ended(child);
    assert_eq!(ran.code, Some(130));
    insta::assert_snapshot!(folder.redacted(ran.err.trim()), @"interrupted: 2 steps of the task are unfinished; to go on: tasker resume (short)");
    folder.run_to(0, &["resume"]);
    assert_eq!(folder.read("log"), "first\nsecond\nsecond\nthird\n");
}

#[test]
fn of_several_unfinished_tasks_one_must_be_named() {
    let folder =
        Folder::with("nap.yaml", "name: nap\nstep_templates: [{name: nap, handler_class: Nap::Long}]\n");
    folder.run_to(1, &["run", "nap.yaml", "-q"]);
    folder.run_to(1, &["run", "nap.yaml", "-q"]);
    let ran = folder.run_to(2, &["resume"]);
    insta::assert_snapshot!(folder.redacted(&ran.err), @r"
    error: several tasks are unfinished, name one:
      tasker resume (short)   (pending, (took))
      tasker resume (short)   (pending, (took))
    ");
}

#[test]
fn what_is_complete_has_nothing_to_go_on_with() {
    let folder = Folder::with(
        "nothing.yaml",
        "name: nothing\nstep_templates: [{name: nothing, handler_class: noop}]\n",
    );
    folder.run_to(0, &["run", "nothing.yaml"]);
    insta::assert_snapshot!(folder.redacted(&folder.run_to(0, &["resume", "last"]).out), @"task (short) is complete: there is nothing to go on with");
}
