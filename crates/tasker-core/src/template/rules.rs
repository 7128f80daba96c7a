//! What no single key can show: names that are given twice or not at all, and dependencies in a circle.

use std::collections::{HashMap, HashSet};

use super::build::{DraftStep, Mention};
use super::document::Node;
use super::report::Report;
use super::resemblance::closest;
use crate::graph::{Graph, GraphError, MAX_STEPS, cycles, ordinal};
use crate::name::StepName;

/// The steps of a template as a graph, and the ordinal of each; `None` if an error says why.
pub(super) fn graph(
    document: &Node,
    steps: &[DraftStep],
    report: &mut Report,
) -> Option<(Graph, HashMap<StepName, u32>)> {
    if steps.len() > MAX_STEPS {
        let error = GraphError::TooManySteps { steps: steps.len() };
        report.error(document.mark, "step_templates", error.to_string(), "");
        return None;
    }
    if let Some(list) = document.get("step_templates").filter(|list| list.is_list() && steps.is_empty()) {
        report.error(list.mark, "step_templates", "there is no step", "add at least one");
    }
    check_named_steps(document, steps, report);
    let ordinals = ordinals(steps, report);
    let edges = edges(document, steps, &ordinals, report);
    tell_cycles(steps, &edges, report);
    let graph = Graph::new(steps.len(), &edges).ok()?;
    Some((graph, ordinals))
}

fn ordinals(steps: &[DraftStep], report: &mut Report) -> HashMap<StepName, u32> {
    let mut ordinals: HashMap<StepName, u32> = HashMap::new();
    for (index, step) in steps.iter().enumerate() {
        let Some(name) = &step.name else { continue };
        if let Some(first) = ordinals.get(name) {
            let first = steps[*first as usize].mark.line;
            let first = if first > 0 { format!(", first on line {first}") } else { String::new() };
            let path = format!("step_templates[{index}].name");
            let message = format!("step {:?} is defined twice{first}", name.as_str());
            report.error(step.mark, path, message, "give each step a name of its own");
        } else {
            ordinals.insert(name.clone(), ordinal(index));
        }
    }
    ordinals
}

/// The edges, from each step that is depended on to the one that does.
fn edges(
    document: &Node,
    steps: &[DraftStep],
    ordinals: &HashMap<StepName, u32>,
    report: &mut Report,
) -> Vec<(u32, u32)> {
    let listed = named_steps(document);
    let mut edges = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        for mention in &step.mentions {
            if step.name.as_ref() == Some(&mention.name) {
                let message = format!("step {:?} depends on itself", mention.name.as_str());
                report.error(mention.mark, &mention.path, message, "remove the dependency");
            } else if let Some(parent) = ordinals.get(&mention.name) {
                edges.push((*parent, ordinal(index)));
            } else if listed.as_ref().is_none_or(|listed| listed.contains(mention.name.as_str())) {
                tell_unknown(mention, steps, report);
            }
        }
    }
    edges
}

fn tell_unknown(mention: &Mention, steps: &[DraftStep], report: &mut Report) {
    let name = mention.name.as_str();
    let known = steps.iter().filter_map(|step| step.name.as_ref()).map(StepName::as_str);
    let remedy = match closest(name, known) {
        Some(meant) => format!("did you mean {meant:?}?"),
        None => "define it under \"step_templates\", or remove the dependency".to_owned(),
    };
    report.error(mention.mark, &mention.path, format!("step {name:?} is not defined"), &remedy);
}

/// Tells every cycle, at a dependency that closes it.
fn tell_cycles(steps: &[DraftStep], edges: &[(u32, u32)], report: &mut Report) {
    let name = |step: u32| steps[step as usize].name.as_ref().map_or("", StepName::as_str);
    for path in cycles(steps.len(), edges) {
        let [.., last, first] = path.as_slice() else {
            continue;
        };
        let closing = steps[*first as usize].mentions.iter().find(|mention| mention.name == *name(*last));
        let message = GraphError::Cycle { path: path.clone() }.describe(name);
        if let Some(mention) = closing {
            report.error(mention.mark, &mention.path, message, "remove one of these dependencies");
        }
    }
}

/// The texts are those of the Rails engine.
fn check_named_steps(document: &Node, steps: &[DraftStep], report: &mut Report) {
    let Some(listed) = named_steps(document) else {
        return;
    };
    let remedy = "add it there, or leave \"named_steps\" out";
    for (index, step) in steps.iter().enumerate() {
        let name = step.name.as_ref().map(StepName::as_str);
        if let Some(name) = name.filter(|name| !listed.contains(name)) {
            let message = format!("Step template name '{name}' is not in the named_steps list");
            report.error(step.mark, format!("step_templates[{index}].name"), message, remedy);
        }
        for mention in step.mentions.iter().filter(|mention| !listed.contains(mention.name.as_str())) {
            let message = format!("Dependency step '{}' is not in the named_steps list", mention.name);
            report.error(mention.mark, &mention.path, message, remedy);
        }
    }
    let defined: HashSet<&str> =
        steps.iter().filter_map(|step| step.name.as_ref()).map(StepName::as_str).collect();
    let items = document.get("named_steps").map(Node::items).unwrap_or_default();
    for (index, item) in items.iter().enumerate() {
        if let Some(name) = item.text().filter(|name| !defined.contains(name)) {
            let message = format!("step {name:?} is listed and not defined");
            let remedy = "define it under \"step_templates\", or remove it here";
            report.warning(item.mark, format!("named_steps[{index}]"), message, remedy);
        }
    }
}

/// The names under `named_steps`; `None` if there is no such list.
fn named_steps(document: &Node) -> Option<HashSet<&str>> {
    let list = document.get("named_steps").filter(|list| list.is_list())?;
    Some(list.items().iter().filter_map(Node::text).collect())
}
