//! What the shape of a template says before anything runs: order, levels, paths, cycles.

use std::collections::{BTreeMap, HashMap};

use serde::{Serialize, Serializer};

use crate::graph::{Graph, cycles, ordinal};
use crate::name::{HandlerName, StepName};
use crate::template::TaskTemplate;

/// The analysis of a template. Its dependencies count, not the order that `concurrent: false` adds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TemplateAnalysis {
    /// The steps, in the order of the template.
    pub nodes: Vec<AnalysisNode>,
    /// The dependencies, in the order of the template.
    pub edges: Vec<AnalysisEdge>,
    /// What follows from them.
    #[serde(flatten)]
    pub graph: GraphAnalysis,
}

/// One step of an analysed template.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AnalysisNode {
    /// The name.
    pub name: StepName,
    /// What the step is for.
    pub description: Option<String>,
    /// Who runs it.
    pub handler_class: HandlerName,
    /// The steps it depends on.
    pub dependencies: Vec<StepName>,
    /// How many they are.
    pub dependency_count: usize,
}

/// One dependency of an analysed template.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AnalysisEdge {
    /// The step that is depended on.
    pub from: StepName,
    /// The step that depends on it.
    pub to: StepName,
    /// How the template says so.
    #[serde(rename = "type")]
    pub kind: EdgeKind,
}

/// How a template says that a step depends on another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeKind {
    /// By `depends_on_step`.
    Single,
    /// By `depends_on_steps`.
    Multiple,
}

/// What follows from the edges alone. Where they are cyclic, only `cycles`, `roots`, `leaves` and the counts
/// of steps and dependencies mean anything; the rest is empty.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GraphAnalysis {
    /// The steps, each after all that it depends on.
    pub topology: Vec<String>,
    /// One cycle for each group of steps that wait for each other, its first step repeated at the end.
    pub cycles: Vec<Vec<String>>,
    /// For each step the number of dependencies on the longest path to it from a root.
    pub levels: BTreeMap<String, u32>,
    /// The steps that depend on none.
    pub roots: Vec<String>,
    /// The steps that none depends on.
    pub leaves: Vec<String>,
    /// How many steps the widest level has.
    pub widest_level: usize,
    /// How many ways lead from a root to a leaf; at most `u128::MAX`. Past `u64::MAX` serialized as text.
    #[serde(serialize_with = "number_or_text")]
    pub paths: u128,
    /// A path of the most steps; of several the one that is declared first.
    pub critical_path: Vec<String>,
    /// The whole in five numbers.
    pub summary: AnalysisSummary,
}

/// The shape of a template in five numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AnalysisSummary {
    /// How many steps there are.
    pub total_steps: usize,
    /// How many dependencies there are.
    pub total_dependencies: usize,
    /// Whether steps wait for each other.
    pub has_cycles: bool,
    /// The highest level.
    pub max_depth: u32,
    /// How many steps may run at the same time, as far as levels tell: the size of the widest.
    pub parallel_branches: usize,
}

/// Analyses a template.
pub fn analyze(template: &TaskTemplate) -> TemplateAnalysis {
    let name = |step: u32| template.steps[step as usize].name.as_str();
    let dependencies = template.dependencies();
    TemplateAnalysis {
        nodes: template.steps.iter().map(node).collect(),
        edges: edges(template),
        graph: acyclic(dependencies, name),
    }
}

/// Analyses any steps and edges, cyclic or not.
///
/// An edge names a step that is depended on, and one that depends on it. Edges that name a step which is
/// not there are ignored.
pub fn analyze_graph(steps: &[&str], edges: &[(&str, &str)]) -> GraphAnalysis {
    let ordinals: HashMap<&str, u32> =
        steps.iter().enumerate().map(|(index, name)| (*name, ordinal(index))).collect();
    let edge = |(from, to): &(&str, &str)| Some((*ordinals.get(from)?, *ordinals.get(to)?));
    let edges: Vec<(u32, u32)> = edges.iter().filter_map(edge).collect();
    let name = |step: u32| steps[step as usize];
    match Graph::new(steps.len(), &edges) {
        Ok(graph) => acyclic(&graph, name),
        Err(_) => cyclic(steps.len(), &edges, name),
    }
}

