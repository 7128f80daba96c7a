//! What the interpreter asks of values: their parts, and other values in the place of parts.

use std::ops::Range;
use std::rc::Rc;

use jaq_core::box_iter::{BoxIter, box_once};
use jaq_core::path::Opt;
use jaq_core::val;
use jaq_core::{Exn, ValX};
use jaq_json::Num;

use super::{Error, List, Object, Text, Val, ValR};
use crate::limits;

const ITERABLE: &str = "iterable (array or object)";

impl jaq_core::ValT for Val {
    fn from_num(text: &str) -> ValR {
        Self::number(Num::from_str_radix(text, 10).unwrap_or_else(|| Num::from_dec_str(text)))
    }

    fn from_map<I: IntoIterator<Item = (Self, Self)>>(fields: I) -> ValR {
        let mut object = Object::default();
        for (key, value) in fields {
            let Self::Text(key) = key else { return Err(Error::typ(key, "key of an object")) };
            object.insert(key, value).map_err(Error::str)?;
        }
        Ok(object.into())
    }

    fn key_values(self) -> BoxIter<'static, Result<(Self, Self), Error>> {
        match self {
            Self::List(list) => {
                let List { items, held, .. } = Rc::unwrap_or_clone(list);
                Box::new(items.into_iter().enumerate().map(move |(index, value)| {
                    let _ = &held;
                    Ok((Self::from(index), value))
                }))
            }
            Self::Object(object) => {
                let Object { items, held, .. } = Rc::unwrap_or_clone(object);
                Box::new(items.into_iter().map(move |(key, value)| {
                    let _ = &held;
                    Ok((Self::Text(key), value))
                }))
            }
            other => box_once(Err(Error::typ(other, ITERABLE))),
        }
    }

    fn values(self) -> Box<dyn Iterator<Item = ValR>> {
        match self {
            Self::List(_) | Self::Object(_) => {
                Box::new(self.key_values().map(|field| field.map(|(_, value)| value)))
            }
            other => box_once(Err(Error::typ(other, ITERABLE))),
        }
    }

    fn index(self, index: &Self) -> ValR {
        match (&self, index) {
            (Self::Null, _) => Ok(Self::Null),
            (Self::List(list), Self::Num(Num::Int(_) | Num::BigInt(_))) => {
                let place = place(index)?.in_list(list.items().len());
                Ok(place.and_then(|place| list.items().get(place)).cloned().unwrap_or(Self::Null))
            }
            (Self::List(list), Self::List(part)) => indices(list.items(), part.items()),
            (Self::Object(object), Self::Text(key)) => {
                Ok(object.items().get(&**key).cloned().unwrap_or(Self::Null))
            }
            (Self::Text(_) | Self::List(_), Self::Object(bounds)) => {
                let (start, end) = (bound(bounds, "start"), bound(bounds, "end"));
                self.range(start.as_ref()..end.as_ref())
            }
            _ => Err(Error::index(self, index.clone())),
        }
    }

    fn range(self, range: val::Range<&Self>) -> ValR {
        match &self {
            Self::Text(text) => {
                let bytes = text_range(text.as_str(), range)?;
                Ok(Self::text(&text.as_str()[bytes]))
            }
            Self::List(list) => {
                let range = list_range(list.items().len(), range)?;
                Ok(list.items()[range].iter().cloned().collect())
            }
            _ => Err(Error::typ(self, "rangeable (array or string)")),
        }
    }

    fn map_values<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        match self {
            Self::List(list) => Rc::unwrap_or_clone(list).items.into_iter().flat_map(f).collect(),
            Self::Object(object) => {
                let mut mapped = Object::default();
                for (key, value) in Rc::unwrap_or_clone(object).items {
                    if let Some(value) = f(value).next() {
                        mapped.insert(key, value?).map_err(|limit| Exn::from(Error::str(limit)))?;
                    }
                }
                Ok(mapped.into())
            }
            other => opt.fail(other, |other| Exn::from(Error::typ(other, ITERABLE))),
        }
    }

    fn map_index<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        index: &Self,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        match (self, index) {
            (value @ (Self::Text(_) | Self::List(_)), Self::Object(bounds)) => {
                let (start, end) = (bound(bounds, "start"), bound(bounds, "end"));
                value.map_range(start.as_ref()..end.as_ref(), opt, f)
            }
            (Self::Object(mut object), Self::Text(key)) => {
                let fields = Rc::make_mut(&mut object);
                // Taken out, it is nobody else's, and can be changed in place.
                let before = fields.items.get_mut(&**key).map(std::mem::take);
                if let Some(before) = &before {
                    fields.leaves(before);
                    fields.enters(&Self::Null);
                }
                match f(before.unwrap_or_default()).next().transpose()? {
                    Some(value) => {
                        fields.insert(Rc::clone(key), value).map_err(|limit| Exn::from(Error::str(limit)))?;
                    }
                    None => drop(fields.remove(key)),
                }
                Ok(Self::Object(object))
            }
            (Self::List(mut list), _) => {
                let outside = || Error::str(format_args!("index {index} out of bounds"));
                let inside =
                    place(index).and_then(|place| place.in_list(list.items().len()).ok_or_else(outside));
                let place = match inside {
                    Ok(place) => place,
                    Err(error) => return opt.fail(Self::List(list), |_| Exn::from(error)),
                };
                let values = Rc::make_mut(&mut list);
                let before = std::mem::take(&mut values.items[place]);
                values.leaves(&before);
                match f(before).next().transpose()? {
                    Some(value) => {
                        values.enters(&value);
                        values.items[place] = value;
                        limits::admit(values.bytes, values.depth + 1)
                            .map_err(|limit| Exn::from(Error::str(limit)))?;
                    }
                    None => drop(values.items.remove(place)),
                }
                Ok(Self::List(list))
            }
            (other, _) => opt.fail(other, |other| Exn::from(Error::typ(other, ITERABLE))),
        }
    }

    fn map_range<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        range: val::Range<&Self>,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        let parts = match &self {
            Self::Text(text) => text_range(text.as_str(), range).map(|bytes| {
                let text = text.as_str();
                [&text[..bytes.start], &text[bytes.clone()], &text[bytes.end..]].map(Self::text)
            }),
            Self::List(list) => list_range(list.items().len(), range).map(|range| {
                let items = list.items();
                [&items[..range.start], &items[range.clone()], &items[range.end..]]
                    .map(|part| part.iter().cloned().collect())
            }),
            _ => return opt.fail(self, |other| Exn::from(Error::typ(other, "array"))),
        };
        match parts {
            Ok([before, part, after]) => {
                let part = f(part).next().transpose()?.unwrap_or_default();
                Ok(((before + part)? + after)?)
            }
            Err(error) => opt.fail(self, |_| Exn::from(error)),
        }
    }

    fn as_bool(&self) -> bool {
        !matches!(self, Self::Null | Self::Bool(false))
    }

    fn into_string(self) -> Self {
        match self {
            Self::Text(_) => self,
            other => other.written(),
        }
    }
}

