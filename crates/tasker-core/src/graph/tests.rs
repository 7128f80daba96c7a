use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn graph(steps: usize, edges: &[(u32, u32)]) -> Graph {
    Graph::new(steps, edges).expect("acyclic")
}

#[test]
fn a_graph_without_steps_is_a_graph() {
    let graph = graph(0, &[]);
    assert!(graph.is_empty());
    assert_eq!((graph.roots().count(), graph.leaves().count(), graph.edge_count()), (0, 0, 0));
    assert!(graph.parents(0).is_empty() && graph.children(7).is_empty());
}

#[test]
fn a_repeated_edge_counts_once() {
    let graph = graph(3, &[(0, 2), (1, 2), (0, 2)]);
    assert_eq!(graph.edge_count(), 2);
    assert_eq!(graph.parents(2), [0, 1]);
    assert_eq!(graph.children(0), [2]);
}

#[test]
fn a_diamond_is_allowed() {
    let graph = graph(4, &[(0, 1), (0, 2), (1, 3), (2, 3)]);
    assert_eq!(graph.levels(), [0, 1, 1, 2]);
    assert_eq!(graph.ancestors(3), [0, 1, 2]);
    assert_eq!(graph.descendants(0), [1, 2, 3]);
    assert!(graph.ancestors(0).is_empty() && graph.descendants(3).is_empty());
}

#[test]
fn siblings_wait_for_the_same_steps() {
    let graph = graph(6, &[(0, 2), (0, 3), (0, 4), (1, 4), (0, 5), (1, 5)]);
    assert_eq!(graph.siblings(2), [3]);
    assert_eq!(graph.siblings(4), [5]);
    assert!(graph.siblings(0).is_empty(), "a step that waits for nothing has none");
}

#[test]
fn a_level_is_the_longest_way_from_a_root() {
    assert_eq!(graph(4, &[(0, 3), (0, 1), (1, 2), (2, 3)]).levels(), [0, 1, 2, 3]);
}

#[test]
fn the_order_keeps_to_the_template_where_it_may() {
    assert_eq!(graph(4, &[(0, 1), (2, 3)]).topological(), [0, 1, 2, 3]);
    assert_eq!(graph(4, &[(3, 0), (2, 1)]).topological(), [2, 1, 3, 0]);
}

#[test]
fn edges_that_make_no_graph_are_refused_by_name() {
    let names = ["a", "b", "c"];
    let refused = |edges: &[(u32, u32)]| {
        let error = Graph::new(3, edges).expect_err("refused");
        error.describe(|step| names[step as usize])
    };
    insta::assert_snapshot!(refused(&[(0, 0)]), @r#"step "a" depends on itself"#);
    insta::assert_snapshot!(refused(&[(0, 1), (1, 0)]), @"adding this edge would create a cycle in the workflow: a -> b -> a");
    insta::assert_snapshot!(refused(&[(0, 1), (1, 2), (2, 0)]), @"adding this edge would create a cycle in the workflow: a -> b -> c -> a");
    insta::assert_snapshot!(refused(&[(0, 3)]), @"the edge from step 0 to step 3 leaves the 3 steps there are");
    insta::assert_snapshot!(Graph::new(MAX_STEPS + 1, &[]).expect_err("too many"), @"1048575 steps are too many: a template may have 1048574; split it into several");
}

#[test]
fn a_graph_as_long_as_they_come_is_built_without_recursion() {
    let steps = ordinal(MAX_STEPS);
    let edges: Vec<(u32, u32)> = (1..steps).map(|step| (step - 1, step)).collect();
    let graph = graph(MAX_STEPS, &edges);
    assert_eq!(graph.levels().last(), Some(&(steps - 1)));
    assert_eq!(graph.ancestors(steps - 1).len(), MAX_STEPS - 1);
    let mut ring = edges;
    ring.push((steps - 1, 0));
    let error = Graph::new(MAX_STEPS, &ring).expect_err("a ring");
    assert!(matches!(error, GraphError::Cycle { path } if path.len() == MAX_STEPS + 1));
}

#[test]
fn sequential_steps_share_no_level() {
    let chained = graph(5, &[(4, 0), (1, 2)]).sequential();
    assert_eq!(chained.topological(), [1, 2, 3, 4, 0]);
    let levels: BTreeSet<u32> = chained.levels().iter().copied().collect();
    assert_eq!(levels.len(), 5);
}

fn any_edges() -> impl Strategy<Value = (usize, Vec<(u32, u32)>)> {
    (1usize..24).prop_flat_map(|steps| {
        let step = 0..ordinal(steps);
        (Just(steps), prop::collection::vec((step.clone(), step), 0..40))
    })
}

fn forward_edges() -> impl Strategy<Value = (usize, Vec<(u32, u32)>)> {
    any_edges().prop_map(|(steps, edges)| {
        let forward = edges.into_iter().filter(|(from, to)| from != to);
        (steps, forward.map(|(from, to)| (from.min(to), from.max(to))).collect())
    })
}

fn is_cycle(path: &[u32], edges: &[(u32, u32)]) -> bool {
    let follows = path.windows(2).all(|pair| matches!(pair, [from, to] if edges.contains(&(*from, *to))));
    let inside: BTreeSet<&u32> = path.iter().collect();
    follows && path.len() >= 2 && path.first() == path.last() && inside.len() == path.len() - 1
}

proptest! {
    #[test]
    fn the_order_respects_every_edge((steps, edges) in forward_edges()) {
        let graph = graph(steps, &edges);
        let mut position = vec![0; steps];
        for (index, step) in graph.topological().iter().enumerate() {
            position[*step as usize] = index;
        }
        for (from, to) in &edges {
            prop_assert!(position[*from as usize] < position[*to as usize]);
            prop_assert!(graph.levels()[*from as usize] < graph.levels()[*to as usize]);
            prop_assert!(graph.children(*from).contains(to) && graph.parents(*to).contains(from));
        }
        let distinct: BTreeSet<(u32, u32)> = edges.iter().copied().collect();
        prop_assert_eq!(graph.edges().collect::<BTreeSet<_>>(), distinct.clone());
        prop_assert_eq!(graph.edge_count(), distinct.len());
    }

    #[test]
    fn a_level_is_one_more_than_the_highest_above((steps, edges) in forward_edges()) {
        let graph = graph(steps, &edges);
        for step in 0..ordinal(steps) {
            let above = graph.parents(step).iter().map(|parent| graph.levels()[*parent as usize] + 1).max();
            prop_assert_eq!(graph.levels()[step as usize], above.unwrap_or(0));
        }
    }

    #[test]
    fn there_is_a_cycle_where_and_only_where_there_is_no_order((steps, edges) in any_edges()) {
        let cycles = cycles(steps, &edges);
        prop_assert!(cycles.iter().all(|path| is_cycle(path, &edges)));
        match Graph::new(steps, &edges) {
            Ok(_) => prop_assert!(cycles.is_empty()),
            Err(GraphError::Cycle { path }) => prop_assert_eq!(Some(&path), cycles.first()),
            Err(GraphError::SelfEdge { .. }) => prop_assert!(!cycles.is_empty()),
            Err(error) => prop_assert!(false, "{}", error),
        }
    }

    #[test]
    fn who_is_above_and_who_is_below_agree((steps, edges) in forward_edges()) {
        let graph = graph(steps, &edges);
        for step in 0..ordinal(steps) {
            for above in graph.ancestors(step) {
                prop_assert!(graph.descendants(above).contains(&step));
            }
        }
    }
}
