//! A trace that hangs together.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use tasker_otlp::testing::ReceivedSpan;

/// The spans of one trace, every one with its parent, no two with one id.
#[derive(Debug)]
pub struct Tree<'a> {
    spans: BTreeMap<&'a str, &'a ReceivedSpan>,
}

impl<'a> Tree<'a> {
    /// The tree that spans are.
    ///
    /// # Errors
    ///
    /// If they belong to several traces, if two have one id, if a parent is missing, or if there is not one root.
    pub fn of(trace: &str, all: &'a [ReceivedSpan]) -> Result<Self> {
        let mut spans = BTreeMap::new();
        for span in all {
            ensure!(span.trace == trace, "{} is of trace {}", span.name, span.trace);
            ensure!(spans.insert(span.id.as_str(), span).is_none(), "{} has come twice", span.name);
        }
        let roots: Vec<_> = all.iter().filter(|span| span.parent.is_none()).map(|span| &span.name).collect();
        ensure!(roots.len() == 1, "the roots are {roots:?}");
        for span in all {
            let parent = span.parent.as_deref();
            ensure!(parent.is_none_or(|parent| spans.contains_key(parent)), "{} is an orphan", span.name);
        }
        Ok(Self { spans })
    }

    /// The names from the root to a span.
    ///
    /// # Errors
    ///
    /// If there is no such span.
    pub fn path(&self, id: &str) -> Result<Vec<&'a str>> {
        let mut names = Vec::new();
        let mut next = Some(id);
        while let Some(id) = next {
            let span = self.spans.get(id).with_context(|| format!("there is no span {id}"))?;
            names.push(span.name.as_str());
            next = span.parent.as_deref();
            ensure!(names.len() <= self.spans.len(), "{} is its own ancestor", span.name);
        }
        names.reverse();
        Ok(names)
    }

    /// The longest of all paths.
    ///
    /// # Errors
    ///
    /// If a span is its own ancestor.
    pub fn deepest(&self) -> Result<Vec<&'a str>> {
        let paths = self.spans.keys().map(|id| self.path(id)).collect::<Result<Vec<_>>>()?;
        Ok(paths.into_iter().max_by_key(Vec::len).unwrap_or_default())
    }

    /// The spans whose names begin so, by the time of their beginning.
    pub fn named(&self, name: &str) -> Vec<&'a ReceivedSpan> {
        let mut named: Vec<_> =
            self.spans.values().copied().filter(|span| span.name.starts_with(name)).collect();
        named.sort_by_key(|span| span.start);
        named
    }

    /// The attempts at a step, first to last.
    pub fn attempts(&self, step: &str) -> Vec<&'a ReceivedSpan> {
        let mut attempts = self.named("tasker.attempt");
        attempts.retain(|span| span.attribute("tasker.step.name") == step);
        attempts
    }
}
