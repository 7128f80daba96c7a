//! `tasker run`: to the end, in error, refused, stuck.

mod support;

use std::process::Command;

use serde_json::{Value, json};
use support::{Folder, ended};

/// Every kind of step that needs nothing from outside.
const ORDER: &str = r#"
name: order
version: 1.0.0
schema:
  type: object
  required: [quantity]
  properties: {quantity: {type: integer, minimum: 1}}
step_templates:
  - name: reserve
    handler_class: command
    handler_config: {command: 'echo reserve >> log; cat > step.json; echo "{\"shelf\": \"B4\"}"'}
  - name: price
    depends_on_step: reserve
    handler_class: transform
    handler_config: {filter: "{total: (.context.quantity * 20), shelf: .steps.reserve.shelf}"}
  - {name: done, depends_on_step: price, handler_class: noop}
"#;

#[test]
fn a_run_tells_every_step_and_ends_with_the_tree() {
    let folder = Folder::with("order.yaml", ORDER);
    let ran = folder.run_to(0, &["run", "order.yaml", "-c", "quantity=3"]);
    insta::assert_snapshot!(folder.redacted(&ran.err), @r"
    (time)  order    pending      task (id)
    (time)  order    in_progress
    (time)  reserve  in_progress  attempt 1 of 3
    (time)  reserve  complete (took)
    (time)  price    in_progress  attempt 1 of 3
    (time)  price    complete (took)
    (time)  done     in_progress  attempt 1 of 3
    (time)  done     complete (took)
    (time)  order    complete
    ");
    insta::assert_snapshot!(folder.redacted(&ran.out), @r#"
    ✓ complete  default.order@1.0.0  3 of 3 steps in (took)  (id)
    ✓ reserve (took)  {"shelf":"B4"}
      ✓ price (took)  {"shelf":"B4","total":60}
        ✓ done (took)
    "#);
    assert_eq!(folder.read("log"), "reserve\n");
    let step: Value = serde_json::from_str(&folder.read("step.json")).expect("JSON");
    assert_eq!(step["context"], json!({"quantity": 3}));
}

#[test]
fn a_step_that_fails_is_tried_again() {
    let flaky = r#"
name: flaky
step_templates:
  - name: fetch
    handler_class: command
    handler_config: {command: 'echo try >> log; test $(wc -l < log) -gt 1 || { echo "no route" >&2; exit 1; }; echo "{}"'}
    retry: {limit: 3, backoff_seconds: [0], jitter: false}
"#;
    let folder = Folder::with("flaky.yaml", flaky);
    let ran = folder.run_to(0, &["run", "flaky.yaml"]);
    assert_eq!(folder.read("log"), "try\ntry\n");
    insta::assert_snapshot!(folder.redacted(&ran.out), @r"
    ✓ complete  default.flaky@0.1.0  1 of 1 step in (took)  (id)
    ✓ fetch (took)  attempt 2 of 3
    ");
    assert!(ran.err.contains("attempt 2 follows: `echo try"), "{}", ran.err);
}

#[test]
fn a_task_in_error_says_what_went_wrong_and_what_can_be_done() {
    let broken = r#"
name: broken
step_templates:
  - name: load
    handler_class: command
    handler_config: {command: 'echo "disk full" >&2; exit 3', permanent_exit_codes: [3]}
  - {name: tell, depends_on_step: load, handler_class: noop}
"#;
    let folder = Folder::with("broken.yaml", broken);
    let ran = folder.run_to(1, &["run", "broken.yaml"]);
    insta::assert_snapshot!(folder.redacted(&ran.out), @r#"
    ✗ in error  default.broken@0.1.0  0 of 2 steps in (took), 1 failed  (id)
    ✗ load (took)  attempt 1 of 3  `echo "disk full" >&2; exit 3` exited with 3: disk full
      · tell  waits for load

    load failed for good: `echo "disk full" >&2; exit 3` exited with 3: disk full
        disk full

    to try again:          tasker task retry (short) && tasker resume (short)
    to go on without it:   tasker task resolve (short) --step load --results '{}' && tasker resume (short)
    to give it up:         tasker task cancel (short)
    "#);
}

#[test]
fn with_json_every_line_is_json_and_the_last_is_the_whole_task() {
    let folder = Folder::with("order.yaml", ORDER);
    let ran = folder.run_to(0, &["run", "order.yaml", "--context", r#"{"quantity": 2}"#, "--json"]);
    let lines: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let (task, transitions) = lines.split_last().expect("lines");
    assert_eq!(ran.err, "");
    assert_eq!(task["status"], "complete");
    let steps = task["steps"].as_array().expect("steps");
    for (step, name) in steps.iter().zip(["reserve", "price", "done"]) {
        assert_eq!(
            (&step["name"], &step["status"], &step["attempts"]),
            (&json!(name), &json!("complete"), &json!(1))
        );
    }
    assert_eq!(steps[1]["results"], json!({"total": 40, "shelf": "B4"}));
    assert!(steps[0]["started_at"].is_string() && steps[0]["completed_at"].is_string());
    let of_price: Vec<&str> = transitions
        .iter()
        .filter(|line| line["step_name"] == "price")
        .filter_map(|line| line["to"].as_str())
        .collect();
    assert_eq!(of_price, ["in_progress", "complete"]);
    let of_task: Vec<&str> = transitions
        .iter()
        .filter(|line| line["step"].is_null())
        .filter_map(|line| line["to"].as_str())
        .collect();
    assert_eq!(of_task, ["pending", "in_progress", "complete"]);
}

#[test]
fn commands_run_in_the_folder_of_the_template() {
    let folder = Folder::new();
    std::fs::create_dir(folder.file("inner")).expect("a folder");
    folder.write("inner/order.yaml", ORDER);
    folder.run_to(0, &["run", "inner/order.yaml", "-c", "quantity=1"]);
    assert_eq!(folder.read("inner/log"), "reserve\n");
    assert!(folder.file(".tasker/tasker.db").exists(), "the database is in the current folder");
}

#[test]
fn nothing_is_remembered_of_a_task_that_is_complete() {
    let folder = Folder::with("order.yaml", ORDER);
    folder.run_to(0, &["run", "order.yaml", "-c", "quantity=1"]);
    let left = std::fs::read_dir(folder.file(".tasker/run")).expect("a folder").count();
    assert_eq!(left, 0);
}

#[test]
fn a_task_whose_handler_nobody_offers_ends_with_an_explanation() {
    let foreign = "
name: foreign
step_templates:
  - {name: first, handler_class: noop}
  - {name: charge, depends_on_step: first, handler_class: 'Payments::Charge'}
";
    let folder = Folder::with("foreign.yaml", foreign);
    let ran = folder.run_to(1, &["run", "foreign.yaml", "--quiet"]);
    insta::assert_snapshot!(folder.redacted(&ran.err), @r#"
    The task is in progress: charge is ready, but no live worker offers the handler "Payments::Charge" on queue "default".
    start a worker that offers "Payments::Charge", or bind it to a built-in handler with --bindings FILE
    to go on: tasker resume (short) --bindings FILE
    "#);
    let explained = folder.run_to(0, &["task", "explain", "last"]);
    assert!(
        explained.out.contains("no live worker offers the handler \"Payments::Charge\""),
        "{}",
        explained.out
    );
    folder.write("bindings.yaml", "'Payments::Charge': {type: command, command: [echo, charged]}");
    let ran = folder.run_to(0, &["resume", "--bindings", "bindings.yaml", "--quiet"]);
    assert!(ran.out.contains("2 of 2 steps"), "{}", ran.out);
}

#[test]
fn a_key_makes_one_task_of_two_runs() {
    let folder = Folder::with("order.yaml", ORDER);
    let run = || folder.run_to(0, &["run", "order.yaml", "-c", "quantity=1", "--key", "order-1"]);
    run();
    let again = run();
    assert!(again.err.contains("a task with this key exists and is complete"), "{}", again.err);
    assert_eq!(folder.read("log"), "reserve\n");
}

#[test]
fn what_takes_too_long_is_given_up_and_can_be_resumed() {
    let slow = "
name: slow
step_templates:
  - {name: nap, handler_class: wait, handler_config: {seconds: 3}}
";
    let folder = Folder::with("slow.yaml", slow);
    let ran = folder.run_to(124, &["run", "slow.yaml", "--timeout", "1"]);
    assert!(ran.err.contains("the time is up: 1 step of the task is unfinished"), "{}", ran.err);
    folder.run_to(0, &["resume", "last"]);
}

/// A step that ends well after the time is up.
const LATE: &str = "handler_class: command, handler_config: {command: 'sleep 2; exit $(cat code)'}";

#[test]
fn the_time_is_up_even_if_all_that_was_at_work_ends_while_it_stops() {
    let late = format!(
        "name: late\nstep_templates:\n  - {{name: one, {LATE}}}\n  - {{name: two, depends_on_step: one, handler_class: noop}}\n"
    );
    let folder = Folder::with("late.yaml", &late);
    folder.write("code", "0");
    let ran = folder.run_to(124, &["run", "late.yaml", "--timeout", "1"]);
    assert!(ran.err.contains("the time is up: 1 step of the task is unfinished"), "{}", ran.err);
    folder.run_to(0, &["resume"]);
}

#[test]
fn the_time_is_up_if_the_last_step_fails_while_it_stops_and_may_be_tried_again() {
    let late = format!("name: late\nstep_templates: [{{name: one, {LATE}}}]\n");
    let folder = Folder::with("late.yaml", &late);
    folder.write("code", "1");
    let ran = folder.run_to(124, &["run", "late.yaml", "--timeout", "1"]);
    assert!(ran.err.contains("the time is up: 1 step of the task is unfinished"), "{}", ran.err);
}

#[test]
fn a_task_that_ends_while_it_stops_is_told_as_it_ended() {
    let late = format!("name: late\nstep_templates: [{{name: one, {LATE}}}]\n");
    let folder = Folder::with("late.yaml", &late);
    folder.write("code", "0");
    let ran = folder.run_to(0, &["run", "late.yaml", "--timeout", "1"]);
    assert!(ran.out.contains("complete") && !ran.err.contains("the time is up"), "{}", ran.err);
    let failing = late
        .replace("{command: ", "{permanent_exit_codes: [3], command: ")
        .replace("name: late", "name: failing");
    folder.write("late.yaml", &failing);
    folder.write("code", "3");
    let ran = folder.run_to(1, &["run", "late.yaml", "--timeout", "1"]);
    assert!(ran.out.contains("in error") && !ran.err.contains("the time is up"), "{}", ran.err);
}

#[test]
fn a_step_that_failed_for_good_beside_one_that_nobody_can_run_is_a_stop() {
    let stuck = "
name: stuck
step_templates:
  - {name: load, handler_class: command, handler_config: {command: 'exit 3'}, retry: {limit: 1}}
  - {name: parse, handler_class: command, handler_config: {command: 'exit 4', permanent_exit_codes: [4]}}
  - {name: charge, handler_class: 'Payments::Charge'}
  - {name: tell, depends_on_steps: [load, charge], handler_class: noop}
";
    let folder = Folder::with("stuck.yaml", stuck);
    let ran = folder.run_to(1, &["run", "stuck.yaml", "--quiet", "--timeout", "20"]);
    for words in [
        "load failed",
        "parse failed for good",
        "charge is ready, but no live worker offers the handler \"Payments::Charge\"",
        "to go on: tasker resume",
    ] {
        assert!(ran.err.contains(words), "{}", ran.err);
    }
}

#[test]
fn two_runs_at_once_in_one_database_leave_each_other_and_all_else_alone() {
    let step = |number| format!("{{name: s{number}, handler_class: noop}}");
    let steps = (0..30).map(step).collect::<Vec<_>>().join(", ");
    let folder = Folder::new();
    for name in ["one", "other", "waiting"] {
        folder.write(&format!("{name}.yaml"), &format!("name: {name}\nstep_templates: [{steps}]\n"));
    }
    folder.run_to(0, &["template", "register", "waiting.yaml"]);
    for _ in 0..3 {
        folder.run_to(0, &["task", "submit", "waiting"]);
    }
    let runs = ["one.yaml", "other.yaml"].map(|file| folder.start(&["run", file, "--json"]));
    for run in runs {
        let ran = ended(run);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        let task: Value = serde_json::from_str(ran.out.lines().last().expect("lines")).expect("JSON");
        let steps = task["steps"].as_array().expect("steps");
        assert_eq!(steps.len(), 30);
        assert!(steps.iter().all(|step| step["attempts"] == 1 && step["status"] == "complete"), "{task}");
    }
    let waiting = folder.run_to(0, &["task", "list", "--name", "waiting", "--json"]).out;
    assert_eq!(waiting.lines().count(), 3);
    for line in waiting.lines() {
        let task: Value = serde_json::from_str(line).expect("JSON");
        let history =
            folder.run_to(0, &["task", "history", task["task_id"].as_str().expect("an id"), "--json"]);
        assert_eq!(history.out.lines().count(), 1, "only the submission: {}", history.out);
    }
}

#[test]
fn a_database_whose_name_a_shell_would_take_apart_is_quoted_and_a_password_is_never_told() {
    let folder =
        Folder::with("nap.yaml", "name: nap\nstep_templates: [{name: nap, handler_class: Nap::Long}]\n");
    let database = "it's mine; $(x).db";
    let ran = folder.run_to(1, &["run", "nap.yaml", "-q", "--database", database]);
    let line =
        ran.err.lines().last().expect("lines").replace("to go on: tasker", env!("CARGO_BIN_EXE_tasker"));
    let line = line.replace("--bindings FILE", "--timeout 0");
    let mut pasted = Command::new("sh");
    let code = pasted.args(["-c", &line]).current_dir(folder.path()).status().expect("sh is there").code();
    assert_eq!(code, Some(124), "{line}");
    for url in [
        "postgres://h:1/d?password=hunter2&user=x",
        "u:hunter2@h/d",
        "host=h password=hunter2",
        "postgres://h/d?passwd=hunter2",
    ] {
        for args in [&["run", "nap.yaml"][..], &["task", "list"], &["dev", "--print-config"]] {
            let ran = folder.run(&[args, &["--database", url, "--set", "database.wait_seconds=0"]].concat());
            assert!(
                !format!("{}{}", ran.out, ran.err).contains("hunter2"),
                "{args:?} {url}: {} {}",
                ran.out,
                ran.err
            );
        }
        for wrong in [url.to_owned(), format!("--databse={url}"), format!("--concurrency={url}")] {
            let ran = folder.run_to(2, &["run", "nap.yaml", &wrong]);
            assert!(!ran.err.contains("hunter2"), "{}", ran.err);
        }
    }
}

#[test]
fn another_task_of_the_same_database_is_left_alone() {
    let folder = Folder::with("order.yaml", ORDER);
    folder.run_to(0, &["template", "register", "order.yaml"]);
    folder.run_to(0, &["task", "submit", "order", "-c", "quantity=9"]);
    folder.run_to(0, &["run", "order.yaml", "-c", "quantity=1"]);
    assert_eq!(folder.read("log"), "reserve\n");
    let list = folder.run_to(0, &["task", "list", "--state", "pending,in_progress"]);
    assert!(list.out.contains("0/3"), "{}", list.out);
}
