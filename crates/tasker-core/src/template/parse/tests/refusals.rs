//! What is refused, and in which words.

use super::*;

/// V2, V4, V5.
#[test]
fn an_event_of_ones_own_needs_a_name_of_ones_own() {
    let text = "name: orders
custom_events:
  - name: invalid_event_name
  - description: nameless
  - name: 7
step_templates:
  - name: ship
    handler_class: http
    custom_events:
      - name: task.completed
      - name: order.full filled
      - {name: order.shipped, fired_by: Ship}
";
    insta::assert_snapshot!(errors(text), @r#"
    orders.yaml:3: custom_events[0].name: event "invalid_event_name" must contain a namespace: write it as area.fact, such as order.fulfilled
    orders.yaml:4: custom_events[1]: a custom event needs "name"; add "name: NAME", such as order.fulfilled
    orders.yaml:5: custom_events[2].name: expected a text, found the number 7; put it in quotes: "7"
    orders.yaml:10: step_templates[0].custom_events[0].name: event "task.completed" uses the reserved namespace "task": choose another, such as the name of your area
    orders.yaml:11: step_templates[0].custom_events[1].name: event "order.full filled" is no name: write at most 128 letters, digits, - and _, in words with dots between them
    orders.yaml:12: step_templates[0].custom_events[2].fired_by: expected a list, found the text "Ship"; write a list of handlers, or leave it out
    "#);
}

#[test]
fn many_mistakes_in_one_file_are_all_told() {
    let text = r#"name: ""
version: 1.0
namespace: shop
concurrent: "TRUE"
step_templates:
  - name: validate
    handler_class: http
    default_retry_limit: -1
    timeout_seconds: 0
  - name: charge
    handler: http
    depends_on_step: validat
    priority: "high"
  - name: ship
    handler_class: 42
    depends_on_step: [charge, validate]
    depends_on_steps: charge
  - name: ship
    handler_class: http
    depends_on_steps: [ship, charge]
    retry:
      limit: "5"
      backoff_seconds: [1, 2.5, -3]
      jitter_max_percentage: 10
      multiplicator: 2
  - just a text
schema:
  type: object
  properties:
    age: {type: number, minimum: "0"}
"#;
    insta::assert_snapshot!(errors(text), @r#"
    orders.yaml:1: name: invalid task name "": it is blank; give at least one visible character
    orders.yaml:2: version: expected a version of three numbers, found the number 1.0; write it in quotes, as "1.0.0"
    orders.yaml:3: namespace: a template has no key "namespace"; did you mean "namespace_name"?
    orders.yaml:4: concurrent: expected true or false, found the text "TRUE"; write true
    orders.yaml:8: step_templates[0].default_retry_limit: expected a whole number of at least 0, found -1; write how many attempts there may be in total
    orders.yaml:9: step_templates[0].timeout_seconds: expected a whole number of at least 1, found 0; write whole seconds, or leave it out for no limit of its own
    orders.yaml:10: step_templates[1]: a step needs "handler_class"; add "handler_class: NAME", such as http or Orders::ShipHandler
    orders.yaml:11: step_templates[1].handler: a step has no key "handler"; did you mean "handler_class"?
    orders.yaml:12: step_templates[1].depends_on_step: step "validat" is not defined; did you mean "validate"?
    orders.yaml:13: step_templates[1].priority: expected a whole number, found the text "high"; write one from -100 to 100, higher goes first
    orders.yaml:15: step_templates[2].handler_class: expected a text, found the number 42; put it in quotes: "42"
    orders.yaml:16: step_templates[2].depends_on_step: expected a text, found a list; write one step name; several go to "depends_on_steps"
    orders.yaml:17: step_templates[2].depends_on_steps: expected a list, found the text "charge"; write a list of step names; one may go to "depends_on_step"
    orders.yaml:18: step_templates[3].name: step "ship" is defined twice, first on line 14; give each step a name of its own
    orders.yaml:20: step_templates[3].depends_on_steps[0]: step "ship" depends on itself; remove the dependency
    orders.yaml:22: step_templates[3].retry.limit: expected a whole number, found the text "5"; remove the quotes
    orders.yaml:23: step_templates[3].retry.backoff_seconds[1]: expected a whole number, found 2.5; write the waits in whole seconds, such as [1, 5, 30]
    orders.yaml:23: step_templates[3].retry.backoff_seconds[2]: expected a whole number of at least 0, found -3; write the waits in whole seconds, such as [1, 5, 30]
    orders.yaml:24: step_templates[3].retry.jitter_max_percentage: expected a number from 0 to 1, found 10; write a fraction, such as 0.1 for 10 %
    orders.yaml:25: step_templates[3].retry.multiplicator: a retry policy has no key "multiplicator"; did you mean "multiplier"?
    orders.yaml:26: step_templates[4]: expected a step, found the text "just a text"; write a mapping of "key: value" lines
    orders.yaml:30: schema.properties.age.minimum: "0" is not of type "number"; see https://json-schema.org/understanding-json-schema for what is allowed there
    "#);
}

#[test]
fn a_misspelt_dependency_is_told_with_what_was_likely_meant() {
    let text = graph("", "validate\n charge < validat\n ship < nowhere");
    insta::assert_snapshot!(errors(&text), @r#"
    orders.yaml:5: step_templates[1].depends_on_steps[0]: step "validat" is not defined; did you mean "validate"?
    orders.yaml:6: step_templates[2].depends_on_steps[0]: step "nowhere" is not defined; define it under "step_templates", or remove the dependency
    "#);
}

#[test]
fn every_cycle_is_told_with_its_path() {
    let text = graph("", "start\n a < c\n b < a\n c < b start\n d < e c\n e < d\n self < self");
    insta::assert_snapshot!(errors(&text), @r#"
    orders.yaml:5: step_templates[1].depends_on_steps[0]: adding this edge would create a cycle in the workflow: a -> b -> c -> a; remove one of these dependencies
    orders.yaml:8: step_templates[4].depends_on_steps[0]: adding this edge would create a cycle in the workflow: d -> e -> d; remove one of these dependencies
    orders.yaml:10: step_templates[6].depends_on_steps[0]: step "self" depends on itself; remove the dependency
    "#);
}

#[test]
fn named_steps_must_list_every_step_and_dependency() {
    let text = graph("named_steps: [a, spare]", "a\n b < a\n c < gone");
    insta::assert_snapshot!(errors(&text), @r#"
    orders.yaml:2: warning: named_steps[1]: step "spare" is listed and not defined; define it under "step_templates", or remove it here
    orders.yaml:5: step_templates[1].name: Step template name 'b' is not in the named_steps list; add it there, or leave "named_steps" out
    orders.yaml:6: step_templates[2].name: Step template name 'c' is not in the named_steps list; add it there, or leave "named_steps" out
    orders.yaml:6: step_templates[2].depends_on_steps[0]: Dependency step 'gone' is not in the named_steps list; add it there, or leave "named_steps" out
    "#);
}

#[test]
fn a_template_needs_a_name_and_steps() {
    insta::assert_snapshot!(errors("version: 1.0.0\n"), @r#"
    orders.yaml:1: a template needs "name"; add "name: NAME"
    orders.yaml:1: a template needs "step_templates"; add "step_templates:" with a list of steps
    "#);
    insta::assert_snapshot!(errors("name: a\nstep_templates: []\n"), @"orders.yaml:2: step_templates: there is no step; add at least one");
    insta::assert_snapshot!(errors("name: a\nstep_templates:\n"), @r#"orders.yaml:1: a template needs "step_templates"; add "step_templates:" with a list of steps"#);
    insta::assert_snapshot!(errors("- a\n"), @r#"orders.yaml:1: expected a template, found a list; write a mapping of "key: value" lines"#);
    insta::assert_snapshot!(errors("just a text"), @r#"orders.yaml:1: expected a template, found the text "just a text"; write a mapping of "key: value" lines"#);
}

#[test]
fn a_version_is_three_numbers_as_text() {
    let version = |version: &str| format!("{SMALLEST}version: {version}\n");
    for text in ["1.2.3", "\"1.2.3\"", "'1.2.3'", "1.2.3-rc1"] {
        parse(&version(text));
    }
    insta::assert_snapshot!(errors(&version("1.10")), @r#"orders.yaml:6: version: expected a version of three numbers, found the number 1.10; write it in quotes, as "1.10.0""#);
    insta::assert_snapshot!(errors(&version("2")), @r#"orders.yaml:6: version: expected a version of three numbers, found the number 2; write it in quotes, as "2.0.0""#);
    insta::assert_snapshot!(errors(&version("\"1.2\"")), @r#"orders.yaml:6: version: invalid version "1.2": write 1.2.0"#);
    insta::assert_snapshot!(errors(&version("v1.2.3")), @r#"orders.yaml:6: version: invalid version "v1.2.3": write 1.2.3"#);
}

#[test]
fn a_key_that_is_not_known_is_a_warning_or_strictly_an_error() {
    let text = format!("{SMALLEST}    owner: me\nx-anything: 1\nteam: shop\n");
    insta::assert_snapshot!(warnings(&text), @r#"
    orders.yaml:6: warning: step_templates[0].owner: a step has no key "owner"; it is kept, and has no effect
    orders.yaml:8: warning: team: a template has no key "team"; it is kept, and has no effect
    "#);
    assert_eq!(parse(&text).definition["team"], "shop");
    let strict = ParseOptions { strict: true, ..options(None) };
    let errors = TaskTemplate::parse(&text, &strict).expect_err("strict");
    assert_eq!(errors.errors().count(), 2);
}

#[test]
fn a_key_that_resembles_a_known_one_is_an_error() {
    let text = format!("{SMALLEST}    dependsOnStep: x\n    default_retry_limits: 1\nstep_template: []\n");
    insta::assert_snapshot!(errors(&text), @r#"
    orders.yaml:6: step_templates[0].dependsOnStep: a step has no key "dependsOnStep"; did you mean "depends_on_step"?
    orders.yaml:7: step_templates[0].default_retry_limits: a step has no key "default_retry_limits"; did you mean "default_retry_limit"?
    orders.yaml:8: step_template: a template has no key "step_template"; did you mean "step_templates"?
    "#);
}

#[test]
fn a_broken_schema_is_told_at_its_line() {
    let text = format!("{SMALLEST}schema:\n  properties:\n    age:\n      type: nmber\n");
    insta::assert_snapshot!(errors(&text), @r#"orders.yaml:9: schema.properties.age.type: "nmber" is no type; write string, number, integer, boolean, object, array or null, or a list of these"#);
}
