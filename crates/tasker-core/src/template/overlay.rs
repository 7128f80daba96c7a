//! Lays an environment's overlay over the rest of a template.
//!
//! Mappings are merged at every depth. Steps are merged by name, in the order of the template; what the
//! overlay says about a step that is not there has no effect. Any other value replaces the one below it.

use std::collections::{HashMap, HashSet};

use super::document::{Data, Entry, Node};
use super::report::Report;
use super::resemblance::closest;

const ENVIRONMENTS: &str = "environments";
const STEPS: &str = "step_templates";

/// `document` without `environments`, under the overlay of `environment` if it has one.
pub(super) fn applied(document: Node, environment: Option<&str>) -> Node {
    let Node { mark, data } = document;
    let Data::Mapping(mut entries) = data else {
        return Node { mark, data };
    };
    let Some(position) = entries.iter().position(|entry| entry.key == ENVIRONMENTS) else {
        return Node { mark, data: Data::Mapping(entries) };
    };
    let environments = entries.remove(position).value;
    if let Some(overlay) = environment.and_then(|name| environments.get(name)) {
        merge_template(&mut entries, overlay);
    }
    Node { mark, data: Data::Mapping(entries) }
}

/// Warns of steps that an overlay changes and the template does not have.
pub(super) fn warn_of_unknown_steps(document: &Node, report: &mut Report) {
    let names = |node: &Node| -> Vec<String> {
        let steps = node.get(STEPS).map(Node::items).unwrap_or_default();
        steps
            .iter()
            .map(|step| step.get("name").and_then(Node::text).unwrap_or_default().to_owned())
            .collect()
    };
    let known = names(document);
    let is_known: HashSet<&str> = known.iter().map(String::as_str).collect();
    let environments = document.get(ENVIRONMENTS).map(Node::entries).unwrap_or_default();
    for environment in environments {
        let overlay = environment.value.get(STEPS).map(Node::items).unwrap_or_default();
        for (index, name) in names(&environment.value).iter().enumerate() {
            if name.is_empty() || is_known.contains(name.as_str()) {
                continue;
            }
            let remedy = match closest(name, known.iter().map(String::as_str)) {
                Some(meant) => format!("did you mean {meant:?}?"),
                None => "it is ignored".to_owned(),
            };
            let path = format!("{ENVIRONMENTS}.{}.{STEPS}[{index}]", environment.key);
            let mark = overlay.get(index).map(|step| step.mark).unwrap_or_default();
            report.warning(mark, path, format!("step {name:?} is not defined in the template"), &remedy);
        }
    }
}

fn merge_template(entries: &mut Vec<Entry>, overlay: &Node) {
    for above in overlay.entries() {
        let below = entries.iter_mut().find(|entry| entry.key == above.key);
        match below {
            Some(below) if above.key == STEPS && below.value.is_list() => {
                merge_steps(&mut below.value, &above.value);
            }
            // Without steps below there is none to change: an overlay adds no step.
            None if above.key == STEPS => {}
            Some(below) => merge(&mut below.value, &above.value),
            None => entries.push(above.clone()),
        }
    }
}

fn merge_steps(below: &mut Node, above: &Node) {
    let Data::List(steps) = &mut below.data else {
        return;
    };
    let mut positions: HashMap<String, usize> = HashMap::new();
    for (position, step) in steps.iter().enumerate() {
        if let Some(name) = step.get("name").and_then(Node::text) {
            positions.entry(name.to_owned()).or_insert(position);
        }
    }
    for step in above.items() {
        let name = step.get("name").and_then(Node::text);
        if let Some(position) = name.and_then(|name| positions.get(name)) {
            merge(&mut steps[*position], step);
        }
    }
}

fn merge(below: &mut Node, above: &Node) {
    let (Data::Mapping(entries), Data::Mapping(overlay)) = (&mut below.data, &above.data) else {
        *below = above.clone();
        return;
    };
    for above in overlay {
        match entries.iter_mut().find(|entry| entry.key == above.key) {
            Some(below) => merge(&mut below.value, &above.value),
            None => entries.push(above.clone()),
        }
    }
}
