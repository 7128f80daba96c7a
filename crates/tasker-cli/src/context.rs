//! The context of a task, from the words of a command line.
//!
//! Each `--context` is a JSON object, `@FILE` (`@-` is standard input), or `KEY=VALUE`. Later ones add to earlier ones:
//! objects merge, anything else replaces.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use serde_json::{Map, Value};
use tasker_core::read_document;

use crate::ending::{Trouble, usage};
use crate::numbers::{Altered, altered_in_document, altered_in_json};

/// The context that the words `--context` was given mean. Files are looked for in `folder`.
pub(crate) fn from_words(words: &[String], folder: &Path, input: &mut dyn Read) -> Result<Value, Trouble> {
    let mut context = Map::new();
    for word in words {
        merge(&mut context, read(word, folder, input)?);
    }
    Ok(Value::Object(context))
}

fn read(word: &str, folder: &Path, input: &mut dyn Read) -> Result<Map<String, Value>, Trouble> {
    if let Some(file) = word.strip_prefix('@') {
        return from_file(file, folder, input);
    }
    if word.trim_start().starts_with('{') {
        return from_json(word);
    }
    match word.split_once('=') {
        Some((key, value)) if !key.is_empty() => {
            exactly("--context", altered_in_json(value, key))?;
            Ok(Map::from_iter([(key.to_owned(), plain_value(value))]))
        }
        _ => usage(format!("--context {word:?} cannot be read: write a JSON object, @FILE or KEY=VALUE")),
    }
}

fn from_json(word: &str) -> Result<Map<String, Value>, Trouble> {
    exactly("--context", altered_in_json(word, ""))?;
    serde_json::from_str(word).or_else(|error| {
        usage(format!(
            "--context is not valid JSON: {error}\n  {word}\n\
             put it in single quotes, as in --context '{{\"order_id\": 7}}', or write order_id=7"
        ))
    })
}

fn from_file(file: &str, folder: &Path, input: &mut dyn Read) -> Result<Map<String, Value>, Trouble> {
    let (name, text) = if file == "-" {
        ("standard input", io::read_to_string(input))
    } else {
        (file, fs::read_to_string(folder.join(file)))
    };
    let text = text.or_else(|error| usage(format!("--context @{file} cannot be read: {error}")))?;
    let document = read_document(&text, Some(name)).or_else(|errors| usage(errors.to_string()))?;
    exactly(name, altered_in_document(&text, &document))?;
    match document {
        Value::Object(fields) => Ok(fields),
        _ => usage(format!(
            "{name} holds no context: it must be one JSON or YAML object, as in {{\"order_id\": 7}}"
        )),
    }
}

/// Refuses what cannot be kept as it was written.
pub(crate) fn exactly(place: &str, altered: Option<Altered>) -> Result<(), Trouble> {
    altered.map_or(Ok(()), |altered| usage(format!("{place}: {}", altered.message())))
}

/// JSON if it is JSON, else the text itself.
fn plain_value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

fn merge(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(into)), Value::Object(from)) => merge(into, from),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn context(words: &[&str]) -> Result<Value, String> {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("order.yaml"), "order_id: 7\nitems: [a]\n").expect("a file");
        fs::write(folder.path().join("list.json"), "[1]").expect("a file");
        fs::write(folder.path().join("large.yaml"), "id: 18446744073709551616\n").expect("a file");
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let mut input = br#"{"from": "input"}"#.as_slice();
        from_words(&words, folder.path(), &mut input).map_err(|trouble| trouble.message())
    }

    #[test]
    fn without_words_it_is_empty() {
        assert_eq!(context(&[]), Ok(json!({})));
    }

    #[test]
    fn a_value_is_json_if_it_is_json_else_text() {
        let words = [
            "n=7",
            "f=-1.5e3",
            "yes=true",
            "none=null",
            "list=[1,2]",
            "text=hello world",
            "empty=",
            "zip=01234",
        ];
        let expected = json!({
            "n": 7, "f": -1500.0, "yes": true, "none": null, "list": [1, 2], "text": "hello world", "empty": "",
            "zip": "01234",
        });
        assert_eq!(context(&words), Ok(expected));
        assert_eq!(context(&[r#"quoted="5""#, "url=a=b"]), Ok(json!({"quoted": "5", "url": "a=b"})));
    }

    #[test]
    fn a_number_that_would_become_another_is_refused_by_name() {
        let message = |word| context(&[word]).expect_err("refused");
        insta::assert_snapshot!(message("id=18446744073709551616"), @r#"--context: id is 18446744073709551616, a number that cannot be kept exactly: write it as text, "18446744073709551616", or with fewer digits"#);
        insta::assert_snapshot!(message("n=1e400"), @r#"--context: n is 1e400, a number that cannot be kept exactly: write it as text, "1e400", or with fewer digits"#);
        insta::assert_snapshot!(message(r#"{"order": {"sum": 0.1234567890123456789}}"#), @r#"--context: order.sum is 0.1234567890123456789, a number that cannot be kept exactly: write it as text, "0.1234567890123456789", or with fewer digits"#);
        insta::assert_snapshot!(message("@large.yaml"), @r#"large.yaml: id is 18446744073709551616, a number that cannot be kept exactly: write it as text, "18446744073709551616", or with fewer digits"#);
        assert_eq!(context(&["id=18446744073709551615"]), Ok(json!({"id": u64::MAX})));
        assert_eq!(context(&[r#"id="18446744073709551616""#]), Ok(json!({"id": "18446744073709551616"})));
    }

    #[test]
    fn several_merge_and_the_later_win() {
        let words = [
            "@order.yaml",
            r#"{"customer": {"id": 1, "vip": false}}"#,
            r#"{"customer": {"vip": true}}"#,
            "order_id=8",
        ];
        let expected = json!({"order_id": 8, "items": ["a"], "customer": {"id": 1, "vip": true}});
        assert_eq!(context(&words), Ok(expected));
    }

    #[test]
    fn standard_input_is_a_file_too() {
        assert_eq!(context(&["@-"]), Ok(json!({"from": "input"})));
    }

    #[test]
    fn what_cannot_be_read_says_what_to_write() {
        let message = |word| context(&[word]).expect_err("no context");
        insta::assert_snapshot!(message("order"), @r#"--context "order" cannot be read: write a JSON object, @FILE or KEY=VALUE"#);
        insta::assert_snapshot!(message("@nothing.json"), @"--context @nothing.json cannot be read: No such file or directory (os error 2)");
        insta::assert_snapshot!(message("@list.json"), @r#"list.json holds no context: it must be one JSON or YAML object, as in {"order_id": 7}"#);
        insta::assert_snapshot!(message("{order_id: 7}"), @r#"
        --context is not valid JSON: key must be a string at line 1 column 2
          {order_id: 7}
        put it in single quotes, as in --context '{"order_id": 7}', or write order_id=7
        "#);
    }
}
