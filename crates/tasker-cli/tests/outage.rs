//! A database that cannot be written for a while: that is told, and the task goes on when it can.

mod support;

use std::process::{Child, Command, Stdio};

use support::{Folder, ended, wait_for_words};

/// A step that says when it runs, and ends when it is told to.
const WORK: &str = r"
name: work
step_templates:
  - {name: load, handler_class: command, handler_config: {command: 'echo load >> log; echo > started; read word < go'}}
  - {name: tell, depends_on_step: load, handler_class: noop}
";

/// Lets no file of a process grow beyond so many bytes, as if the disk were full.
fn limit_files(child: &Child, bytes: &str) {
    let mut limit = Command::new("prlimit");
    limit.args(["--pid", &child.id().to_string(), &format!("--fsize={bytes}:unlimited")]);
    assert!(limit.status().expect("prlimit is there").success());
}

/// A run, with these arguments, whose step has just ended and whose disk is full.
fn on_a_full_disk(folder: &Folder, args: &str) -> Child {
    folder.write("work.yaml", WORK);
    folder.pipe("started");
    folder.pipe("go");
    // Without the trap a process that meets the limit is killed.
    let run = format!("trap '' XFSZ; exec {} run work.yaml {args}", env!("CARGO_BIN_EXE_tasker"));
    let mut shell = Command::new("sh");
    shell.args(["-c", &run]).current_dir(folder.path());
    let mut child = shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("sh is there");
    folder.hear("started", &mut child);
    limit_files(&child, "1");
    folder.write("go", "\n");
    child
}

#[test]
fn a_disk_that_is_full_for_a_while_is_told_and_costs_no_attempt() {
    let folder = Folder::new();
    let mut child = on_a_full_disk(&folder, "");
    let told = wait_for_words(&mut child, "; trying again");
    let line = told.lines().last().unwrap_or_default();
    assert!(line.starts_with("failed to record what steps came to: the database"), "{told}");
    limit_files(&child, "unlimited");
    let ran = ended(child);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(ran.err.matches("the database answers again: going on").count(), 1, "{}", ran.err);
    assert_eq!(folder.read("log"), "load\n");
}

#[test]
fn the_time_is_up_on_a_full_disk_and_what_is_lost_is_told() {
    let folder = Folder::new();
    let ran = ended(on_a_full_disk(&folder, "--timeout 4 --set worker.drain_timeout_seconds=1"));
    assert_eq!(ran.code, Some(124), "{}", ran.err);
    for words in [
        "the task could not be paused, and other workers may go on with it: ",
        "what 1 step came to could not be recorded: it runs again",
        "the time is up: 2 steps of the task are unfinished",
    ] {
        assert!(ran.err.contains(words), "{}", ran.err);
    }
}
