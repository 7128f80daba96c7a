//! What a scalar means: the core schema of YAML 1.2 (<https://yaml.org/spec/1.2.2/#103-core-schema>).

use saphyr_parser::{ScalarStyle, Tag};
use serde_json::Number;

use super::frame::Fault;
use super::node::Data;

/// The handle of the core schema's tags, such as `!!str`.
const CORE: &str = "tag:yaml.org,2002:";

/// The value of a scalar, or why JSON has none for it.
pub(super) fn resolve(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Data, Fault> {
    let plain = style == ScalarStyle::Plain;
    let as_text = || Data::Text { text: text.to_owned(), plain };
    let Some(tag) = tag else {
        return if plain { by_shape(text) } else { Ok(as_text()) };
    };
    let wrong =
        || Fault::new(format!("{text:?} is no !!{}", tag.suffix), "remove the tag or correct the value");
    match (tag.handle.as_str(), tag.suffix.as_str()) {
        (CORE, "str") | ("", "!") => Ok(as_text()),
        (CORE, "null") => is_null(text).then_some(Data::Null).ok_or_else(wrong),
        (CORE, "bool") => boolean(text).map(Data::Bool).ok_or_else(wrong),
        (CORE, "int") => integer(text).map(|value| number(value, text)).ok_or_else(wrong),
        (CORE, "float") => float(text)?.map(|value| number(value, text)).ok_or_else(wrong),
        _ => Err(Fault::new(format!("the tag {tag} is not supported"), "remove it")),
    }
}

fn by_shape(text: &str) -> Result<Data, Fault> {
    if is_null(text) {
        return Ok(Data::Null);
    }
    if let Some(flag) = boolean(text) {
        return Ok(Data::Bool(flag));
    }
    let found = match integer(text) {
        Some(value) => Some(value),
        None => float(text)?,
    };
    let as_text = || Data::Text { text: text.to_owned(), plain: true };
    Ok(found.map_or_else(as_text, |value| number(value, text)))
}

fn number(value: Number, text: &str) -> Data {
    Data::Number { value, text: text.to_owned() }
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

fn integer(text: &str) -> Option<Number> {
    let with_radix = |digits: &str, radix| {
        let is_digits = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
        is_digits.then(|| u64::from_str_radix(digits, radix).ok()).flatten().map(Number::from)
    };
    if let Some(digits) = text.strip_prefix("0x") {
        return with_radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return with_radix(digits, 8);
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    let signed = || unsigned.parse::<i64>().ok().map(Number::from);
    unsigned.parse::<u64>().ok().map(Number::from).or_else(signed)
}

/// A number with a fraction or an exponent, or one too large for 64 bits; `None` for another shape.
fn float(text: &str) -> Result<Option<Number>, Fault> {
    let fault =
        || Fault::new(format!("the number {text} cannot be kept"), "write a finite number, or quote it");
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err(fault());
    }
    let mantissa = unsigned.split(['e', 'E']).next().unwrap_or_default();
    let has_digit = mantissa.bytes().any(|byte| byte.is_ascii_digit());
    let is_decimal = mantissa.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if !has_digit || !is_decimal {
        return Ok(None);
    }
    match text.parse::<f64>() {
        Ok(value) => Number::from_f64(value).ok_or_else(fault).map(Some),
        Err(_) => Ok(None),
    }
}
