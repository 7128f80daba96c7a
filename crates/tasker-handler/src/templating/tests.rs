use serde_json::json;
use tasker_core::{Backoff, Namespace, TaskId, TaskName, Timestamp, Version};

use super::*;

fn rendered(config: Value) -> Result<Value, String> {
    let surroundings = Surroundings::default()
        .environment([("API_TOKEN", "{{ context.secret }}"), ("HOME", "/root")])
        .expose(["API_TOKEN", "UNSET"]);
    let recipe = Recipe::read(config, |key, _| key == "filter", &surroundings).map_err(|error| error.0)?;
    let blueprint = Blueprint {
        namespace: Namespace::new("shop").expect("valid"),
        task_name: TaskName::new("order").expect("valid"),
        version: Version::default(),
        step: StepName::new("ship").expect("valid"),
        backoff: Backoff::default(),
        kind: crate::testing::kind(),
    };
    let key = LeaseKey { step: TaskId::new(Timestamp::from_micros(0), 0).step(0), attempt: 2 };
    let context = json!({ "id": 7, "who": { "name": "Ada" }, "tpl": "{{ context.id }}", "none": null });
    let dependencies = [(StepName::new("quote").expect("valid"), json!({ "price": 1.5, "lines": [1, 2] }))];
    let scope =
        Scope { key, retry_limit: 3, blueprint: &blueprint, context: &context, dependencies: &dependencies };
    recipe.render(scope).map(|value| (*value).clone()).map_err(|error| error.0)
}

fn error(config: Value) -> String {
    rendered(config).expect_err("refused")
}

#[test]
fn a_lone_expression_keeps_the_type_of_its_value() {
    assert_eq!(
        rendered(
            json!({ "a": "{{ context.id }}", "b": ["{{steps.quote.lines}}"], "c": "{{ context.none }}" })
        ),
        Ok(json!({ "a": 7, "b": [[1, 2]], "c": null }))
    );
}

#[test]
fn in_a_text_values_stand_as_text() {
    assert_eq!(
        rendered(json!(
            "{{ context.who.name }} pays {{ steps.quote.price }} for {{ steps.quote.lines }} {{ context.none }}"
        )),
        Ok(json!("Ada pays 1.5 for [1,2] null"))
    );
}

#[test]
fn task_and_step_can_be_named() {
    assert_eq!(
        rendered(json!(
            "{{ task.namespace }}.{{ task.name }}@{{ task.version }} {{ step.name }} {{ step.attempt }}"
        )),
        Ok(json!("shop.order@0.1.0 ship 2"))
    );
    let key = rendered(json!("{{ step.idempotency_key }}")).expect("defined");
    assert_eq!(key, "00000000-0000-7000-8000-000000000001");
}

#[test]
fn filters_work_and_a_default_stands_for_what_is_undefined() {
    assert_eq!(
        rendered(json!("{{ context.who.name | upper }} {{ context.nickname | default('none') }}")),
        Ok(json!("ADA none"))
    );
}

#[test]
fn what_is_inserted_is_not_looked_at_again() {
    assert_eq!(
        rendered(json!({ "a": "{{ context.tpl }}", "b": "x ${API_TOKEN}" })),
        Ok(json!({ "a": "{{ context.id }}", "b": "x {{ context.secret }}" }))
    );
}

#[test]
fn an_undefined_name_is_named_with_its_place() {
    assert_eq!(
        error(json!({ "body": { "to": ["{{ context.who.emial }}"] } })),
        "handler_config.body.to[0]: {{ context.who.emial }}: context.who.emial is undefined; context.who has name"
    );
    assert_eq!(
        error(json!({ "a": "x{{ steps.quota.price + 1 }}" })),
        "handler_config.a: {{ steps.quota.price + 1 }}: steps.quota is undefined; \
         add \"quota\" to this step's depends_on_steps"
    );
    assert_eq!(
        error(json!({ "a": "{{ contxt.id }}" })),
        "handler_config.a: {{ contxt.id }}: contxt is undefined; known are context, step, steps, task"
    );
    assert_eq!(
        error(json!({ "a": "{{ context.id.x }}" })),
        "handler_config.a: {{ context.id.x }}: context.id.x is undefined; context.id is not an object"
    );
}

