//! The operators of the language.

use std::collections::BTreeSet;
use std::ops::{Add, Div, Mul, Neg, Rem, Sub};
use std::rc::Rc;

use jaq_core::ops::Math;
use jaq_json::Num;

use super::{Error, Object, Val, ValR};
use crate::limits;

impl Add for Val {
    type Output = ValR;

    fn add(self, right: Self) -> ValR {
        match (self, right) {
            (Self::Null, value) | (value, Self::Null) => Ok(value),
            (Self::Num(left), Self::Num(right)) => Self::number(left + right),
            (Self::Text(mut left), Self::Text(right)) => {
                limits::admit_text(left.bytes + right.bytes).map_err(Error::str)?;
                Rc::make_mut(&mut left).append(right.as_str());
                Ok(Self::Text(left))
            }
            (Self::List(mut left), Self::List(right)) => {
                limits::admit(left.bytes + right.bytes, 0).map_err(Error::str)?;
                Rc::make_mut(&mut left).extend(right.items().iter().cloned()).map_err(Error::str)?;
                Ok(Self::List(left))
            }
            (Self::Object(mut left), Self::Object(right)) => {
                let object = Rc::make_mut(&mut left);
                for (key, value) in right.items() {
                    object.insert(Rc::clone(key), value.clone()).map_err(Error::str)?;
                }
                Ok(Self::Object(left))
            }
            (left, right) => Err(Error::math(left, Math::Add, right)),
        }
    }
}

impl Sub for Val {
    type Output = ValR;

    fn sub(self, right: Self) -> ValR {
        match (self, right) {
            (Self::Num(left), Self::Num(right)) => Self::number(left - right),
            (Self::List(left), Self::List(right)) => {
                let without: BTreeSet<&Self> = right.items().iter().collect();
                Ok(left.items().iter().filter(|value| !without.contains(value)).cloned().collect())
            }
            (left, right) => Err(Error::math(left, Math::Sub, right)),
        }
    }
}

impl Mul for Val {
    type Output = ValR;

    fn mul(self, right: Self) -> ValR {
        match (self, right) {
            (Self::Num(left), Self::Num(right)) => Self::number(left * right),
            (Self::Text(text), Self::Num(times @ (Num::Int(_) | Num::BigInt(_))))
            | (Self::Num(times @ (Num::Int(_) | Num::BigInt(_))), Self::Text(text)) => {
                repeated(text.as_str(), &times)
            }
            (Self::Object(left), Self::Object(right)) => merged(left, &right).map(Self::Object),
            (left, right) => Err(Error::math(left, Math::Mul, right)),
        }
    }
}

/// A text several times; null if that is not at least once.
fn repeated(text: &str, times: &Num) -> ValR {
    if *times <= Num::Int(0) {
        return Ok(Val::Null);
    }
    let times = times.as_isize().and_then(|times| usize::try_from(times).ok()).unwrap_or(usize::MAX);
    limits::admit_text((text.len() as u64).saturating_mul(times as u64)).map_err(Error::str)?;
    Ok(Val::text(if text.is_empty() { String::new() } else { text.repeat(times) }))
}

/// Lays one object over another, and so the objects in them.
fn merged(mut left: Rc<Object>, right: &Rc<Object>) -> Result<Rc<Object>, Error> {
    let object = Rc::make_mut(&mut left);
    for (key, over) in right.items() {
        let value = match (object.items.get(&**key), over) {
            (Some(Val::Object(under)), Val::Object(over)) => Val::Object(merged(Rc::clone(under), over)?),
            (_, over) => over.clone(),
        };
        object.insert(Rc::clone(key), value).map_err(Error::str)?;
    }
    Ok(left)
}

impl Div for Val {
    type Output = ValR;

    fn div(self, right: Self) -> ValR {
        match (self, right) {
            (Self::Num(left), Self::Num(right)) => Self::number(left / right),
            (Self::Text(text), Self::Text(separator)) => Ok(match (text.as_str(), separator.as_str()) {
                ("", _) => Self::from_iter([]),
                (text, "") => text.chars().map(Self::text).collect(),
                (text, separator) => text.split(separator).map(Self::text).collect(),
            }),
            (left, right) => Err(Error::math(left, Math::Div, right)),
        }
    }
}

impl Rem for Val {
    type Output = ValR;

    fn rem(self, right: Self) -> ValR {
        let is_whole = |number: &Num| matches!(number, Num::Int(_) | Num::BigInt(_));
        match (self, right) {
            (Self::Num(left), Self::Num(right))
                if !(is_whole(&left) && is_whole(&right) && right == Num::Int(0)) =>
            {
                Self::number(left % right)
            }
            (left, right) => Err(Error::math(left, Math::Rem, right)),
        }
    }
}

impl Neg for Val {
    type Output = ValR;

    fn neg(self) -> ValR {
        match self {
            Self::Num(number) => Self::number(-number),
            other => Err(Error::typ(other, "number")),
        }
    }
}
