use serde_json::json;

use super::*;
use crate::backoff::Backoff;
use crate::name::StepName;
use crate::template::Severity;

mod overlays;
mod random;
mod refusals;

const SMALLEST: &str = "
name: orders
step_templates:
  - name: validate
    handler_class: http
";

fn options(environment: Option<&str>) -> ParseOptions {
    let environment = environment.map(str::to_owned);
    ParseOptions { file: Some("orders.yaml".to_owned()), environment, strict: false }
}

fn parse(text: &str) -> TaskTemplate {
    TaskTemplate::parse(text, &options(None)).unwrap_or_else(|errors| panic!("{errors}")).template
}

fn warnings(text: &str) -> String {
    let parsed = TaskTemplate::parse(text, &options(None)).unwrap_or_else(|errors| panic!("{errors}"));
    parsed.warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn errors(text: &str) -> String {
    TaskTemplate::parse(text, &options(None)).expect_err("refused").to_string()
}

/// Steps in one line each: `name` or `name < dependency dependency`.
fn graph(header: &str, steps: &str) -> String {
    let mut text = format!("name: orders\n{header}\nstep_templates:\n");
    for step in steps.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (name, dependencies) = step.split_once(" < ").unwrap_or((step, ""));
        let dependencies = dependencies.split_whitespace().collect::<Vec<_>>().join(", ");
        let line = format!("  - {{name: {name}, handler_class: noop, depends_on_steps: [{dependencies}]}}\n");
        text.push_str(&line);
    }
    text
}

#[test]
fn the_smallest_template_gets_every_default() {
    let template = parse(SMALLEST);
    assert_eq!(template.key().to_string(), "default.orders@0.1.0");
    assert!(template.concurrent);
    assert_eq!(template.schema, None);
    let step = &template.steps[0];
    assert_eq!(step.retry.max_attempts(), 3);
    assert_eq!(step.retry.backoff, Backoff::default());
    assert_eq!(step.handler_config, Value::Null);
    assert_eq!((step.priority, step.skippable, step.timeout_seconds), (0, false, None));
    assert_eq!((step.queue.as_str(), step.dependent_system.as_deref()), ("default", None));
}

#[test]
fn a_diamond_is_no_cycle() {
    let template = parse(&graph("", "a\n b < a\n c < a\n d < b c"));
    assert_eq!(template.graph().levels(), [0, 1, 1, 2]);
}

