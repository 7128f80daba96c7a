//! The shapes that are measured.

use std::sync::Arc;

use anyhow::{Result, anyhow};
use serde_json::json;
use tasker_core::TaskTemplate;

/// A graph of no-op steps.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its template.
    pub(crate) template: Arc<TaskTemplate>,
    /// The ordinals of its steps by level: each waits for all of the level before.
    pub(crate) levels: Vec<Vec<u32>>,
}

impl Shape {
    /// Four steps, one after the other.
    ///
    /// # Errors
    ///
    /// Never, unless templates are broken.
    pub(crate) fn linear() -> Result<Self> {
        Self::chain("linear4", 4)
    }

    /// `steps` steps, one after the other.
    ///
    /// # Errors
    ///
    /// Never, unless templates are broken.
    pub(crate) fn chain(name: &'static str, steps: usize) -> Result<Self> {
        let parents = |step: usize| step.checked_sub(1).into_iter().collect();
        Self::new(name, &(0..steps).map(parents).collect::<Vec<_>>())
    }

    /// One step, two that wait for it, and one that waits for both.
    ///
    /// # Errors
    ///
    /// Never, unless templates are broken.
    pub(crate) fn diamond() -> Result<Self> {
        Self::new("diamond", &[vec![], vec![0], vec![0], vec![1, 2]])
    }

    /// One step, `width` that wait for it, and one that waits for them all.
    ///
    /// # Errors
    ///
    /// Never, unless templates are broken.
    pub(crate) fn fan(name: &'static str, width: usize) -> Result<Self> {
        let mut parents = vec![vec![]];
        parents.extend((0..width).map(|_| vec![0]));
        parents.push((1..=width).collect());
        Self::new(name, &parents)
    }

    fn new(name: &'static str, parents: &[Vec<usize>]) -> Result<Self> {
        let steps = parents.iter().enumerate().map(|(step, parents)| {
            let parents: Vec<_> = parents.iter().map(|parent| format!("s{parent}")).collect();
            json!({ "name": format!("s{step}"), "handler_class": "noop", "depends_on_steps": parents })
        });
        let definition =
            json!({ "name": name, "namespace_name": "bench", "step_templates": steps.collect::<Vec<_>>() });
        let template = TaskTemplate::from_definition(&definition).map_err(|error| anyhow!("{error}"))?;
        Ok(Self { name, template: Arc::new(template), levels: levels(parents) })
    }

    /// How many steps a task of it has.
    pub(crate) fn steps(&self) -> usize {
        self.template.steps.len()
    }
}

fn levels(parents: &[Vec<usize>]) -> Vec<Vec<u32>> {
    let mut level_of: Vec<usize> = Vec::with_capacity(parents.len());
    let mut levels: Vec<Vec<u32>> = Vec::new();
    for (ordinal, parents) in (0..).zip(parents) {
        let level = parents.iter().map(|parent| level_of[*parent] + 1).max().unwrap_or(0);
        level_of.push(level);
        levels.resize(levels.len().max(level + 1), Vec::new());
        levels[level].push(ordinal);
    }
    levels
}
