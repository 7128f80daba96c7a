//! The dependency graph of a template: acyclic by construction, compact, and never walked recursively.
//!
//! A step is named by its *ordinal*, its index in the template. Edges run from a step to the steps that
//! wait for it. Both directions are kept as compressed sparse rows, so that a graph of `n` steps and `e`
//! edges takes `4·(4n + 2e)` bytes. It is built in time linear in both, but for the heap that keeps steps in
//! their declared order where the edges leave a choice.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

pub use cycles::cycles;

mod cycles;

/// The most steps a graph may have: what fits the 20 bits of an ordinal in a step's id.
pub const MAX_STEPS: usize = (1 << 20) - 2;

/// Edges that make no graph.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// More steps than [`MAX_STEPS`].
    #[error("{steps} steps are too many: a template may have {MAX_STEPS}; split it into several")]
    TooManySteps {
        /// How many were given.
        steps: usize,
    },
    /// An edge from or to a step that does not exist.
    #[error("the edge from step {from} to step {to} leaves the {steps} steps there are")]
    UnknownStep {
        /// Where the edge begins.
        from: u32,
        /// Where the edge ends.
        to: u32,
        /// How many steps there are.
        steps: usize,
    },
    /// A step that waits for itself.
    #[error("step {step} depends on itself")]
    SelfEdge {
        /// The step.
        step: u32,
    },
    /// Steps that wait for each other. See [`GraphError::describe`] for a text with their names.
    #[error("adding this edge would create a cycle in the workflow: {path:?}")]
    Cycle {
        /// The steps in the order of the edges; the first is repeated at the end.
        path: Vec<u32>,
    },
}

impl GraphError {
    /// The message of this error with the names of the steps instead of their ordinals.
    pub fn describe<N: AsRef<str>>(&self, name: impl Fn(u32) -> N) -> String {
        match self {
            Self::TooManySteps { .. } | Self::UnknownStep { .. } => self.to_string(),
            Self::SelfEdge { step } => format!("step {:?} depends on itself", name(*step).as_ref()),
            Self::Cycle { path } => {
                let names: Vec<String> = path.iter().map(|step| name(*step).as_ref().to_owned()).collect();
                format!("adding this edge would create a cycle in the workflow: {}", names.join(" -> "))
            }
        }
    }
}

/// A directed acyclic graph over the steps `0..len()`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    parents: Rows,
    children: Rows,
    topological: Box<[u32]>,
    levels: Box<[u32]>,
}

impl Graph {
    /// A graph of `steps` steps with `edges` from a step to one that waits for it; repeated edges count once.
    ///
    /// # Errors
    /// [`GraphError`] when there are too many steps, or an edge leaves them, or begins and ends at the same
    /// step, or closes a cycle.
    pub fn new(steps: usize, edges: &[(u32, u32)]) -> Result<Self, GraphError> {
        check_edges(steps, edges)?;
        let parents = Rows::from_edges(steps, edges).transposed();
        let children = parents.transposed();
        let Some(topological) = sort(&parents, &children) else {
            let path = cycles(steps, edges).into_iter().next();
            return Err(GraphError::Cycle { path: path.unwrap_or_default() });
        };
        let levels = levels(&parents, &topological);
        Ok(Self { parents, children, topological: topological.into(), levels: levels.into() })
    }

    /// How many steps there are.
    pub fn len(&self) -> usize {
        self.topological.len()
    }

    /// Whether there is no step.
    pub fn is_empty(&self) -> bool {
        self.topological.is_empty()
    }

    /// How many edges there are.
    pub fn edge_count(&self) -> usize {
        self.children.targets.len()
    }

    /// All edges, ordered by where they begin and then by where they end.
    pub fn edges(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.ordinals().flat_map(|from| self.children(from).iter().map(move |to| (from, *to)))
    }

    /// The steps that `step` waits for, in template order; none for an ordinal out of range.
    pub fn parents(&self, step: u32) -> &[u32] {
        self.parents.row(step)
    }

    /// The steps that wait for `step`, in template order; none for an ordinal out of range.
    pub fn children(&self, step: u32) -> &[u32] {
        self.children.row(step)
    }

