//! Documents that nobody would write.

use proptest::prelude::*;

use super::*;
use crate::template::keys::{STEP, TEMPLATE};

/// Values that are sometimes right for some key and mostly wrong for most.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-200..200i64).prop_map(Value::from),
        (-2.0..2.0f64).prop_map(Value::from),
        prop::sample::select(vec!["a", "b", "c", "http", "1.0.0", "1.0", "", " ", "a@b"])
            .prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(any_key(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_key() -> impl Strategy<Value = String> {
    let known = STEP.keys.iter().chain(TEMPLATE.keys).map(|key| key.name.to_owned());
    let others = ["limit", "backoff_seconds", "test", "x-1", "type", "$ref", "properties"].map(str::to_owned);
    prop::sample::select(known.chain(others).collect::<Vec<String>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_document_is_read_or_refused_with_a_reason(
        top in prop::collection::btree_map(any_key(), any_value(), 0..8),
        steps in prop::collection::vec(prop::collection::btree_map(any_key(), any_value(), 0..6), 0..5),
    ) {
        let mut document = json!({"name": "a", "step_templates": steps});
        for (key, value) in top {
            if !matches!(key.as_str(), "name" | "step_templates") {
                document[key] = value;
            }
        }
        let text = serde_json::to_string(&document).expect("text");
        match TaskTemplate::parse(&text, &options(Some("test"))) {
            Ok(parsed) => prop_assert_eq!(parsed.template.graph().len(), parsed.template.steps.len()),
            Err(errors) => prop_assert!(errors.errors().count() > 0),
        }
    }

    #[test]
    fn any_text_is_a_template_or_is_refused(text in "(\\PC|[\n:\\- ]){0,200}") {
        let read = TaskTemplate::parse(&text, &options(None));
        prop_assert!(read.is_ok() || read.is_err_and(|errors| errors.errors().count() > 0));
    }

    #[test]
    fn the_digest_is_that_of_the_content(order in Just(vec![0, 1, 2, 3, 4]).prop_shuffle()) {
        let lines = [
            "name: a",
            "version: 1.0.0",
            "schema: {type: object, required: [x]}",
            "step_templates: [{name: s, handler_class: h, handler_config: {b: 1, a: 2}}]",
            "description: text",
        ];
        let shuffled: Vec<&str> = order.into_iter().map(|line: usize| lines[line]).collect();
        let (given, shuffled) = (parse(&lines.join("\n")), parse(&shuffled.join("\n")));
        prop_assert_eq!(given.digest(), shuffled.digest());
    }
}