impl jaq_std::ValT for Val {
    fn into_seq<S: FromIterator<Self>>(self) -> Result<S, Self> {
        match self {
            Self::List(list) => Ok(Rc::unwrap_or_clone(list).items.into_iter().collect()),
            other => Err(other),
        }
    }

    fn is_int(&self) -> bool {
        matches!(self, Self::Num(Num::Int(_) | Num::BigInt(_)))
    }

    fn as_isize(&self) -> Option<isize> {
        match self {
            Self::Num(number) => number.as_isize(),
            _ => None,
        }
    }

    fn as_f64(&self) -> Option<f64> {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "the language rounds where it wants a float")]
            Self::Num(Num::Int(whole)) => Some(*whole as f64),
            Self::Num(Num::Float(float)) => Some(*float),
            Self::Num(other) => Some(other.to_string().parse().unwrap_or(f64::NAN)),
            _ => None,
        }
    }

    fn is_utf8_str(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text.as_str().as_bytes()),
            _ => None,
        }
    }

    fn as_sub_str(&self, part: &[u8]) -> Self {
        Self::text(String::from_utf8_lossy(part))
    }

    fn from_utf8_bytes(bytes: impl AsRef<[u8]> + Send + 'static) -> Self {
        Self::text(String::from_utf8_lossy(bytes.as_ref()))
    }
}

/// Where a part is found in a list.
pub(crate) fn indices(list: &[Val], part: &[Val]) -> ValR {
    if part.is_empty() {
        return Ok(Val::from_iter([]));
    }
    let mut found = List::default();
    for (index, window) in list.windows(part.len()).enumerate() {
        limits::step().map_err(Error::str)?;
        if window == part {
            found.push(Val::from(index)).map_err(Error::str)?;
        }
    }
    Ok(found.into())
}

/// A place counted from the beginning, or from the end.
#[derive(Clone, Copy)]
enum Place {
    FromStart(usize),
    FromEnd(usize),
}

impl Place {
    /// The place in a list of this length, or its end.
    fn clipped(self, length: usize) -> usize {
        match self {
            Self::FromStart(place) => place.min(length),
            Self::FromEnd(place) => length.saturating_sub(place),
        }
    }

    fn in_list(self, length: usize) -> Option<usize> {
        match self {
            Self::FromStart(place) => (place < length).then_some(place),
            Self::FromEnd(place) => length.checked_sub(place),
        }
    }
}

fn place(index: &Val) -> Result<Place, Error> {
    let number = match index {
        Val::Num(number @ (Num::Int(_) | Num::BigInt(_))) => number,
        other => return Err(Error::typ(other.clone(), "integer")),
    };
    let is_negative = *number < Num::Int(0);
    let distance = number.as_isize().map_or(usize::MAX, isize::unsigned_abs);
    Ok(if is_negative { Place::FromEnd(distance) } else { Place::FromStart(distance) })
}

fn bound(bounds: &Object, name: &str) -> Option<Val> {
    bounds.items().get(&Text::new(name.to_owned())).cloned()
}

fn list_range(length: usize, range: val::Range<&Val>) -> Result<Range<usize>, Error> {
    let at = |bound: Option<&Val>, otherwise: usize| match bound {
        None | Some(Val::Null) => Ok(otherwise),
        Some(bound) => Ok(place(bound)?.clipped(length)),
    };
    let (start, end) = (at(range.start, 0)?, at(range.end, length)?);
    Ok(start..end.max(start))
}

/// A range of characters as one of bytes.
fn text_range(text: &str, range: val::Range<&Val>) -> Result<Range<usize>, Error> {
    limits::work(text.len() as u64).map_err(Error::str)?;
    let length = if text.is_ascii() { text.len() } else { text.chars().count() };
    let chars = list_range(length, range)?;
    let byte = |at: usize| text.char_indices().nth(at).map_or(text.len(), |(byte, _)| byte);
    Ok(if text.is_ascii() { chars } else { byte(chars.start)..byte(chars.end) })
}
