//! `tasker template`: checked, drawn, analysed, registered.

mod support;

use support::Folder;

const ETL: &str = r#"
name: etl
namespace_name: shop
version: 1.2.0
description: Copies the orders.
step_templates:
  - {name: extract_a, handler_class: command, handler_config: {command: "true"}}
  - {name: extract_b, handler_class: command, handler_config: {command: "true"}}
  - {name: transform, handler_class: noop, depends_on_steps: [extract_a, extract_b], timeout_seconds: 5}
  - {name: 'load "all"', handler_class: noop, depends_on_step: transform, default_retry_limit: 5}
"#;

fn folder() -> Folder {
    Folder::with("etl.yaml", ETL)
}

#[test]
fn a_graph_is_drawn_in_two_languages() {
    let drawn = |format| folder().run_to(0, &["template", "graph", "etl.yaml", "--format", format]).out;
    insta::assert_snapshot!(drawn("mermaid"), @r#"
    flowchart TD
        s0["extract_a<br/><i>command</i>"]
        s1["extract_b<br/><i>command</i>"]
        s2["transform<br/><i>noop</i>"]
        s3["load #quot;all#quot;<br/><i>noop</i>"]
        s0 --> s2
        s1 --> s2
        s2 --> s3
    "#);
    insta::assert_snapshot!(drawn("dot"), @r#"
    digraph "shop.etl@1.2.0" {
      node [shape=box, style=rounded]
      "extract_a" [label="extract_a\ncommand"]
      "extract_b" [label="extract_b\ncommand"]
      "transform" [label="transform\nnoop"]
      "load \"all\"" [label="load \"all\"\nnoop"]
      "extract_a" -> "transform"
      "extract_b" -> "transform"
      "transform" -> "load \"all\""
    }
    "#);
}

#[test]
fn an_analysis_tells_levels_and_paths() {
    insta::assert_snapshot!(folder().run_to(0, &["template", "analyze", "etl.yaml"]).out, @r#"
    shop.etl@1.2.0: 4 steps
      dependencies  3
      roots         extract_a, extract_b
      leaves        load "all"
      widest level  2 steps
      paths         2
      longest path  extract_a → transform → load "all" (3 steps)
      level 0       extract_a, extract_b
      level 1       transform
      level 2       load "all"
    "#);
    let json = folder().run_to(0, &["template", "analyze", "etl.yaml", "--json"]).out;
    let analysis: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&analysis["paths"], &analysis["summary"]["max_depth"]), (&2.into(), &2.into()));
}

#[test]
fn files_are_checked_one_by_one() {
    let folder = folder();
    folder.write("wrong.yaml", "name: wrong\nstep_templates: [{name: a, handler_class: noop, color: red}]\n");
    insta::assert_snapshot!(folder.run_to(0, &["template", "validate", "etl.yaml", "wrong.yaml"]).out, @r#"
    etl.yaml: shop.etl@1.2.0 is a template of 4 steps, 3 dependencies
    wrong.yaml:2: warning: step_templates[0].color: a step has no key "color"; it is kept, and has no effect
    wrong.yaml: default.wrong@0.1.0 is a template of 1 step, 0 dependencies (1 warning)
    "#);
    let ran = folder.run_to(2, &["template", "validate", "--strict", "etl.yaml", "wrong.yaml"]);
    insta::assert_snapshot!(ran.out, @r#"
    etl.yaml: shop.etl@1.2.0 is a template of 4 steps, 3 dependencies
    wrong.yaml:2: step_templates[0].color: a step has no key "color"; remove it
    "#);
    assert_eq!(ran.err, "1 of 2 files cannot be used as a template\n");
}

#[test]
fn a_template_is_shown_as_a_table() {
    insta::assert_snapshot!(folder().run_to(0, &["template", "show", "etl.yaml"]).out, @r#"
    shop.etl@1.2.0: 4 steps
    Copies the orders.

    STEP        HANDLER  ATTEMPTS  TIMEOUT  DEPENDS ON            DESCRIPTION
    extract_a   command  3
    extract_b   command  3
    transform   noop     3         5 s      extract_a, extract_b
    load "all"  noop     5                  transform
    "#);
}

#[test]
fn a_version_is_a_promise_unless_it_is_to_be_replaced() {
    let folder = folder();
    folder.run_to(0, &["template", "register", "etl.yaml"]);
    folder.run_to(0, &["template", "register", "etl.yaml"]);
    folder.write("etl.yaml", &ETL.replace("the orders", "all orders"));
    let ran = folder.run_to(1, &["template", "register", "etl.yaml"]);
    insta::assert_snapshot!(ran.err, @"error: write a new version into the file, or repeat with --replace: shop.etl@1.2.0 is already registered with other content: give the template a new version, or ask to replace it");
    folder.run_to(0, &["template", "register", "etl.yaml", "--replace"]);
    let shown = folder.run_to(0, &["template", "show", "shop.etl@^1.0"]).out;
    assert!(shown.contains("Copies all orders."), "{shown}");
    insta::assert_snapshot!(folder.run_to(0, &["template", "list"]).out, @r"
    TEMPLATE  VERSION  STEPS  REGISTERED  DESCRIPTION
    shop.etl  1.2.0    4      now         Copies all orders.
    ");
}
