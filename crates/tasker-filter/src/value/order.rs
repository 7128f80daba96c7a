//! The order of values: null, flags, numbers, texts, lists, objects.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use super::{Object, Text, Val};

impl Val {
    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(_) => 1,
            Self::Num(_) => 2,
            Self::Text(_) => 3,
            Self::List(_) => 4,
            Self::Object(_) => 5,
        }
    }
}

impl Ord for Val {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(left), Self::Bool(right)) => left.cmp(right),
            (Self::Num(left), Self::Num(right)) => left.cmp(right),
            (Self::Text(left), Self::Text(right)) => left.as_str().cmp(right.as_str()),
            (Self::List(left), Self::List(right)) => left.items().cmp(right.items()),
            (Self::Object(left), Self::Object(right)) => objects(left, right),
            (left, right) => left.rank().cmp(&right.rank()),
        }
    }
}

/// Objects are compared by their keys, then by their values.
fn objects(left: &Object, right: &Object) -> Ordering {
    let sorted = |object: &Object| {
        let mut fields: Vec<(Rc<Text>, Val)> =
            object.items().iter().map(|(key, value)| (Rc::clone(key), value.clone())).collect();
        fields.sort_by(|(left, _), (right, _)| left.as_str().cmp(right.as_str()));
        fields
    };
    if let (0, _) | (_, 0) = (left.items().len(), right.items().len()) {
        return left.items().len().cmp(&right.items().len());
    }
    let (left, right) = (sorted(left), sorted(right));
    let keys = left.iter().map(|(key, _)| key.as_str()).cmp(right.iter().map(|(key, _)| key.as_str()));
    keys.then_with(|| left.iter().map(|(_, value)| value).cmp(right.iter().map(|(_, value)| value)))
}

impl PartialOrd for Val {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Val {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(left), Self::List(right)) => left.items() == right.items(),
            (Self::Object(left), Self::Object(right)) => left.items() == right.items(),
            (left, right) => left.cmp(right).is_eq(),
        }
    }
}

impl Eq for Val {}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text {}
