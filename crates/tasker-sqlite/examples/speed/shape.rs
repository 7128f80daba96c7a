//! Shapes of tasks.

use std::sync::Arc;

use serde_json::json;
use tasker_core::TaskTemplate;

/// A shape of task: how many steps it has, and which waits for which.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) steps: u32,
    pub(crate) edges: Vec<(u32, u32)>,
}

pub(crate) fn all() -> [Shape; 3] {
    let diamond = vec![(0, 1), (0, 2), (1, 3), (2, 3)];
    let fan = (1..=100).map(|middle| (0, middle)).chain((1..=100).map(|middle| (middle, 101)));
    [
        Shape { name: "linear 4", ..chain(4) },
        Shape { name: "diamond", steps: 4, edges: diamond },
        Shape { name: "1>100>1", steps: 102, edges: fan.collect() },
    ]
}

/// Steps that nobody asks for, none of which waits for another.
pub(crate) fn unwanted(steps: u32) -> Shape {
    Shape { name: "unwanted", steps, edges: Vec::new() }
}

pub(crate) fn chain(steps: u32) -> Shape {
    Shape { name: "chain", steps, edges: (1..steps).map(|step| (step - 1, step)).collect() }
}

impl Shape {
    pub(crate) fn template(&self) -> Arc<TaskTemplate> {
        let handler = if self.name == "unwanted" { "elsewhere" } else { "noop" };
        let steps = (0..self.steps).map(|step| {
            let parents = self.edges.iter().filter(|(_, to)| *to == step).map(|(from, _)| format!("s{from}"));
            let parents: Vec<String> = parents.collect();
            json!({ "name": format!("s{step}"), "handler_class": handler, "depends_on_steps": parents })
        });
        let steps: Vec<_> = steps.collect();
        let name = format!("{}-{}", self.name.replace('>', "-"), self.steps);
        let definition = json!({ "name": name, "task_handler_class": "Speed", "step_templates": steps });
        Arc::new(TaskTemplate::from_definition(&definition).expect("a sound template"))
    }
}
