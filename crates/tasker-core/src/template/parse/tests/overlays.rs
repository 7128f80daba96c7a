//! Environments.

use super::*;

const OVERLAID: &str = "
name: orders
description: base
step_templates:
  - name: fetch
    handler_class: http
    handler_config: {type: api, url: 'https://shop.example', params: {a: 1, list: [1, 2]}}
  - name: store
    handler_class: http
environments:
  test:
    description: overlaid
    step_templates:
      - name: store
        default_retry_limit: 1
      - name: fetch
        handler_config: {url: 'http://localhost', params: {b: 2, list: [3]}}
      - name: ftech
        handler_class: x
  production:
";

#[test]
fn an_overlay_changes_what_it_names_and_keeps_the_rest() {
    let parsed = TaskTemplate::parse(OVERLAID, &options(Some("test"))).expect("valid");
    let template = parsed.template;
    let names: Vec<&str> = template.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["fetch", "store"]);
    let config = json!({"type": "api", "url": "http://localhost", "params": {"a": 1, "b": 2, "list": [3]}});
    assert_eq!(template.steps[0].handler_config, config);
    assert_eq!(template.steps[1].retry.limit, 1);
    assert_eq!(template.description.as_deref(), Some("overlaid"));
    assert!(template.definition.get("environments").is_none());
}

#[test]
fn a_step_that_an_overlay_alone_knows_is_ignored_with_a_warning() {
    insta::assert_snapshot!(warnings(OVERLAID), @r#"orders.yaml:18: warning: environments.test.step_templates[2]: step "ftech" is not defined in the template; did you mean "fetch"?"#);
}

#[test]
fn without_an_overlay_the_template_is_as_written() {
    for environment in [None, Some("production"), Some("nowhere")] {
        let template = TaskTemplate::parse(OVERLAID, &options(environment)).expect("valid").template;
        assert_eq!(template.steps[0].handler_config["url"], "https://shop.example");
        assert_eq!(template.description.as_deref(), Some("base"));
    }
}

#[test]
fn an_overlay_of_the_wrong_shape_is_refused_in_every_environment() {
    let text = format!(
        "{SMALLEST}environments:\n  test: [1]\n  stage:\n    step_templates: {{a: 1}}\n  live:\n    \
         step_templates:\n      - handler_class: x\n      - name: validate\n        timeout_seconds: soon\n"
    );
    insta::assert_snapshot!(errors(&text), @r#"
    orders.yaml:7: environments.test: expected a template, found a list; write a mapping of "key: value" lines
    orders.yaml:9: environments.stage.step_templates: expected a list, found a mapping; add "step_templates:" with a list of steps
    orders.yaml:12: environments.live.step_templates[0]: a step of an overlay needs the name of the step it changes; add "name: NAME"
    orders.yaml:14: environments.live.step_templates[1].timeout_seconds: expected a whole number, found the text "soon"; write whole seconds, or leave it out for no limit of its own
    "#);
    insta::assert_snapshot!(errors(&format!("{SMALLEST}environments: test\n")), @r#"orders.yaml:6: environments: expected a mapping, found the text "test""#);
}

#[test]
fn an_overlay_may_supply_what_is_required() {
    let text = "
name: orders
step_templates:
  - name: fetch
environments:
  test:
    step_templates:
      - {name: fetch, handler_class: http}
";
    assert!(TaskTemplate::parse(text, &options(Some("test"))).is_ok());
    insta::assert_snapshot!(errors(text), @r#"orders.yaml:4: step_templates[0]: a step needs "handler_class"; add "handler_class: NAME", such as http or Orders::ShipHandler"#);
}