fn acyclic<'n>(graph: &Graph, name: impl Fn(u32) -> &'n str) -> GraphAnalysis {
    let named = |step: u32| name(step).to_owned();
    let levels = (0..).zip(graph.levels()).map(|(step, level)| (named(step), *level)).collect();
    let widest_level = widest_level(graph);
    GraphAnalysis {
        topology: graph.topological().iter().copied().map(named).collect(),
        cycles: Vec::new(),
        levels,
        roots: graph.roots().map(named).collect(),
        leaves: graph.leaves().map(named).collect(),
        widest_level,
        paths: paths(graph),
        critical_path: critical_path(graph).into_iter().map(named).collect(),
        summary: AnalysisSummary {
            total_steps: graph.len(),
            total_dependencies: graph.edge_count(),
            has_cycles: false,
            max_depth: graph.levels().iter().copied().max().unwrap_or(0),
            parallel_branches: widest_level,
        },
    }
}

fn cyclic<'n>(steps: usize, edges: &[(u32, u32)], name: impl Fn(u32) -> &'n str) -> GraphAnalysis {
    let named = |step: u32| name(step).to_owned();
    let mut edges = edges.to_vec();
    edges.sort_unstable();
    edges.dedup();
    let (mut is_child, mut is_parent) = (vec![false; steps], vec![false; steps]);
    for (from, to) in &edges {
        is_parent[*from as usize] = true;
        is_child[*to as usize] = true;
    }
    let cycles = cycles(steps, &edges);
    let free = |taken: &[bool]| {
        (0..).zip(taken).filter(|(_, taken)| !**taken).map(|(step, _)| named(step)).collect()
    };
    GraphAnalysis {
        topology: Vec::new(),
        cycles: cycles.iter().map(|path| path.iter().copied().map(named).collect()).collect(),
        levels: BTreeMap::new(),
        roots: free(&is_child),
        leaves: free(&is_parent),
        widest_level: 0,
        paths: 0,
        critical_path: Vec::new(),
        summary: AnalysisSummary {
            total_steps: steps,
            total_dependencies: edges.len(),
            has_cycles: !cycles.is_empty(),
            max_depth: 0,
            parallel_branches: 0,
        },
    }
}

fn node(step: &crate::template::StepTemplate) -> AnalysisNode {
    AnalysisNode {
        name: step.name.clone(),
        description: step.description.clone(),
        handler_class: step.handler.clone(),
        dependencies: step.depends_on.clone(),
        dependency_count: step.depends_on.len(),
    }
}

fn edges(template: &TaskTemplate) -> Vec<AnalysisEdge> {
    let definitions = template.definition.get("step_templates");
    let mut edges = Vec::with_capacity(template.dependencies().edge_count());
    for (index, step) in template.steps.iter().enumerate() {
        let definition = definitions.and_then(|steps| steps.get(index));
        let single = definition.and_then(|step| step.get("depends_on_step")?.as_str());
        for from in &step.depends_on {
            let kind = if single == Some(from.as_str()) { EdgeKind::Single } else { EdgeKind::Multiple };
            edges.push(AnalysisEdge { from: from.clone(), to: step.name.clone(), kind });
        }
    }
    edges
}

fn widest_level(graph: &Graph) -> usize {
    let mut sizes: Vec<usize> = Vec::new();
    for level in graph.levels() {
        let level = *level as usize;
        sizes.resize(sizes.len().max(level + 1), 0);
        sizes[level] += 1;
    }
    sizes.into_iter().max().unwrap_or(0)
}

