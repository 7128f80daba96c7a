//! From the text of a scenario to what is to be played.

use std::collections::{BTreeMap, VecDeque};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};

/// What a scenario file says.
#[derive(Debug, Default)]
pub struct Scenario {
    /// The steps in the order they are named, with what they depend on.
    pub steps: Vec<(String, Vec<String>)>,
    /// How steps behave that do not simply succeed.
    pub behaviours: BTreeMap<String, Behaviour>,
    /// Whether steps may run side by side.
    pub concurrent: Option<bool>,
    /// What to do when nothing goes on by itself.
    pub then: VecDeque<Action>,
    /// What to do so many seconds after the start.
    pub at: Vec<(u64, Action)>,
    /// The transcript that is expected.
    pub expected: String,
}

/// How a step behaves.
#[derive(Debug, Default, Clone)]
pub struct Behaviour {
    /// It fails so many times, then succeeds.
    pub fails: u32,
    /// Its failure is permanent.
    pub for_good: bool,
    /// Its worker goes away so many times.
    pub vanishes: u32,
    /// It asks once to be called so many seconds later.
    pub snoozes_seconds: Option<u64>,
    /// How many attempts it has.
    pub limit: Option<u32>,
    /// Its priority.
    pub priority: Option<i32>,
}

/// A command of a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// The verb.
    pub verb: String,
    /// The step, if it is about one.
    pub step: Option<String>,
    /// Further words.
    pub words: Vec<String>,
}

impl Scenario {
    /// Reads the text of a scenario file.
    ///
    /// # Errors
    ///
    /// Names the line that cannot be understood.
    pub fn parse(text: &str) -> Result<Self> {
        let (head, expected) = text.split_once("---\n").unwrap_or((text, ""));
        let mut scenario = Self { expected: expected.to_owned(), ..Self::default() };
        for line in head.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
            let (key, value) = line.split_once(':').with_context(|| format!("no colon in {line:?}"))?;
            scenario.directive(key.trim(), value.trim()).with_context(|| format!("in {line:?}"))?;
        }
        Ok(scenario)
    }

    fn directive(&mut self, key: &str, value: &str) -> Result<()> {
        match key.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["graph"] => self.graph(value),
            ["concurrent"] => self.concurrent = Some(value.parse()?),
            ["then"] => self.then.push_back(self.action(value)?),
            ["at", seconds] => {
                let action = self.action(value)?;
                self.at.push((seconds.parse()?, action));
            }
            [step] if self.names(step) => {
                let behaviour = Behaviour::parse(value)?;
                self.behaviours.insert((*step).to_owned(), behaviour);
            }
            _ => bail!("unknown directive or step {key:?}"),
        }
        Ok(())
    }

    fn graph(&mut self, text: &str) {
        for chain in text.split(';') {
            let stages: Vec<Vec<String>> = chain.split("->").map(names).collect();
            for stage in &stages {
                for name in stage {
                    if !self.names(name) {
                        self.steps.push((name.clone(), Vec::new()));
                    }
                }
            }
            for pair in stages.windows(2) {
                for child in &pair[1] {
                    let step = self.steps.iter_mut().find(|(name, _)| name == child);
                    step.expect("invariant: it was just named").1.extend(pair[0].clone());
                }
            }
        }
    }

    fn names(&self, step: &str) -> bool {
        self.steps.iter().any(|(name, _)| name == step)
    }

    fn action(&self, text: &str) -> Result<Action> {
        let mut words = text.split_whitespace().map(str::to_owned).peekable();
        let verb = words.next().ok_or_else(|| anyhow!("no command"))?;
        let step = words.next_if(|word| self.names(word));
        Ok(Action { verb, step, words: words.collect() })
    }

    /// The template that the scenario is about.
    pub fn definition(&self) -> Value {
        let steps = self.steps.iter().map(|(name, parents)| {
            let behaviour = self.behaviours.get(name).cloned().unwrap_or_default();
            json!({
                "name": name,
                "handler_class": "scripted",
                "depends_on_steps": parents,
                "default_retry_limit": behaviour.limit.unwrap_or(3),
                "priority": behaviour.priority.unwrap_or(0),
            })
        });
        json!({
            "name": "scenario",
            "concurrent": self.concurrent.unwrap_or(true),
            "step_templates": steps.collect::<Vec<_>>(),
        })
    }
}

impl Behaviour {
    fn parse(text: &str) -> Result<Self> {
        let mut behaviour = Self::default();
        for clause in text.split(',').map(str::trim) {
            match clause.split_whitespace().collect::<Vec<_>>().as_slice() {
                ["fails", "always"] => behaviour.fails = u32::MAX,
                ["fails", "for", "good"] => (behaviour.fails, behaviour.for_good) = (u32::MAX, true),
                ["fails", times] => behaviour.fails = times.parse()?,
                ["vanishes", times] => behaviour.vanishes = times.parse()?,
                ["snoozes", seconds] => behaviour.snoozes_seconds = Some(seconds.parse()?),
                ["limit", limit] => behaviour.limit = Some(limit.parse()?),
                ["priority", priority] => behaviour.priority = Some(priority.parse()?),
                _ => bail!("unknown behaviour {clause:?}"),
            }
        }
        Ok(behaviour)
    }
}

fn names(text: &str) -> Vec<String> {
    text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}
