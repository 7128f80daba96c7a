//! What cannot be is refused with exit code 2, and says what to do instead.

mod support;

use support::Folder;

fn refused(folder: &Folder, args: &[&str]) -> String {
    let ran = folder.run_to(2, args);
    assert_eq!(ran.out, "");
    folder.redacted(ran.err.trim_end())
}

const NOTHING: &str = "
name: nothing
schema: {type: object, required: [order_id], properties: {order_id: {type: integer}}}
step_templates:
  - {name: nothing, handler_class: noop}
";

#[test]
fn a_template_that_is_wrong_names_every_problem_with_its_line() {
    let text = "
name: wrong
step_templates:
  - {name: load, handler_class: noop, depends_on_step: transfrm}
  - {name: transform, handler_class: noop, colour: red}
  - {name: transform}
";
    let folder = Folder::with("wrong.yaml", text);
    insta::assert_snapshot!(refused(&folder, &["run", "wrong.yaml"]), @r#"
    error: wrong.yaml cannot be used as a template:
    wrong.yaml:4: step_templates[0].depends_on_step: step "transfrm" is not defined; did you mean "transform"?
    wrong.yaml:5: warning: step_templates[1].colour: a step has no key "colour"; it is kept, and has no effect
    wrong.yaml:6: step_templates[2]: a step needs "handler_class"; add "handler_class: NAME", such as http or Orders::ShipHandler
    wrong.yaml:6: step_templates[2].name: step "transform" is defined twice, first on line 5; give each step a name of its own
    "#);
}

#[test]
fn a_file_that_is_not_there_is_told() {
    insta::assert_snapshot!(refused(&Folder::new(), &["run", "order.yaml"]), @"error: there is no file order.yaml: check the path; `tasker init demo` makes a template to try");
    insta::assert_snapshot!(refused(&Folder::new(), &["run"]), @"error: name a template file: tasker run FILE; `tasker init demo` makes one to try");
}

#[test]
fn a_context_that_does_not_fit_is_told_field_by_field() {
    let folder = Folder::with("nothing.yaml", NOTHING);
    insta::assert_snapshot!(refused(&folder, &["run", "nothing.yaml"]), @r#"
    error: the context does not fit the schema of default.nothing@0.1.0:
      context: the property "order_id" is missing; add "order_id"
    give it as --context KEY=VALUE, --context '{"KEY": VALUE}' or --context @FILE
    "#);
    insta::assert_snapshot!(refused(&folder, &["run", "nothing.yaml", "-c", "order_id=seven"]), @r#"
    error: the context does not fit the schema of default.nothing@0.1.0:
      context/order_id: expected integer, found string
    give it as --context KEY=VALUE, --context '{"KEY": VALUE}' or --context @FILE
    "#);
    insta::assert_snapshot!(refused(&folder, &["run", "nothing.yaml", "-c", "order_id"]), @r#"error: --context "order_id" cannot be read: write a JSON object, @FILE or KEY=VALUE"#);
    insta::assert_snapshot!(refused(&folder, &["run", "nothing.yaml", "-c", "order_id=1", "--priority", "900"]), @r#"error: priority "900" cannot be used: write a number from -100 to 100"#);
}

#[test]
fn bindings_that_are_wrong_are_told() {
    let folder = Folder::with("nothing.yaml", NOTHING);
    folder.write("bindings.yaml", "'A::B': {type: htpp}");
    let run = ["run", "nothing.yaml", "-c", "order_id=1", "--bindings"];
    insta::assert_snapshot!(refused(&folder, &[&run[..], &["bindings.yaml"]].concat()), @r#"
    error: the bindings cannot be used:
      (folder)/bindings.yaml: binding "A::B": type: unknown type "htpp"; write one of http, api, command, transform, wait, noop
    "#);
    insta::assert_snapshot!(refused(&folder, &[&run[..], &["none.yaml"]].concat()), @"error: the bindings (folder)/none.yaml cannot be read: No such file or directory (os error 2); see the setting worker.bindings");
}

#[test]
fn no_command_but_those_that_begin_something_makes_a_database() {
    let folder = Folder::new();
    let id = "0199c2a4-5b1e-7c3d-9a4f-2e6b1c800000";
    let commands: [&[&str]; 16] = [
        &["task", "list"],
        &["task", "show", id],
        &["task", "explain", id],
        &["task", "history", id],
        &["task", "cancel", id],
        &["task", "retry", id],
        &["task", "resolve", id],
        &["task", "pause", id],
        &["task", "resume", id],
        &["task", "submit", "nothing"],
        &["template", "list"],
        &["template", "show", "nothing"],
        &["namespace", "pause", "default"],
        &["namespace", "resume", "default"],
        &["resume"],
        &["resume", id],
    ];
    for command in commands {
        let told = refused(&folder, &[command, &["--database", "typo/tasker.db"]].concat());
        assert_eq!(
            told,
            "error: there is no database at (folder)/typo/tasker.db: `tasker run` makes one; another is named with \
             --database",
            "{command:?}"
        );
        assert!(!folder.file("typo").exists(), "{command:?}");
    }
    refused(&folder, &["task", "list"]);
    assert!(!folder.file(".tasker").exists());
}

#[test]
fn what_does_not_exist_is_told() {
    let folder = Folder::with("nothing.yaml", NOTHING);
    folder.run_to(0, &["template", "register", "nothing.yaml"]);
    insta::assert_snapshot!(refused(&folder, &["task", "show", "last"]), @"error: there is no task yet");
    insta::assert_snapshot!(refused(&folder, &["task", "show", "2e6b1c8"]), @r#"error: no task has an id like "2e6b1c8"; `tasker task list` shows those there are"#);
    insta::assert_snapshot!(refused(&folder, &["task", "show", "order"]), @r#"error: "order" names no task: write its id, at least 4 hexadecimal digits of the beginning or the end of it, or `last` for the newest"#);
    insta::assert_snapshot!(refused(&folder, &["task", "submit", "order@^1.0"]), @"error: no template default.order@^1.0 is registered; `tasker template list` shows what is registered, `tasker template register FILE` registers");
    insta::assert_snapshot!(refused(&folder, &["resume"]), @"error: no task is unfinished; tasker task list shows those there are");
}

#[test]
fn a_database_and_settings_that_are_wrong_are_told() {
    let folder = Folder::new();
    insta::assert_snapshot!(refused(&folder, &["task", "list", "--database", "mysql://x:secret@y/z"]), @r#"
    error: the settings cannot be used:
      command line: database.url is "mysql://x:********@y/z": write sqlite:PATH, postgres://USER:PASSWORD@HOST/DATABASE or memory:
    "#);
    insta::assert_snapshot!(refused(&folder, &["task", "list", "--set", "worker.concurency=8"]), @r#"
    error: the settings cannot be used:
      command line: there is no setting "worker.concurency"; did you mean worker.concurrency?
    "#);
}

#[test]
fn a_word_that_is_no_command_gets_the_one_that_was_meant() {
    insta::assert_snapshot!(refused(&Folder::new(), &["tmplate", "list"]), @r"
    error: unrecognized subcommand 'tmplate'

      tip: a similar subcommand exists: 'template'

    Usage: tasker [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
}
