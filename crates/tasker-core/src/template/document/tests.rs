use std::fmt::Write;

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn value(text: &str) -> Value {
    read_document(text, None).unwrap_or_else(|errors| panic!("{errors}"))
}

fn errors(text: &str) -> String {
    read_document(text, Some("t.yaml")).expect_err("refused").to_string()
}

#[test]
fn scalars_follow_the_core_schema() {
    let text =
        "[~, null, true, FALSE, 1, -1, 0x1F, 0o17, 1.5, 1e3, 18446744073709551615, text, '1', yes, 1.0.0]";
    let expected =
        json!([null, null, true, false, 1, -1, 31, 15, 1.5, 1e3, u64::MAX, "text", "1", "yes", "1.0.0"]);
    assert_eq!(value(text), expected);
}

#[test]
fn tags_of_the_core_schema_are_honoured() {
    let text = "[!!str 1, !!int '2', !!float 3, !!bool 'true', !!null '', ! 4, !!seq [], !!map {}]";
    assert_eq!(value(text), json!(["1", 2, 3.0, true, null, "4", [], {}]));
}

#[test]
fn values_that_json_does_not_have_are_refused_one_by_one() {
    insta::assert_snapshot!(errors("a: .inf\nb: [1, .nan]\nc: !ruby/object x\nd: !!int x\n"), @r#"
    t.yaml:1: a: the number .inf cannot be kept; write a finite number, or quote it
    t.yaml:2: b[1]: the number .nan cannot be kept; write a finite number, or quote it
    t.yaml:3: c: the tag !ruby/object is not supported; remove it
    t.yaml:4: d: "x" is no !!int; remove the tag or correct the value
    "#);
}

#[test]
fn a_key_given_twice_is_an_error_each_time() {
    insta::assert_snapshot!(errors("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n"), @r#"
    t.yaml:4: b: the key "c" is given twice, first on line 3; remove one of them
    t.yaml:5: the key "a" is given twice, first on line 1; remove one of them
    "#);
}

#[test]
fn keys_are_texts() {
    assert_eq!(value("{1: a, true: b, 1.5: c}"), json!({"1": "a", "true": "b", "1.5": "c"}));
    insta::assert_snapshot!(errors("? [a]\n: 1\n? ~\n: 2\n"), @r"
    t.yaml:1: expected a key, found a list; write a text as key
    t.yaml:3: expected a key, found nothing; write a text as key
    ");
}

#[test]
fn mappings_merge_others_and_keep_what_they_say_themselves() {
    let text = "
base: &base { a: 1, b: 1 }
more: &more { b: 2, c: 2 }
one: { <<: *base, b: 3 }
two: { <<: [*base, *more], d: 4 }
quoted: { '<<': 5 }
";
    let read = value(text);
    assert_eq!(read["one"], json!({"a": 1, "b": 3}));
    assert_eq!(read["two"], json!({"a": 1, "b": 1, "c": 2, "d": 4}));
    assert_eq!(read["quoted"], json!({"<<": 5}));
    insta::assert_snapshot!(errors("a:\n  <<: 1\n"), @r#"t.yaml:2: a: "<<" merges mappings only; name one mapping, or a list of mappings"#);
}

#[test]
fn more_than_one_document_is_refused() {
    insta::assert_snapshot!(errors("a: 1\n---\nb: 2\n"), @"t.yaml:2: there is more than one document; write each to a file of its own");
}

#[test]
fn an_empty_document_is_refused() {
    insta::assert_snapshot!(errors("# nothing but this\n"), @r#"t.yaml: the document is empty; write a mapping of "key: value" lines"#);
}

#[test]
fn text_that_is_not_yaml_is_refused_at_its_line() {
    insta::assert_snapshot!(errors("a: 1\nb: [1, 2\nc: 3\n"), @"t.yaml:3: this is not valid YAML: illegal placement of ':' indicator");
    insta::assert_snapshot!(errors("a: 1\n\tb: 2\n"), @"t.yaml:1: this is not valid YAML: while scanning a plain scalar, found a tab");
}

#[test]
fn a_billion_laughs_are_refused() {
    let mut text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..12 {
        let below = level - 1;
        writeln!(text, "a{level}: &a{level} [{}]", vec![format!("*a{below}"); 9].join(", ")).expect("text");
    }
    insta::assert_snapshot!(errors(&text), @"t.yaml:5: anchors and aliases copy more than 100000 values; use fewer aliases");
}

#[test]
fn an_alias_within_its_own_value_is_refused() {
    insta::assert_snapshot!(errors("a: &a [1, *a]\n"), @"t.yaml:1: a[1]: the alias stands inside the value it names; write the value out");
}

#[test]
fn deep_nesting_is_refused_however_it_is_written() {
    let flow = "[".repeat(100_000);
    let compact = "- ".repeat(100_000);
    let block: Vec<String> = (0..200).map(|depth| format!("{}a:", " ".repeat(depth))).collect();
    let block = block.join("\n");
    let mut aliases = "a0: &a0 [1]\n".to_owned();
    for level in 1..100 {
        writeln!(aliases, "a{level}: &a{level} [*a{}]", level - 1).expect("text");
    }
    for text in [flow, compact, block, aliases] {
        assert!(errors(&text).contains("nest deeper than 64"), "{}", errors(&text));
    }
    assert!(read_document(&format!("{}{}", "[".repeat(64), "]".repeat(64)), None).is_ok());
}

#[test]
fn json_is_read_with_its_lines() {
    let text = "{\n  \"a\": [1, 2.5, \"\\u00e9\"],\n  \"b\": 1,\n  \"b\": 2\n}";
    insta::assert_snapshot!(errors(text), @r#"t.yaml:4: the key "b" is given twice, first on line 3; remove one of them"#);
    assert_eq!(value("{\"a\": \"\\ud83d\\ude00\", \"b\":\"x\\/y\"}"), json!({"a": "😀", "b": "x/y"}));
    assert_eq!(value("{\n\t\"a\": {\n\t\t\"b\": null\n\t}\n}\n"), json!({"a": {"b": null}}));
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_text() {
    assert_eq!(value("\u{feff}a: 1"), json!({"a": 1}));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_text_is_read_or_refused(text in r#"[\PC\n\t\r\x00:\-\[\]{}&*!|>'"%@`,?# a1]{0,120}"#) {
        let read = read_document(&text, None);
        prop_assert!(read.is_ok() || read.is_err_and(|errors| errors.errors().count() > 0));
    }

    #[test]
    fn json_reads_as_what_it_says(value in json_values()) {
        let text = serde_json::to_string_pretty(&value).expect("text");
        prop_assert_eq!(read_document(&text, None).expect("valid"), value);
    }
}

fn json_values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e9..1e9f64).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    let tree = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z\u{e9} ]{1,6}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    prop::collection::btree_map("[a-z]{1,6}", tree, 1..4)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
}