#[test]
fn a_named_step_without_a_template_is_a_warning() {
    insta::assert_snapshot!(warnings(&graph("named_steps: [a, spare]", "a")), @r#"orders.yaml:2: warning: named_steps[1]: step "spare" is listed and not defined; define it under "step_templates", or remove it here"#);
}

#[test]
fn flags_may_be_in_the_words_of_older_yaml() {
    let steps = "step_templates: [{name: a, handler_class: http, skippable: on, default_retryable: No}]";
    let template = parse(&format!("name: orders\nconcurrent: yes\n{steps}"));
    assert!(template.concurrent && template.steps[0].skippable);
    assert!(!template.steps[0].retry.retryable);
}

#[test]
fn the_configuration_of_a_handler_is_free() {
    let text = format!("{SMALLEST}    handler_config: {{depends_on_steps: 1, any: [thing, ~]}}\n");
    assert_eq!(parse(&text).steps[0].handler_config, json!({"depends_on_steps": 1, "any": ["thing", null]}));
    assert_eq!(warnings(&text), "");
}

#[test]
fn both_forms_of_dependency_are_one_list_without_repetition() {
    let text = graph("", "a\n b\n c < b a b").replace("c, handler", "c, depends_on_step: a, handler");
    let template = parse(&text);
    assert_eq!(template.steps[2].depends_on, ["a", "b"]);
    assert_eq!(template.graph().parents(2), [0, 1]);
}

#[test]
fn a_retry_mapping_wins_over_the_older_keys() {
    let text = format!(
        "{SMALLEST}    default_retryable: true\n    default_retry_limit: 9\n    retry: {{limit: 2, retryable: false, \
         backoff_seconds: [5, 10], max_backoff_seconds: 60, multiplier: 1.5, jitter: false}}\n"
    );
    let retry = &parse(&text).steps[0].retry;
    assert_eq!((retry.limit, retry.retryable, retry.max_attempts()), (2, false, 1));
    let waits: Vec<u32> = [1, 2, 3, 100].into_iter().map(|n| retry.backoff.base_seconds(n)).collect();
    assert_eq!(waits, [5, 10, 5, 60]);
}

#[test]
fn waits_that_a_step_does_not_name_are_the_engines() {
    let retry = parse(&format!("{SMALLEST}    retry: {{max_backoff_seconds: 9}}\n")).steps[0].retry.clone();
    let engine = Backoff { table_seconds: vec![7], max_seconds: 100, ..Backoff::default() };
    assert_eq!(retry.backoff_over(&engine), Backoff { max_seconds: 9, ..engine });
}

#[test]
fn a_limit_of_zero_means_one_attempt() {
    for line in ["default_retry_limit: 0", "retry: {limit: 0}", "default_retryable: false"] {
        let template = parse(&format!("{SMALLEST}    {line}\n"));
        assert_eq!(template.steps[0].retry.max_attempts(), 1, "{line}");
    }
}

#[test]
fn one_step_after_another_follows_the_declared_order_where_dependencies_allow() {
    let template = parse(&graph("concurrent: false", "a\n b < d\n c\n d < a"));
    let order: Vec<u32> = template.graph().topological().to_vec();
    assert_eq!(order, [0, 2, 3, 1]);
    assert_eq!(template.graph().levels(), [0, 3, 1, 2]);
    assert_eq!(template.steps[3].depends_on, ["a"]);
    assert_eq!(template.dependencies().edge_count(), 2);
    assert_eq!(template.graph().parents(3), [0, 2]);
}

#[test]
fn a_step_is_found_by_its_name() {
    let template = parse(&graph("", "a\n b < a"));
    let found = template.step(&StepName::new("b").expect("valid")).expect("defined");
    assert_eq!((found.0, found.1.name.as_str()), (1, "b"));
    assert!(template.step(&StepName::new("c").expect("valid")).is_none());
}

#[test]
fn variables_and_expressions_are_left_alone() {
    let text = format!(
        "{SMALLEST}    handler_config:\n      key: ${{API_KEY}}\n      id: \"{{{{ context.id }}}}\"\n"
    );
    assert_eq!(parse(&text).steps[0].handler_config, json!({"key": "${API_KEY}", "id": "{{ context.id }}"}));
}

#[test]
fn the_compiled_schema_comes_with_the_template() {
    let template = parse(&format!("{SMALLEST}schema:\n  required: [id]\n"));
    let schema = template.context_schema().expect("a schema");
    assert!(schema.apply(json!({})).is_err());
}

#[test]
fn a_template_may_be_json() {
    let text = r#"{"name": "orders", "step_templates": [{"name": "a", "handler_class": "http"}]}"#;
    assert_eq!(parse(text).steps.len(), 1);
}

#[test]
fn the_digest_does_not_depend_on_the_order_of_keys_or_on_comments() {
    let text = "step_templates:\n- handler_class: http # how\n  name: validate\nname: orders\n";
    assert_eq!(parse(text).digest_hex(), parse(SMALLEST).digest_hex());
    assert_ne!(parse(&SMALLEST.replace("http", "noop")).digest_hex(), parse(SMALLEST).digest_hex());
    assert_eq!(parse(text).digest_hex().len(), 64);
}

#[test]
fn a_definition_that_cannot_be_read_tells_why_without_lines() {
    let errors = TaskTemplate::from_definition(&json!({"name": "a"})).expect_err("no steps");
    insta::assert_snapshot!(errors, @r#"a template needs "step_templates"; add "step_templates:" with a list of steps"#);
    assert!(
        errors.problems.iter().all(|problem| problem.severity == Severity::Error && problem.line.is_none())
    );
}

#[test]
fn a_thousand_mistakes_are_told_and_the_rest_counted() {
    let steps: Vec<String> = (0..2_000).map(|step| format!("{{name: s{step}, handler_class: 1}}")).collect();
    let text = format!("name: a\nstep_templates: [{}]\n", steps.join(", "));
    let errors = TaskTemplate::parse(&text, &options(None));
    let errors = errors.expect_err("refused");
    assert_eq!(errors.problems.len(), 1_001);
    insta::assert_snapshot!(errors.problems[1_000], @"orders.yaml: warning: 1000 more problems are not shown");
}

#[test]
fn ten_thousand_steps_in_a_row_are_read() {
    let later = (1..10_000).map(|step| format!("s{step} < s{}", step - 1));
    let steps: Vec<String> = std::iter::once("s0".to_owned()).chain(later).collect();
    let template = parse(&graph("", &steps.join("\n")));
    assert_eq!(template.graph().levels().last(), Some(&9_999));
}
