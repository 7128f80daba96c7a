//! Between JSON and the values of the filter language.

use std::fmt::{self, Write};
use std::rc::Rc;

use jaq_json::Num;
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::{Error, List, Object, Text, Val, ValR};
use crate::error::{Limit, RunError};
use crate::limits::{self, TEXT_BYTES};

/// Outputs may be nested so deep, as JSON that is read back may be.
const DEPTH: u32 = 120;
/// Outputs may have so many values in all.
const VALUES: u32 = 1_000_000;
/// So much of a value stands in a message.
const SHOWN_BYTES: usize = 200;

/// JSON as a value of the language.
pub(crate) fn from_json(value: &Value) -> Result<Val, RunError> {
    Val::deserialize(value).map_err(|error| RunError::Failed(error.to_string()))
}

/// The values that a text holds, one after the other.
pub(crate) fn parse_many(text: &str) -> impl Iterator<Item = ValR> + '_ {
    let parsed = serde_json::Deserializer::from_str(text).into_iter::<Val>();
    parsed.map(|value| {
        limits::step().map_err(Error::str)?;
        value.map_err(|error| Error::str(format_args!("cannot parse as JSON: {error}")))
    })
}

/// A value of the language as JSON.
pub(crate) fn to_json(value: &Val) -> Result<Value, RunError> {
    let mut left = VALUES;
    convert(value, DEPTH, &mut left)
}

fn convert(value: &Val, depth: u32, left: &mut u32) -> Result<Value, RunError> {
    let depth = depth.checked_sub(1).ok_or(RunError::TooDeep)?;
    *left = left.checked_sub(1).ok_or(RunError::TooLarge)?;
    Ok(match value {
        Val::Null => Value::Null,
        Val::Bool(flag) => Value::Bool(*flag),
        Val::Num(number) => to_number(number),
        Val::Text(text) => Value::String(text.as_str().to_owned()),
        Val::List(list) => {
            list.items().iter().map(|value| convert(value, depth, left)).collect::<Result<_, _>>()?
        }
        Val::Object(object) => {
            let fields = object.items().iter();
            let fields =
                fields.map(|(key, value)| Ok((key.as_str().to_owned(), convert(value, depth, left)?)));
            Value::Object(fields.collect::<Result<Map<_, _>, _>>()?)
        }
    })
}

/// As jq does it, what is not a number becomes null, and infinity the greatest number.
fn to_number(number: &Num) -> Value {
    let float = |float: f64| {
        let float = if float.is_nan() { f64::NAN } else { float.clamp(f64::MIN, f64::MAX) };
        Number::from_f64(float).map_or(Value::Null, Value::Number)
    };
    match number {
        Num::Int(whole) => Value::from(*whole),
        Num::Float(value) => float(*value),
        Num::BigInt(_) | Num::Dec(_) => {
            let text = number.to_string();
            text.parse::<Number>().map_or_else(|_| float(text.parse().unwrap_or(f64::NAN)), Value::Number)
        }
    }
}

impl Val {
    /// The value as JSON in a text.
    pub(crate) fn written(&self) -> Self {
        let mut written =
            Cut { text: String::new(), left: usize::try_from(TEXT_BYTES).unwrap_or(usize::MAX) };
        if self.write(&mut written).is_err() {
            limits::pass(Limit::Text);
        }
        Self::text(written.text)
    }

    fn write(&self, out: &mut Cut) -> fmt::Result {
        match self {
            Self::Null => out.write_str("null"),
            Self::Bool(flag) => write!(out, "{flag}"),
            Self::Num(Num::Float(float)) if !float.is_finite() => {
                write!(out, "{}", to_number(&Num::Float(*float)))
            }
            Self::Num(number) => write!(out, "{number}"),
            Self::Text(text) => write_text(text.as_str(), out),
            Self::List(list) => {
                out.write_str("[")?;
                for (index, value) in list.items().iter().enumerate() {
                    out.write_str(if index > 0 { "," } else { "" })?;
                    value.write(out)?;
                }
                out.write_str("]")
            }
            Self::Object(object) => {
                out.write_str("{")?;
                for (index, (key, value)) in object.items().iter().enumerate() {
                    out.write_str(if index > 0 { "," } else { "" })?;
                    write_text(key.as_str(), out)?;
                    out.write_str(":")?;
                    value.write(out)?;
                }
                out.write_str("}")
            }
        }
    }
}

fn write_text(text: &str, out: &mut Cut) -> fmt::Result {
    let room = &text[..text.floor_char_boundary(out.left)];
    out.write_str(&serde_json::to_string(room).map_err(|_| fmt::Error)?)
}

/// For messages: a long value is cut.
impl fmt::Display for Val {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut written = Cut { text: String::new(), left: SHOWN_BYTES };
        let is_whole = self.write(&mut written).is_ok();
        f.write_str(&written.text)?;
        if is_whole { Ok(()) } else { f.write_str("…") }
    }
}

/// A text that takes no more than there is room.
struct Cut {
    text: String,
    left: usize,
}

impl Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = &text[..text.floor_char_boundary(self.left)];
        self.text.push_str(room);
        self.left -= room.len();
        if room.len() == text.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

impl<'de> Deserialize<'de> for Val {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

/// Makes values of JSON as it is read, so that a limit ends the reading.
struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Val;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Val, E> {
        Ok(Val::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Val, E> {
        Ok(Val::Bool(flag))
    }

    fn visit_i64<E>(self, whole: i64) -> Result<Val, E> {
        Ok(Val::Num(Num::from_integral(whole)))
    }

    fn visit_u64<E>(self, whole: u64) -> Result<Val, E> {
        Ok(Val::Num(Num::from_integral(whole)))
    }

    fn visit_f64<E>(self, float: f64) -> Result<Val, E> {
        Ok(Val::Num(Num::Float(float)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Val, E> {
        limits::admit_text(text.len() as u64).map_err(E::custom)?;
        Ok(Val::text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Val, A::Error> {
        let mut list = List::default();
        while let Some(value) = values.next_element()? {
            list.push(value).map_err(de::Error::custom)?;
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Val, A::Error> {
        let mut object = Object::default();
        while let Some((key, value)) = fields.next_entry::<String, Val>()? {
            object.insert(Rc::new(Text::new(key)), value).map_err(de::Error::custom)?;
        }
        Ok(object.into())
    }
}
