//! Cycles in edges that may be anything: one for each group of steps that wait for each other.

use std::collections::{HashMap, VecDeque};

use super::{Rows, ordinal};

/// One cycle for each strongly connected component of the edges that has one, in template order.
///
/// A cycle begins at the component's first step, follows the edges along a shortest way back, and
/// repeats that step at the end. Edges that leave the `steps` are ignored; a step that waits for
/// itself is a cycle of one edge.
pub fn cycles(steps: usize, edges: &[(u32, u32)]) -> Vec<Vec<u32>> {
    let inside = |&(from, to): &(u32, u32)| (from as usize) < steps && (to as usize) < steps;
    let edges: Vec<(u32, u32)> = edges.iter().copied().filter(inside).collect();
    let children = Rows::from_edges(steps, &edges);
    let component = components(&children);
    let mut reported = vec![false; steps];
    let mut found = Vec::new();
    for step in 0..ordinal(steps) {
        let group = component[step as usize] as usize;
        if !std::mem::replace(&mut reported[group], true) {
            found.extend(way_back(step, &children, &component));
        }
    }
    found
}

/// Numbers the strongly connected components (R. Tarjan, 1972), with a stack of our own.
fn components(children: &Rows) -> Vec<u32> {
    const OPEN: u32 = u32::MAX;
    let steps = children.starts.len() - 1;
    let mut index = vec![OPEN; steps];
    let mut low = vec![OPEN; steps];
    let mut component = vec![OPEN; steps];
    let (mut next_index, mut next_component) = (0, 0);
    let mut path = Vec::new();
    let mut calls: Vec<(u32, usize)> = Vec::new();
    for start in 0..ordinal(steps) {
        if index[start as usize] == OPEN {
            calls.push((start, 0));
        }
        while let Some((step, position)) = calls.pop() {
            let at = step as usize;
            if position == 0 {
                index[at] = next_index;
                low[at] = next_index;
                next_index += 1;
                path.push(step);
            }
            if let Some(&child) = children.row(step).get(position) {
                calls.push((step, position + 1));
                if index[child as usize] == OPEN {
                    calls.push((child, 0));
                } else if component[child as usize] == OPEN {
                    low[at] = low[at].min(index[child as usize]);
                }
                continue;
            }
            if low[at] == index[at] {
                while let Some(member) = path.pop() {
                    component[member as usize] = next_component;
                    if member == step {
                        break;
                    }
                }
                next_component += 1;
            }
            if let Some(&(caller, _)) = calls.last() {
                low[caller as usize] = low[caller as usize].min(low[at]);
            }
        }
    }
    component
}

/// A shortest cycle through `start` within its component, breadth first.
fn way_back(start: u32, children: &Rows, component: &[u32]) -> Option<Vec<u32>> {
    let home = component[start as usize];
    let mut came_from: HashMap<u32, u32> = HashMap::new();
    let mut open = VecDeque::from([start]);
    while let Some(step) = open.pop_front() {
        for &child in children.row(step) {
            if child == start {
                return Some(path_to(step, start, &came_from));
            }
            if component[child as usize] == home && !came_from.contains_key(&child) {
                came_from.insert(child, step);
                open.push_back(child);
            }
        }
    }
    None
}

fn path_to(last: u32, start: u32, came_from: &HashMap<u32, u32>) -> Vec<u32> {
    let mut path = vec![start, last];
    let mut step = last;
    while step != start {
        step = came_from[&step];
        path.push(step);
    }
    path.reverse();
    path
}
