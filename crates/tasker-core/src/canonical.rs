//! One text for one JSON value, so that equal values have equal digests.
//!
//! Keys are sorted by code point at every depth, there is no white space, and a number that is whole is
//! written as an integer: `1`, `1.0` and `1e0` are the same. Close to RFC 8785, but for its sort order by
//! UTF-16 and its notation of large numbers.

use std::fmt::Write;

use serde_json::{Number, Value};
use sha2::{Digest, Sha256};

/// The canonical text of `value`.
pub fn canonical_json(value: &Value) -> String {
    let mut text = String::new();
    write_value(&mut text, value);
    text
}

/// The SHA-256 of the canonical text of `value`.
pub fn canonical_digest(value: &Value) -> [u8; 32] {
    Sha256::digest(canonical_json(value)).into()
}

/// `bytes` in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => write_number(out, number),
        Value::String(text) => write_text(out, text),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(out, item);
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(key, _)| *key);
            out.push('{');
            for (index, (key, member)) in members.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_text(out, key);
                out.push(':');
                write_value(out, member);
            }
            out.push('}');
        }
    }
}

fn write_text(out: &mut String, text: &str) {
    let quoted = serde_json::to_string(text).expect("invariant: every text has a JSON form");
    out.push_str(&quoted);
}

fn write_number(out: &mut String, number: &Number) {
    let whole = if number.is_f64() { number.as_f64().and_then(whole_number) } else { None };
    let _ = match whole {
        Some(whole) => write!(out, "{whole}"),
        None => write!(out, "{number}"),
    };
}

/// `number` as an integer, if it is one in the range of 64-bit integers.
fn whole_number(number: f64) -> Option<i128> {
    const LIMIT: f64 = 18_446_744_073_709_551_616.0;
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and within 2^64")]
    let whole = (number.fract() == 0.0 && number.abs() < LIMIT).then_some(number as i128);
    whole
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_sorted_at_every_depth() {
        let value: Value =
            serde_json::from_str(r#"{"b": [{"z": 1, "a": null}], "a": {"d": true, "c": "é\n"}}"#)
                .expect("valid JSON");
        assert_eq!(canonical_json(&value), r#"{"a":{"c":"é\n","d":true},"b":[{"a":null,"z":1}]}"#);
    }

    #[test]
    fn a_number_is_written_the_same_however_it_was_given() {
        for text in ["1", "1.0", "1e0", "10e-1"] {
            let value: Value = serde_json::from_str(text).expect("valid JSON");
            assert_eq!(canonical_json(&value), "1");
        }
        assert_eq!(
            canonical_json(&json!([-0.0, 0.1, 1.5e300, u64::MAX, i64::MIN])),
            "[0,0.1,1.5e+300,18446744073709551615,-9223372036854775808]"
        );
    }

    #[test]
    fn the_digest_is_the_sha_256_of_the_text() {
        let digest = hex(&canonical_digest(&json!({})));
        assert_eq!(digest, "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    }

    proptest! {
        #[test]
        fn the_canonical_text_reads_back_to_itself(text in "\\PC{0,20}", number in any::<f64>()) {
            let value = json!({ text.clone(): [number, text] });
            let once = canonical_json(&value);
            let again: Value = serde_json::from_str(&once).expect("canonical text is JSON");
            prop_assert_eq!(canonical_json(&again), once);
        }
    }
}
