//! The functions of the language that look into values.

use jaq_core::DataT;
use jaq_core::native::{Filter, Fun, bome, run, unary, v};
use jaq_core::{Exn, RunPtr};
use jaq_json::Num;

use crate::error::Limit;
use crate::limits;
use crate::value::{Error, Val, ValR, indices, parse_many};

/// Those that depend on what values are.
pub(crate) fn functions<D: for<'a> DataT<V<'a> = Val>>() -> impl Iterator<Item = Fun<D>> {
    base().into_vec().into_iter().map(run)
}

fn base<D: for<'a> DataT<V<'a> = Val>>() -> Box<[Filter<RunPtr<D>>]> {
    Box::new([
        ("fromjson", v(0), |cv| match cv.1 {
            Val::Text(text) => {
                let values: Vec<ValR> = parse_many(text.as_str()).collect();
                Box::new(values.into_iter().map(|value| value.map_err(Exn::from)))
            }
            other => bome(Err(Error::typ(other, "string"))),
        }),
        ("tojson", v(0), |cv| bome(Ok(cv.1.written()))),
        ("length", v(0), |cv| bome(length(cv.1))),
        ("contains", v(1), |cv| {
            unary(cv, |all, part| contains(&all, &part).map(Val::from).map_err(Error::str))
        }),
        ("has", v(1), |cv| unary(cv, |all, key| has(&all, &key))),
        ("indices", v(1), |cv| unary(cv, found)),
        ("bsearch", v(1), |cv| {
            unary(cv, |all, wanted| match &all {
                Val::List(list) => Ok(Val::from(position(list.items().binary_search(&wanted)))),
                _ => Err(Error::typ(all, "array")),
            })
        }),
    ])
}

fn length(value: Val) -> ValR {
    Ok(match value {
        Val::Null => Val::from(0_usize),
        Val::Bool(_) => return Err(Error::str(format_args!("{value} has no length"))),
        Val::Num(number) if number < Num::Int(0) => return Val::number(-number),
        Val::Num(_) => value,
        Val::Text(text) => Val::from(text.as_str().chars().count()),
        Val::List(list) => Val::from(list.items().len()),
        Val::Object(object) => Val::from(object.items().len()),
    })
}

/// Whether every part is somewhere in the whole.
fn contains(all: &Val, part: &Val) -> Result<bool, Limit> {
    limits::step()?;
    match (all, part) {
        (Val::Text(all), Val::Text(part)) => Ok(all.as_str().contains(part.as_str())),
        (Val::List(all), Val::List(parts)) => {
            for part in parts.items() {
                let mut is_inside = false;
                for value in all.items() {
                    is_inside = is_inside || contains(value, part)?;
                }
                if !is_inside {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Val::Object(all), Val::Object(parts)) => {
            for (key, part) in parts.items() {
                match all.items().get(&**key) {
                    Some(value) if contains(value, part)? => {}
                    _ => return Ok(false),
                }
            }
            Ok(true)
        }
        (all, part) => Ok(all == part),
    }
}

fn has(all: &Val, key: &Val) -> ValR {
    match (all, key) {
        (Val::Object(object), Val::Text(key)) => Ok(Val::from(object.items().contains_key(&**key))),
        (Val::List(list), Val::Num(Num::Int(_) | Num::BigInt(_))) => {
            let at = match key {
                Val::Num(number) => number.as_isize().unwrap_or(isize::MAX),
                _ => isize::MAX,
            };
            let length = list.items().len();
            let is_there = if at < 0 { at.unsigned_abs() <= length } else { at.unsigned_abs() < length };
            Ok(Val::from(is_there))
        }
        _ => Err(Error::index(all.clone(), key.clone())),
    }
}

/// Where a part is found in a text or in a list.
fn found(all: Val, part: Val) -> ValR {
    match (&all, &part) {
        (Val::Null, _) => Ok(Val::Null),
        (Val::Text(text), Val::Text(part)) if !part.as_str().is_empty() => {
            let (text, part) = (text.as_str(), part.as_str());
            let mut places = Vec::new();
            for (index, (byte, _)) in text.char_indices().enumerate() {
                limits::step().map_err(Error::str)?;
                if text.as_bytes()[byte..].starts_with(part.as_bytes()) {
                    limits::work(part.len() as u64).map_err(Error::str)?;
                    places.push(Val::from(index));
                }
            }
            Ok(places.into_iter().collect())
        }
        (Val::Text(_), Val::Text(_)) => Ok(Val::from_iter([])),
        (Val::List(list), Val::List(part)) => indices(list.items(), part.items()),
        (Val::List(list), part) => {
            let places = list.items().iter().enumerate().filter(|(_, value)| *value == part);
            Ok(places.map(|(index, _)| Val::from(index)).collect())
        }
        _ => Err(Error::index(all, part)),
    }
}

fn position(found: Result<usize, usize>) -> isize {
    let signed = |place: usize| isize::try_from(place).unwrap_or(isize::MAX);
    found.map_or_else(|place| -1 - signed(place), signed)
}
