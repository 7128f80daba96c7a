//! Numbers as they are written, and whether they can be kept as that.
//!
//! JSON bounds no number; here one is an integer of 64 bits or a float. What does not fit is refused: the nearest number
//! that does would be another order, or another sum.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

/// No document nests deeper: serde_json refuses it.
const DEEPEST: usize = 128;

/// A number that cannot be kept as it was written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Altered {
    /// Where it stands: `order.items[2].id`.
    pub(crate) key: String,
    /// As it was written.
    pub(crate) literal: String,
}

impl Altered {
    /// What is wrong with it, and what to write instead.
    pub(crate) fn message(&self) -> String {
        let Self { key, literal } = self;
        format!(
            "{key} is {literal}, a number that cannot be kept exactly: write it as text, \"{literal}\", or with \
             fewer digits"
        )
    }
}

/// The first number of a JSON text, which is known by `key`, that cannot be kept. None if the text is no JSON.
pub(crate) fn altered_in_json(text: &str, key: &str) -> Option<Altered> {
    altered(serde_json::from_str(text).ok()?, key, DEEPEST)
}

/// The same for a document of any syntax, which was read as `value`.
pub(crate) fn altered_in_document(text: &str, value: &Value) -> Option<Altered> {
    if serde_json::from_str::<&RawValue>(text).is_ok() {
        return altered_in_json(text, "");
    }
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "+-._".contains(c)));
    let literals: Vec<&str> = words.filter(|word| is_number(word) && !is_kept(word)).collect();
    altered_from(&literals, value, "")
}

fn altered(raw: &RawValue, key: &str, depth: usize) -> Option<Altered> {
    let text = raw.get();
    let depth = depth.checked_sub(1)?;
    match text.as_bytes().first()? {
        b'{' => {
            let fields: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
            fields.into_iter().find_map(|(name, raw)| altered(raw, &of_field(key, &name), depth))
        }
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            items.into_iter().enumerate().find_map(|(at, raw)| altered(raw, &format!("{key}[{at}]"), depth))
        }
        b'-' | b'0'..=b'9' if !is_kept(text) => {
            Some(Altered { key: key.to_owned(), literal: text.to_owned() })
        }
        _ => None,
    }
}

/// The first number of a value that was read from one of these literals.
fn altered_from(literals: &[&str], value: &Value, key: &str) -> Option<Altered> {
    match value {
        Value::Object(fields) => {
            fields.iter().find_map(|(name, value)| altered_from(literals, value, &of_field(key, name)))
        }
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(at, value)| altered_from(literals, value, &format!("{key}[{at}]")))
        }
        Value::Number(number) => {
            let is_source = |literal: &&&str| literal.parse::<f64>().ok() == number.as_f64();
            let literal = literals.iter().find(is_source)?;
            Some(Altered { key: key.to_owned(), literal: (*literal).to_owned() })
        }
        Value::Null | Value::Bool(_) | Value::String(_) => None,
    }
}

fn of_field(key: &str, name: &str) -> String {
    if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") }
}

fn is_number(word: &str) -> bool {
    let digits = word.trim_start_matches(['+', '-', '.']);
    digits.starts_with(|c: char| c.is_ascii_digit()) && word.parse::<f64>().is_ok()
}

/// Whether a number that is read and written again is the same number.
fn is_kept(literal: &str) -> bool {
    if literal.parse::<i64>().is_ok() || literal.parse::<u64>().is_ok() {
        return true;
    }
    let value = literal.parse::<f64>().ok().filter(|value| value.is_finite());
    // `{:e}` writes the fewest digits that name the float.
    value.is_some_and(|value| digits(literal).is_some_and(|this| digits(&format!("{value:e}")) == Some(this)))
}

/// What a number is, however it is written: its digits without zeros around them, and the power of ten of the last one.
fn digits(literal: &str) -> Option<(String, i64)> {
    let unsigned = literal.trim_start_matches(['+', '-']);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let exponent: i64 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let last = all.trim_end_matches('0');
    let significant = last.trim_start_matches('0');
    if significant.is_empty() {
        return Some((String::new(), 0));
    }
    let length = |text: &str| i64::try_from(text.len()).ok();
    let power = exponent.checked_sub(length(fraction)?)?.checked_add(length(&all[last.len()..])?)?;
    Some((significant.to_owned(), power))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_fits_is_kept() {
        for literal in [
            "0",
            "-0",
            "0.0",
            "7",
            "-1.5e3",
            "1.50",
            "1E2",
            "0.1",
            "1e22",
            "1e308",
            "5e-324",
            "123456789.25",
            "9007199254740993",
            "18446744073709551615",
            "-9223372036854775808",
            "100000000000000000000",
        ] {
            assert!(is_kept(literal), "{literal}");
        }
    }

    #[test]
    fn what_would_become_another_number_is_not() {
        for literal in [
            "18446744073709551616",
            "-9223372036854775809",
            "1e400",
            "-1e400",
            "1e-400",
            "0.1234567890123456789",
            "3.14159265358979323846",
            "1e99999999999999999999",
        ] {
            assert!(!is_kept(literal), "{literal}");
        }
    }

    #[test]
    fn a_number_is_named_by_where_it_stands() {
        let text = r#"{"a": {"b c": [1, "1e400", {"id": 18446744073709551616}]}}"#;
        let altered = altered_in_json(text, "").expect("one");
        assert_eq!((altered.key.as_str(), altered.literal.as_str()), ("a.b c[2].id", "18446744073709551616"));
        assert_eq!(altered_in_json(r#"{"text": "18446744073709551616", "n": 1}"#, ""), None);
        assert_eq!(altered_in_json("hello", "n"), None);
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        assert_eq!(altered_in_json(&deep, "n"), None);
    }

    #[test]
    fn a_document_in_yaml_is_looked_through_as_well() {
        let value = json!({"ids": [1, 18_446_744_073_709_551_616.0], "text": "0.12345678901234567890"});
        let altered =
            altered_in_document("ids: [1, 18446744073709551616]\ntext: '0.12345678901234567890'", &value);
        assert_eq!(altered.expect("one").key, "ids[1]");
        assert_eq!(altered_in_document("n: 1.5\n", &json!({"n": 1.5})), None);
    }
}
