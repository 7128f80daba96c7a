//! The values of the labels of one series.

use std::fmt;
use std::sync::Arc;

/// Stands between the values in a key: no UTF-8 text holds it.
pub(crate) const SEPARATOR: u8 = 0xff;

/// The values of the labels of one series, in the order of the labels. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels(Arc<[u8]>);

impl Labels {
    /// These values.
    pub fn new(values: &[&str]) -> Self {
        let key: Vec<&[u8]> = values.iter().map(|value| value.as_bytes()).collect();
        Self(key.join(&SEPARATOR).into())
    }

    pub(crate) fn of_key(key: &[u8]) -> Self {
        Self(key.into())
    }

    pub(crate) fn key(&self) -> &[u8] {
        &self.0
    }

    /// The values; one that is empty, where there are no labels at all.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        let texts = self.0.split(|byte| *byte == SEPARATOR);
        texts.map(|text| str::from_utf8(text).expect("invariant: a key is made of texts"))
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.values()).finish()
    }
}