fn paths(graph: &Graph) -> u128 {
    let mut ways: Vec<u128> = vec![0; graph.len()];
    for step in graph.topological() {
        let parents = graph.parents(*step);
        let sum = parents.iter().fold(0u128, |sum, parent| sum.saturating_add(ways[*parent as usize]));
        ways[*step as usize] = if parents.is_empty() { 1 } else { sum };
    }
    graph.leaves().fold(0, |sum, leaf| sum.saturating_add(ways[leaf as usize]))
}

fn critical_path(graph: &Graph) -> Vec<u32> {
    let mut heights = vec![0u32; graph.len()];
    for step in graph.topological().iter().rev() {
        let below = graph.children(*step).iter().map(|child| heights[*child as usize] + 1).max();
        heights[*step as usize] = below.unwrap_or(0);
    }
    let highest = |steps: &mut dyn Iterator<Item = u32>| {
        steps.min_by_key(|step| (std::cmp::Reverse(heights[*step as usize]), *step))
    };
    let mut path = Vec::new();
    let mut next = highest(&mut graph.roots());
    while let Some(step) = next {
        path.push(step);
        next = highest(&mut graph.children(step).iter().copied());
    }
    path
}

fn number_or_text<S: Serializer>(number: &u128, serializer: S) -> Result<S::Ok, S::Error> {
    match u64::try_from(*number) {
        Ok(number) => serializer.serialize_u64(number),
        Err(_) => serializer.collect_str(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_is_told_and_leaves_no_order() {
        let analysis = analyze_graph(&["a", "b", "c"], &[("a", "b"), ("b", "c"), ("c", "a")]);
        assert!(analysis.summary.has_cycles);
        assert_eq!(analysis.cycles, [["a", "b", "c", "a"]]);
        assert!(analysis.topology.is_empty());
        assert!(analysis.roots.is_empty());
    }

    #[test]
    fn every_group_of_waiting_steps_is_told_though_the_first_might_hide_the_second() {
        let steps = ["start", "a", "b", "c", "d", "alone"];
        let edges =
            [("start", "a"), ("a", "b"), ("b", "a"), ("b", "c"), ("c", "d"), ("d", "c"), ("alone", "alone")];
        let analysis = analyze_graph(&steps, &edges);
        assert_eq!(analysis.cycles, [vec!["a", "b", "a"], vec!["c", "d", "c"], vec!["alone", "alone"]]);
        assert_eq!(analysis.roots, ["start"]);
    }

    #[test]
    fn a_dependency_on_a_step_that_is_not_there_is_ignored() {
        let analysis = analyze_graph(&["a", "b"], &[("a", "b"), ("missing", "b")]);
        assert_eq!(analysis.summary.total_dependencies, 1);
        assert_eq!(analysis.topology, ["a", "b"]);
    }

    #[test]
    fn paths_are_counted_without_being_walked() {
        let names: Vec<String> = (0..260).map(|step| format!("s{step}")).collect();
        let steps: Vec<&str> = names.iter().map(String::as_str).collect();
        let layers: Vec<&[&str]> = steps.chunks(2).collect();
        let mut edges = Vec::new();
        for pair in layers.windows(2) {
            let [above, below] = pair else { unreachable!("windows of two") };
            edges.extend(above.iter().flat_map(|from| below.iter().map(|to| (*from, *to))));
        }
        let counted = |layers: usize| {
            let inside = 2 * layers;
            analyze_graph(&steps[..inside], &edges).paths
        };
        assert_eq!(counted(10), 1 << 10);
        assert_eq!(counted(127), 1 << 127);
        assert_eq!(counted(130), u128::MAX);
        let json = serde_json::to_string(&analyze_graph(&steps, &edges)).expect("serializable");
        assert!(json.contains("\"paths\":\"340282366920938463463374607431768211455\""));
    }

    #[test]
    fn the_critical_path_is_the_longest_and_of_several_the_one_declared_first() {
        let steps = ["short", "b", "a", "b2", "a2", "end"];
        let edges = [("short", "end"), ("b", "b2"), ("a", "a2"), ("b2", "end"), ("a2", "end")];
        assert_eq!(analyze_graph(&steps, &edges).critical_path, ["b", "b2", "end"]);
    }
}
