use serde_json::json;

use super::*;

fn compile(schema: &Value) -> ContextSchema {
    ContextSchema::compile(schema).expect("a valid schema")
}

fn problems(schema: &Value, context: Value) -> String {
    let problems = compile(schema).apply(context).expect_err("an invalid context");
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn only_what_is_required_must_be_there_and_more_may_be() {
    let schema = compile(&json!({"properties": {"a": {"type": "string"}, "b": {}}, "required": ["b"]}));
    let context = json!({"b": 1, "undeclared": true});
    assert_eq!(schema.apply(context.clone()), Ok(context));
}

#[test]
fn every_problem_is_told_with_its_place_and_without_the_value() {
    let schema = json!({
        "type": "object",
        "required": ["cart_id"],
        "additionalProperties": false,
        "properties": {
            "dummy": {"type": "boolean"},
            "color": {"enum": ["red", "green"]},
            "items": {"items": {"properties": {"n": {"type": ["integer", "null"]}}}},
            "pin": {"type": "string", "minLength": 4},
        },
    });
    let context =
        json!({"dummy": 99, "bad": 1, "color": "blue", "items": [{"n": 1}, {"n": "x"}], "pin": "123"});
    insta::assert_snapshot!(problems(&schema, context), @r#"
    context/color: the value is not one of those allowed; use one of ["red","green"]
    context/dummy: expected boolean, found integer
    context/items/1/n: expected null or integer, found string
    context/pin: the value is shorter than 4 characters
    context: undeclared properties are not allowed, found "bad"; remove "bad"
    context: the property "cart_id" is missing; add "cart_id"
    "#);
}

#[test]
fn defaults_are_filled_in_at_every_depth_and_kept() {
    let schema = compile(&json!({
        "properties": {
            "currency": {"type": "string", "default": "EUR"},
            "customer": {"properties": {"tier": {"default": 1}}},
            "options": {"default": {}, "properties": {"retries": {"default": 3}}},
            "lines": {"items": {"properties": {"count": {"default": 1}}}},
            "shipping": {"$ref": "#/$defs/address"},
        },
        "allOf": [{"properties": {"flag": {"default": false}}}],
        "$defs": {"address": {"properties": {"country": {"default": "DE"}}}},
    }));
    let context = json!({"customer": {}, "lines": [{}, {"count": 5}], "shipping": {"country": "FR"}});
    let stored = json!({
        "currency": "EUR",
        "customer": {"tier": 1},
        "options": {"retries": 3},
        "lines": [{"count": 1}, {"count": 5}],
        "shipping": {"country": "FR"},
        "flag": false,
    });
    assert_eq!(schema.apply(context), Ok(stored));
}

#[test]
fn a_default_makes_a_required_property_present_and_is_itself_validated() {
    let schema = json!({"properties": {"n": {"type": "integer", "default": "x"}}, "required": ["n"]});
    insta::assert_snapshot!(problems(&schema, json!({})), @"context/n: expected integer, found string");
}

#[test]
fn defaults_that_never_end_are_refused_when_the_schema_is_read() {
    let schema = json!({"properties": {
        "left": {"default": {}, "$ref": "#"},
        "right": {"default": {}, "$ref": "#"},
    }});
    insta::assert_snapshot!(ContextSchema::compile(&schema).expect_err("refused"), @r#"invalid JSON Schema at its top: the schema's defaults nest without end, or are too many; remove the "default" from the definition that refers to itself"#);
}

#[test]
fn defaults_reach_as_deep_and_wide_as_the_context_itself() {
    let schema = compile(&json!({
        "properties": {"n": {"default": 1}, "next": {"$ref": "#"}, "all": {"items": {"$ref": "#"}}},
    }));
    let mut context = json!({});
    for _ in 0..100 {
        context = json!({"next": context});
    }
    context["all"] = vec![json!({}); 20_000].into();
    let stored = schema.apply(context).expect("valid");
    assert_eq!(stored.pointer(&format!("{}/n", "/next".repeat(100))), Some(&json!(1)));
    assert_eq!(stored["all"][19_999], json!({"n": 1}));
}

#[test]
fn a_recursive_schema_without_defaults_is_fine() {
    let schema = compile(&json!({"properties": {"next": {"$ref": "#"}, "n": {"type": "integer"}}}));
    assert!(schema.apply(json!({"next": {"next": {"n": 1}}})).is_ok());
    assert!(schema.apply(json!({"next": {"next": {"n": "1"}}})).is_err());
}

#[test]
fn a_broken_schema_is_refused_with_the_place() {
    let schema = json!({"properties": {"age": {"type": "number", "minimum": "0"}}});
    insta::assert_snapshot!(ContextSchema::compile(&schema).expect_err("refused"), @r#"invalid JSON Schema at /properties/age/minimum: "0" is not of type "number"; see https://json-schema.org/understanding-json-schema for what is allowed there"#);
}

#[test]
fn nothing_is_fetched_from_elsewhere() {
    let schema = json!({"properties": {"a": {"$ref": "https://example.com/a.json"}}});
    insta::assert_snapshot!(ContextSchema::compile(&schema).expect_err("refused"), @r##"invalid JSON Schema at its top: it refers to "https://example.com/a.json", and nothing outside the schema is ever fetched; copy that definition under "$defs" and refer to it as "#/$defs/NAME""##);
}

#[test]
fn a_reference_to_nowhere_is_refused() {
    let schema = json!({"properties": {"a": {"$ref": "#/$defs/missing"}}});
    insta::assert_snapshot!(ContextSchema::compile(&schema).expect_err("refused"), @r#"invalid JSON Schema at its top: Pointer '/$defs/missing' does not exist; correct the reference, or add what it refers to under "$defs""#);
}

#[test]
fn the_draft_is_that_of_the_schema() {
    let schema = |draft: &str| json!({"$schema": draft, "items": [{"type": "string"}]});
    let older = compile(&schema("http://json-schema.org/draft-07/schema#"));
    assert!(older.apply(json!([1])).is_err());
    assert!(ContextSchema::compile(&schema("https://json-schema.org/draft/2020-12/schema")).is_err());
    insta::assert_snapshot!(ContextSchema::compile(&schema("https://example.com/draft")).expect_err("refused"), @r#"invalid JSON Schema at /$schema: the draft "https://example.com/draft" is not known; use "https://json-schema.org/draft/2020-12/schema", or leave it out"#);
}