    /// The steps that wait for nothing, in template order.
    pub fn roots(&self) -> impl Iterator<Item = u32> + '_ {
        self.ordinals().filter(|step| self.parents(*step).is_empty())
    }

    /// The steps that nothing waits for, in template order.
    pub fn leaves(&self) -> impl Iterator<Item = u32> + '_ {
        self.ordinals().filter(|step| self.children(*step).is_empty())
    }

    /// For each step the number of edges on the longest path to it from a root.
    pub fn levels(&self) -> &[u32] {
        &self.levels
    }

    /// Every step after all that it waits for; where several could follow, the one declared first.
    pub fn topological(&self) -> &[u32] {
        &self.topological
    }

    /// The other steps that wait for exactly what `step` waits for; none for a step that waits for nothing.
    pub fn siblings(&self, step: u32) -> Vec<u32> {
        let parents = self.parents(step);
        let Some(first) = parents.first() else {
            return Vec::new();
        };
        let others = self.children(*first).iter().copied();
        others.filter(|other| *other != step && self.parents(*other) == parents).collect()
    }

    /// All steps that `step` waits for, directly or not, in template order.
    pub fn ancestors(&self, step: u32) -> Vec<u32> {
        self.parents.reachable_from(step)
    }

    /// All steps that wait for `step`, directly or not, in template order.
    pub fn descendants(&self, step: u32) -> Vec<u32> {
        self.children.reachable_from(step)
    }

    /// This graph with further edges that make its steps run one after another, in topological order.
    pub(crate) fn sequential(&self) -> Self {
        let chain = self.topological.windows(2).filter_map(|pair| match pair {
            [before, after] => Some((*before, *after)),
            _ => None,
        });
        let edges: Vec<(u32, u32)> = self.edges().chain(chain).collect();
        Self::new(self.len(), &edges).expect("invariant: edges along a topological order close no cycle")
    }

    fn ordinals(&self) -> impl Iterator<Item = u32> + use<> {
        0..ordinal(self.len())
    }
}

/// Adjacency as compressed sparse rows: the targets of step `i` are `targets[starts[i]..starts[i + 1]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rows {
    starts: Box<[u32]>,
    targets: Box<[u32]>,
}

impl Rows {
    /// Rows in the order of the edges, repeated ones included.
    fn from_edges(steps: usize, edges: &[(u32, u32)]) -> Self {
        let mut starts = vec![0u32; steps + 1];
        for (from, _) in edges {
            starts[*from as usize + 1] += 1;
        }
        for index in 0..steps {
            starts[index + 1] += starts[index];
        }
        let mut next = starts.clone();
        let mut targets = vec![0u32; edges.len()];
        for (from, to) in edges {
            let slot = &mut next[*from as usize];
            targets[*slot as usize] = *to;
            *slot += 1;
        }
        Self { starts: starts.into(), targets: targets.into() }
    }

    /// The same edges the other way round; rows are sorted and hold no target twice.
    fn transposed(&self) -> Self {
        let steps = self.starts.len() - 1;
        let mut last = vec![u32::MAX; steps];
        let mut reversed = Vec::with_capacity(self.targets.len());
        for from in 0..ordinal(steps) {
            for to in self.row(from) {
                if last[*to as usize] != from {
                    last[*to as usize] = from;
                    reversed.push((*to, from));
                }
            }
        }
        Self::from_edges(steps, &reversed)
    }

    fn row(&self, step: u32) -> &[u32] {
        let step = step as usize;
        match (self.starts.get(step), self.starts.get(step + 1)) {
            (Some(start), Some(end)) => &self.targets[*start as usize..*end as usize],
            _ => &[],
        }
    }

    fn reachable_from(&self, step: u32) -> Vec<u32> {
        let mut seen = vec![false; self.starts.len() - 1];
        let mut found = Vec::new();
        let mut open = vec![step];
        while let Some(current) = open.pop() {
            for next in self.row(current) {
                if !std::mem::replace(&mut seen[*next as usize], true) {
                    found.push(*next);
                    open.push(*next);
                }
            }
        }
        found.sort_unstable();
        found
    }
}

fn check_edges(steps: usize, edges: &[(u32, u32)]) -> Result<(), GraphError> {
    if steps > MAX_STEPS {
        return Err(GraphError::TooManySteps { steps });
    }
    for &(from, to) in edges {
        if from as usize >= steps || to as usize >= steps {
            return Err(GraphError::UnknownStep { from, to, steps });
        }
        if from == to {
            return Err(GraphError::SelfEdge { step: from });
        }
    }
    Ok(())
}

/// Kahn's algorithm (A. B. Kahn, 1962), the smallest ordinal first; `None` if there is a cycle.
fn sort(parents: &Rows, children: &Rows) -> Option<Vec<u32>> {
    let steps = parents.starts.len() - 1;
    let mut unmet: Vec<usize> = (0..ordinal(steps)).map(|step| parents.row(step).len()).collect();
    let mut free: BinaryHeap<Reverse<u32>> =
        (0..ordinal(steps)).filter(|step| unmet[*step as usize] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(steps);
    while let Some(Reverse(step)) = free.pop() {
        order.push(step);
        for child in children.row(step) {
            unmet[*child as usize] -= 1;
            if unmet[*child as usize] == 0 {
                free.push(Reverse(*child));
            }
        }
    }
    (order.len() == steps).then_some(order)
}

fn levels(parents: &Rows, topological: &[u32]) -> Vec<u32> {
    let mut levels = vec![0u32; topological.len()];
    for step in topological {
        let above = parents.row(*step).iter().map(|parent| levels[*parent as usize] + 1).max();
        levels[*step as usize] = above.unwrap_or(0);
    }
    levels
}

/// An index below [`MAX_STEPS`] as an ordinal.
pub(crate) fn ordinal(index: usize) -> u32 {
    u32::try_from(index).expect("invariant: no graph has more than MAX_STEPS steps")
}

#[cfg(test)]
mod tests;
