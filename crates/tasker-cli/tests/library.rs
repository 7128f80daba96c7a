//! The command as a function: what it writes and how it ends, without a process.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use tasker_cli::{Outside, Stream};
use tasker_core::SystemClock;

/// Keeps what is written.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panicked").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Page {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("nobody panicked").clone()).expect("UTF-8")
    }
}

fn tasker(args: &[&str], variables: &[(&str, &str)], input: &'static str) -> (ExitCode, String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let template = "name: echo\nstep_templates: [{name: say, handler_class: transform, handler_config: {filter: .context}}]";
    std::fs::write(folder.path().join("echo.yaml"), template).expect("writable");
    let stuck = "name: stuck\nstep_templates: [{name: wait, handler_class: Nobody::Offers}]";
    std::fs::write(folder.path().join("stuck.yaml"), stuck).expect("writable");
    let (out, err) = (Page::default(), Page::default());
    let outside = Outside {
        variables: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        folder: folder.path().to_owned(),
        input: Box::new(input.as_bytes()),
        output: Stream::new(out.clone()),
        errors: Stream::new(err.clone()),
        clock: Arc::new(SystemClock),
    };
    let args = std::iter::once("tasker").chain(args.iter().copied()).map(OsString::from);
    let code = tasker_cli::run(args, outside);
    (code, out.text(), err.text())
}

#[test]
fn a_run_needs_no_process_and_no_file() {
    let variables = [("TASKER__DATABASE__URL", "memory:"), ("USER", "ada")];
    let (code, out, err) =
        tasker(&["run", "echo.yaml", "-c", "@-", "--json"], &variables, r#"{"from": "input"}"#);
    assert_eq!((code, err.as_str()), (ExitCode::SUCCESS, ""));
    let task: serde_json::Value = serde_json::from_str(out.lines().last().expect("lines")).expect("JSON");
    assert_eq!(task["steps"][0]["results"], serde_json::json!({"from": "input"}));
    assert_eq!(task["initiator"], "ada");
}

#[test]
fn a_memory_that_ends_with_the_command_cannot_be_resumed() {
    let variables = [("TASKER__DATABASE__URL", "memory:")];
    let (code, _, err) = tasker(&["run", "stuck.yaml"], &variables, "");
    assert_eq!(code, ExitCode::FAILURE);
    assert!(err.contains("the database was in memory and is gone"), "{err}");
}

#[test]
fn a_setting_that_does_not_exist_is_refused() {
    let (code, _, err) = tasker(&["task", "list"], &[("TASKER__DATABASE__URI", "memory:")], "");
    assert_eq!(code, ExitCode::from(2));
    assert!(err.contains("did you mean"), "{err}");
}
