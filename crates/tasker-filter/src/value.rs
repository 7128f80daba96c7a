//! The values of the filter language.
//!
//! They know how large and how deep they are with everything in them, whether they share it or not, so that no
//! operation needs more time or memory than [`limits`](crate::limits) allow: what would be larger is not made.

mod access;
mod arithmetic;
mod json;
mod order;

use std::rc::Rc;

use jaq_json::{Map, Num};

use crate::error::Limit;
use crate::limits::{self, Held};

pub(crate) use access::indices;
pub(crate) use json::{from_json, parse_many, to_json};

/// An error of the language.
pub(crate) type Error = jaq_core::Error<Val>;
/// A value, or an error of the language.
pub(crate) type ValR = Result<Val, Error>;

/// What a value takes that is in another.
const NODE_BYTES: u64 = 24;

/// A value of the filter language.
#[derive(Clone, Default)]
pub(crate) enum Val {
    #[default]
    Null,
    Bool(bool),
    Num(Num),
    Text(Rc<Text>),
    List(Rc<List>),
    Object(Rc<Object>),
}

/// What a value consists of, and how much it is.
#[derive(Clone, Default)]
pub(crate) struct Kept<T> {
    items: T,
    /// How large it is, written out with everything in it.
    bytes: u64,
    /// How deep it may be nested.
    depth: u32,
    held: Held,
}

pub(crate) type Text = Kept<String>;
pub(crate) type List = Kept<Vec<Val>>;
pub(crate) type Object = Kept<Map<Rc<Text>, Val>>;

impl Val {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(Rc::new(Text::new(text.into())))
    }

    /// What keeps the memory of a call.
    pub(crate) fn call() -> Self {
        Self::Text(Rc::new(Text { held: limits::call(), ..Text::default() }))
    }

    /// A number, unless it has too many digits.
    pub(crate) fn number(number: Num) -> ValR {
        if let Num::BigInt(whole) = &number {
            limits::admit_bits(whole.bits()).map_err(Error::str)?;
        }
        Ok(Self::Num(number))
    }

    /// What it takes by itself in another value.
    fn own_bytes(&self) -> u64 {
        match self {
            Self::Num(Num::BigInt(whole)) => NODE_BYTES + whole.bits() / 8,
            _ => NODE_BYTES,
        }
    }

    /// How large it is, written out with everything in it.
    fn bytes(&self) -> u64 {
        let inside = match self {
            Self::Null | Self::Bool(_) | Self::Num(_) => 0,
            Self::Text(text) => text.bytes,
            Self::List(list) => list.bytes,
            Self::Object(object) => object.bytes,
        };
        self.own_bytes() + inside
    }

    fn depth(&self) -> u32 {
        match self {
            Self::Null | Self::Bool(_) | Self::Num(_) | Self::Text(_) => 0,
            Self::List(list) => list.depth + 1,
            Self::Object(object) => object.depth + 1,
        }
    }
}

impl Text {
    fn new(text: String) -> Self {
        let bytes = text.len() as u64;
        // What is too long is dropped by whoever made it; here it only counts.
        let _ = limits::admit_text(bytes);
        Self { items: text, bytes, depth: 0, held: Held::of(bytes) }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.items
    }

    fn append(&mut self, text: &str) {
        self.items.push_str(text);
        self.bytes += text.len() as u64;
        self.held.grow(text.len() as u64);
    }
}

impl List {
    pub(crate) fn items(&self) -> &[Val] {
        &self.items
    }

    /// Adds a value, and says whether there may be more.
    pub(crate) fn push(&mut self, value: Val) -> Result<(), Limit> {
        self.enters(&value);
        self.items.push(value);
        limits::admit(self.bytes, self.depth + 1)
    }

    fn extend(&mut self, values: impl IntoIterator<Item = Val>) -> Result<(), Limit> {
        values.into_iter().try_for_each(|value| self.push(value))
    }
}

impl<T> Kept<T> {
    fn enters(&mut self, value: &Val) {
        self.bytes += value.bytes();
        self.depth = self.depth.max(value.depth());
        self.held.grow(value.own_bytes());
    }

    fn leaves(&mut self, value: &Val) {
        self.bytes = self.bytes.saturating_sub(value.bytes());
        self.held.shrink(value.own_bytes());
    }
}

impl Object {
    pub(crate) fn items(&self) -> &Map<Rc<Text>, Val> {
        &self.items
    }

    /// Sets a field, and says whether there may be more.
    fn insert(&mut self, key: Rc<Text>, value: Val) -> Result<(), Limit> {
        self.enters(&value);
        let key_bytes = NODE_BYTES + key.bytes;
        match self.items.insert(key, value) {
            Some(before) => self.leaves(&before),
            None => {
                self.bytes += key_bytes;
                self.held.grow(NODE_BYTES);
            }
        }
        limits::admit(self.bytes, self.depth + 1)
    }

    /// Takes a field out, which changes the order of the others.
    fn remove(&mut self, key: &Text) -> Option<Val> {
        let value = self.items.swap_remove(key)?;
        self.leaves(&value);
        self.bytes = self.bytes.saturating_sub(NODE_BYTES + key.bytes);
        self.held.shrink(NODE_BYTES);
        Some(value)
    }
}

impl From<bool> for Val {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<isize> for Val {
    fn from(whole: isize) -> Self {
        Self::Num(Num::Int(whole))
    }
}

impl From<usize> for Val {
    fn from(whole: usize) -> Self {
        Self::Num(Num::from_integral(whole))
    }
}

impl From<f64> for Val {
    fn from(float: f64) -> Self {
        Self::Num(Num::Float(float))
    }
}

impl From<String> for Val {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<Object> for Val {
    fn from(object: Object) -> Self {
        Self::Object(Rc::new(object))
    }
}

impl From<List> for Val {
    fn from(list: List) -> Self {
        Self::List(Rc::new(list))
    }
}

/// Stops at a limit, which then has been noted.
impl FromIterator<Val> for Val {
    fn from_iter<I: IntoIterator<Item = Self>>(values: I) -> Self {
        let mut list = List::default();
        // The checkpoint halts the filter for the limit.
        let _ = list.extend(values);
        list.into()
    }
}

impl From<jaq_core::val::Range<Val>> for Val {
    fn from(range: jaq_core::val::Range<Val>) -> Self {
        let mut object = Object::default();
        for (name, bound) in [("start", range.start), ("end", range.end)] {
            if let Some(bound) = bound {
                // Two numbers are no limit.
                let _ = object.insert(Rc::new(Text::new(name.to_owned())), bound);
            }
        }
        object.into()
    }
}
