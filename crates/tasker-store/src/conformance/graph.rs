//! A small language for templates, so that a case shows its graph in one line.
//!
//! ```text
//! shop.orders@1.2.0 sequential: a{limit=1 queue=bulk} -> b, c; b, c -> d
//! ```
//!
//! Before the colon, all of it optional: the name of the template with its namespace and version, and
//! `sequential` for one that is not concurrent. After it: chains of lists of steps. A step is born where it
//! is first mentioned, in that order; there it may have attributes in braces: `limit`, `queue`, `handler`,
//! `priority`, and `once` for one that is not retryable. A step's handler is called `run` if none is given.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tasker_core::{TaskTemplate, TemplateRequest, VersionRequest};

/// The template that `text` describes.
///
/// # Panics
///
/// If `text` describes none.
pub fn graph(text: &str) -> Arc<TaskTemplate> {
    let definition = definition(text);
    Arc::new(TaskTemplate::from_definition(&definition).unwrap_or_else(|errors| panic!("{text}: {errors}")))
}

/// The definition that `text` describes.
pub fn definition(text: &str) -> Value {
    let (head, body) = text.split_once(": ").unwrap_or(("flow", text));
    let mut steps = Steps::default();
    for chain in body.split(';').filter(|chain| !chain.trim().is_empty()) {
        steps.chain(chain);
    }
    let mut words = head.split_whitespace();
    let request: TemplateRequest = words.next().unwrap_or("flow").parse().expect("a name of a template");
    let version = match &request.version {
        VersionRequest::Exact(version) => version.to_string(),
        _ => "0.1.0".to_owned(),
    };
    json!({
        "name": request.name,
        "namespace_name": request.namespace,
        "version": version,
        "concurrent": words.next() != Some("sequential"),
        "step_templates": steps.finish(),
    })
}

#[derive(Default)]
struct Steps {
    found: Vec<Step>,
}

struct Step {
    name: String,
    attributes: Map<String, Value>,
    parents: Vec<String>,
}

impl Steps {
    /// Reads `a, b -> c -> d`.
    fn chain(&mut self, chain: &str) {
        let mut parents: Vec<String> = Vec::new();
        for list in chain.split("->") {
            let children: Vec<String> = list.split(',').map(|mention| self.mention(mention.trim())).collect();
            for child in &children {
                let step = self.found.iter_mut().find(|step| step.name == *child);
                step.expect("a mentioned step is found").parents.extend(parents.iter().cloned());
            }
            parents = children;
        }
    }

    fn mention(&mut self, mention: &str) -> String {
        let (name, attributes) = mention.split_once('{').unwrap_or((mention, ""));
        let name = name.trim().to_owned();
        assert!(!name.is_empty(), "a step has no name");
        if !self.found.iter().any(|step| step.name == name) {
            let attributes = attributes.trim_end_matches('}').split_whitespace().map(attribute).collect();
            self.found.push(Step { name: name.clone(), attributes, parents: Vec::new() });
        }
        name
    }

    fn finish(self) -> Vec<Value> {
        let steps = self.found.into_iter().map(|step| {
            let mut entry = step.attributes;
            entry.insert("name".to_owned(), step.name.into());
            entry.entry("handler_class").or_insert_with(|| "run".into());
            if !step.parents.is_empty() {
                entry.insert("depends_on_steps".to_owned(), step.parents.into());
            }
            Value::Object(entry)
        });
        steps.collect()
    }
}

fn attribute(word: &str) -> (String, Value) {
    let (key, value) = word.split_once('=').unwrap_or((word, ""));
    let number = || Value::from(value.parse::<i64>().expect("a number"));
    match key {
        "limit" => ("default_retry_limit".to_owned(), number()),
        "once" => ("default_retryable".to_owned(), Value::Bool(false)),
        "priority" => ("priority".to_owned(), number()),
        "queue" => ("queue".to_owned(), value.into()),
        "handler" => ("handler_class".to_owned(), value.into()),
        _ => panic!("unknown attribute {key:?}"),
    }
}

/// The fixtures of the engine that Tasker follows, as graphs.
pub mod fixtures {
    /// Six steps in a row.
    pub const LINEAR: &str = "linear: initialize_data -> validate_input -> process_data -> transform_results \
                              -> validate_output -> finalize_workflow";
    /// Two branches that meet again.
    pub const DIAMOND: &str = "diamond: start_workflow -> branch_one_process, branch_two_process; \
                               branch_one_process -> branch_one_validate; \
                               branch_two_process -> branch_two_validate; \
                               branch_one_validate, branch_two_validate -> merge_branches -> end_workflow";
    /// Four roots that meet.
    pub const PARALLEL_MERGE: &str = "parallel_merge: fetch_user_data, fetch_order_data, \
                                      fetch_inventory_data, fetch_pricing_data; \
                                      fetch_user_data -> process_user_data; \
                                      fetch_order_data -> process_order_data; \
                                      process_user_data, process_order_data, fetch_inventory_data, \
                                      fetch_pricing_data -> merge_all_data";
    /// A tree of two branches with two leaves each, which meet.
    pub const TREE: &str = "tree: root_initialization -> branch_a_setup, branch_b_setup; \
                            branch_a_setup -> branch_a_task_one, branch_a_task_two; \
                            branch_b_setup -> branch_b_task_one, branch_b_task_two; \
                            branch_a_task_one, branch_a_task_two, branch_b_task_one, branch_b_task_two \
                            -> aggregate_results";
    /// Two roots, a join, and a leaf on the side.
    pub const MIXED: &str = "mixed: init_auth, init_config; init_auth -> validate_permissions; \
                             init_config -> setup_environment; \
                             validate_permissions, setup_environment -> begin_processing; \
                             begin_processing -> process_critical_data, process_optional_data; \
                             setup_environment -> cleanup_temp_files; \
                             process_critical_data, cleanup_temp_files -> finalize_and_report";
    /// One step by itself, and three in a row.
    pub const DUMMY: &str = "dummy_task: step-one; step-two -> step-three -> step-four";
}