#[test]
fn every_undefined_name_is_named_wherever_it_stands() {
    for (expression, missing) in [
        ("'a' ~ context.missing", "context.missing"),
        ("not context.x", "context.x"),
        ("1 + context.x", "context.x"),
        ("context.id + context.x", "context.x"),
        ("[1, context.x]|join(',') ~ context.y", "context.y"),
        ("context['x']", "context.x"),
        ("context[\"who\"].x|upper", "context.who.x"),
        ("context.who['na' ~ 'mes']|upper", "context.who.names"),
        ("steps.quote.lines[9]", "steps.quote.lines[9]"),
        ("steps.quote.lines[0].b|upper", "steps.quote.lines[0].b"),
        ("context.id.x", "context.id.x"),
        ("context.id['x'].y|upper", "context.id.x"),
        ("context.a if context.flag else context.b", "context.flag"),
        ("context.a if context.id == 7 else context.b", "context.a"),
        ("context.a if context.id == 8 else context.b", "context.b"),
        ("context.nick|default('x') ~ context.x", "context.x"),
        ("context.x ~ (context.nick|default('x'))", "context.x"),
        ("range(context.x)", "context.x"),
        ("dict(a=context.x).a|upper", "context.x"),
        ("context.who.name|replace('A', context.x)", "context.x"),
        ("context.nick is undefined and context.x", "context.x"),
        ("contxt ~ 'a'", "contxt"),
        ("'contxt.id' ~ ids", "ids"),
    ] {
        let message = error(json!({ "a": format!("{{{{ {expression} }}}}") }));
        let said = message.split("}}: ").nth(1).unwrap_or_default();
        assert!(said.starts_with(&format!("{missing} is undefined; ")), "{expression}: {message}");
    }
}

#[test]
fn an_error_of_another_kind_is_told_as_it_is() {
    let message = error(json!({ "a": "{{ context.nick|default('x') - 1 }}" }));
    assert!(message.contains("tried to use - operator"), "{message}");
}

#[test]
fn only_exposed_variables_can_be_inserted() {
    assert_eq!(
        error(json!({ "h": "${HOME}" })),
        "handler_config.h: the environment variable HOME may not be used in templates; \
         add it to the worker's setting `worker.allow_env`"
    );
    assert_eq!(
        error(json!({ "h": "${UNSET}" })),
        "handler_config.h: the environment variable UNSET is not set where the worker runs"
    );
    assert_eq!(rendered(json!("$${HOME}")), Ok(json!("${HOME}")));
}

#[test]
fn an_expression_that_cannot_be_read_is_refused_with_its_text() {
    let message = error(json!({ "a": "{{ context. }}" }));
    assert!(message.starts_with("handler_config.a: {{ context. }} cannot be read: "), "{message}");
}

#[test]
fn a_field_taken_verbatim_is_not_looked_at() {
    assert_eq!(rendered(json!({ "filter": "{{ x }} ${y}" })), Ok(json!({ "filter": "{{ x }} ${y}" })));
}

#[test]
fn inputs_are_wanted_only_where_an_expression_names_them() {
    let wants = |text: &str| {
        let recipe = Recipe::read(json!([text]), |_, _| false, &Surroundings::default());
        recipe.map(|recipe| recipe.wants_inputs()).map_err(|error| error.0)
    };
    assert_eq!(wants("context"), Ok(false));
    assert_eq!(wants("{{ task.id }}"), Ok(false));
    assert_eq!(wants("{{ 1 + context['x'] }}"), Ok(true));
    assert_eq!(wants("{{ steps.a }}"), Ok(true));
}
