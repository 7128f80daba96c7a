//! What the facade knows of each name.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use metrics::Label;

use crate::description::Unit;
use crate::family::Handle;
use crate::registry::{Registered, Standing};

use super::{Refusal, names};

/// All names that metrics of one kind have for who uses them.
pub(super) struct Table<M>(RwLock<Names<M>>);

struct Names<M> {
    known: HashMap<String, Result<Arc<Known<M>>, Refusal>>,
    /// By the name that is written, the one that it was written for.
    written: HashMap<String, String>,
    helps: HashMap<String, String>,
}

/// A metric that the facade has found in the registry.
pub(super) struct Known<M> {
    metric: Registered<M>,
    /// By the label that is written, the one that it was written for.
    written: RwLock<BTreeMap<String, String>>,
}

/// A metric has at most so many labels, in all of its sets.
const MOST_LABELS: usize = 64;

impl<M> Default for Table<M> {
    fn default() -> Self {
        let (known, written, helps) = Default::default();
        Self(RwLock::new(Names { known, written, helps }))
    }
}

impl<M> Table<M> {
    /// The metric of this name, which is registered if it is new and not one too many.
    pub(super) fn find(
        &self,
        name: &str,
        most: usize,
        register: impl FnOnce(String) -> Result<Registered<M>, Refusal>,
    ) -> Result<Arc<Known<M>>, Refusal> {
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).known.get(name) {
            return known.clone();
        }
        let mut names = self.write();
        if let Some(known) = names.known.get(name) {
            return known.clone();
        }
        if names.known.len() >= most {
            return Err(Refusal::Names);
        }
        let help = names.helps.get(name).cloned().unwrap_or_else(|| "Not described.".to_owned());
        let found = register(help).and_then(|metric| names.admit(name, metric));
        names.known.insert(name.to_owned(), found.clone());
        found
    }

    /// Keeps what is said of a name. If it is known already, its metric is returned.
    pub(super) fn describe(&self, name: &str, help: &str, most: usize) -> Option<String> {
        let mut names = self.write();
        if names.helps.len() < most || names.helps.contains_key(name) {
            names.helps.insert(name.to_owned(), help.to_owned());
        }
        let known = names.known.get(name)?.as_ref().ok()?;
        Some(known.metric.name.clone())
    }

    fn write(&self) -> RwLockWriteGuard<'_, Names<M>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M> Names<M> {
    /// A metric is admitted under one name only: two that are written alike would be mistaken for each other.
    fn admit(&mut self, name: &str, metric: Registered<M>) -> Result<Arc<Known<M>>, Refusal> {
        let is_anothers = match metric.standing {
            Standing::Declared => metric.name != name,
            Standing::Found => self.written.get(&metric.name).is_some_and(|owner| owner != name),
        };
        if is_anothers {
            return Err(Refusal::Name);
        }
        self.written.insert(metric.name.clone(), name.to_owned());
        Ok(Arc::new(Known { metric, written: RwLock::default() }))
    }
}

impl<M: 'static> Known<M> {
    pub(super) fn unit(&self) -> Unit {
        self.metric.unit
    }

    /// The series with these labels. One without a value is as if it were not there.
    pub(super) fn series<'l>(&self, labels: impl Iterator<Item = &'l Label>) -> Result<Handle<M>, Refusal> {
        let mut pairs = Vec::new();
        for label in labels.filter(|label| !label.value().is_empty()) {
            let written = names::of_label(label.key());
            self.admit(&written, label.key())?;
            if pairs.iter().any(|(other, _)| *other == written) {
                return Err(Refusal::Label);
            }
            pairs.push((written, label.value()));
        }
        self.metric.sets.with(&pairs).ok_or(Refusal::Labels)
    }

    fn admit(&self, written: &str, label: &str) -> Result<(), Refusal> {
        let owner = |owner: &String| if owner == label { Ok(()) } else { Err(Refusal::Label) };
        if let Some(known) = self.written.read().unwrap_or_else(PoisonError::into_inner).get(written) {
            return owner(known);
        }
        let mut known = self.written.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_LABELS && !known.contains_key(written) {
            return Err(Refusal::Labels);
        }
        owner(known.entry(written.to_owned()).or_insert_with(|| label.to_owned()))
    }
}
