//! `tasker init`, and what comes with the command itself.

mod support;

use support::Folder;

#[test]
fn a_fresh_project_runs_at_once() {
    let folder = Folder::new();
    let ran = folder.run_to(0, &["init", "demo"]);
    insta::assert_snapshot!(format!("{}{}", ran.out, ran.err), @r"
    wrote demo/templates/order.yaml
    wrote demo/bindings.yaml
    wrote demo/tasker.toml
    wrote demo/README.md
    wrote demo/.gitignore

    now run it: cd demo && tasker run
    ");
    let mut command = folder.command(&["run"]);
    let ran = support::ended(command.current_dir(folder.file("demo")).spawn().expect("it starts"));
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    insta::assert_snapshot!(folder.redacted(&ran.out), @r#"
    ✓ complete  shop.order@1.0.0  4 of 4 steps in (took)  (id)
    ✓ reserve (took)  {"shelf":"B4"}
      ✓ price (took)  {"total":39.8}
        ✓ ship (took)  {"stdout":"parcel 7 from shelf B4"}
          ✓ notify (took)  {"stdout":"Dear customer, order 7 is on its way."}
    "#);
}

#[test]
fn nothing_is_overwritten() {
    let folder = Folder::with("README.md", "mine");
    let ran = folder.run_to(2, &["init"]);
    insta::assert_snapshot!(ran.err, @"error: README.md would be overwritten in .: name a folder that is new or empty, as in tasker init demo");
    assert_eq!(folder.read("README.md"), "mine");
    assert!(!folder.file("templates").exists());
}

#[test]
fn the_reference_has_every_command() {
    let page = Folder::new().run_to(0, &["reference", "cli"]).out;
    for command in
        ["run", "resume", "dev", "init", "task submit", "task history", "template graph", "namespace pause"]
    {
        assert!(page.contains(&format!("## `tasker {command}`")), "{command}");
    }
    assert!(!page.contains("tasker reference"));
}

#[test]
fn completions_are_written_for_a_shell() {
    let script = Folder::new().run_to(0, &["completions", "bash"]).out;
    assert!(script.contains("_tasker()"));
}
