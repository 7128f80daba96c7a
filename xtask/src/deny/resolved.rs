//! Every package that the product is built from, and who imports whom (`cargo metadata`).

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::shell;

/// The packages that are reached from the workspace without dev-dependencies.
#[derive(Debug)]
pub(super) struct Resolved {
    packages: Vec<Package>,
}

/// One package.
#[derive(Debug, Deserialize)]
pub(super) struct Package {
    id: String,
    pub(super) name: String,
    pub(super) version: String,
    /// `None` for our own.
    pub(super) source: Option<String>,
    pub(super) license: Option<String>,
    /// The names of the packages that it imports.
    #[serde(skip)]
    pub(super) imports: Vec<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
    resolve: Graph,
}

#[derive(Deserialize)]
struct Graph {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<EdgeKind>,
}

#[derive(Deserialize)]
struct EdgeKind {
    kind: Option<String>,
}

impl Resolved {
    /// Asks cargo.
    pub(super) fn load() -> Result<Self> {
        Self::read(&shell::output(&mut shell::cargo("metadata --format-version 1 --all-features"))?)
    }

    /// Reads what `cargo metadata` wrote.
    pub(super) fn read(json: &str) -> Result<Self> {
        let metadata: Metadata =
            serde_json::from_str(json).context("`cargo metadata` wrote an unknown shape")?;
        let edges = edges(&metadata.resolve);
        let reached = reached(&metadata.workspace_members, &edges);
        let names: BTreeMap<String, String> =
            metadata.packages.iter().map(|package| (package.id.clone(), package.name.clone())).collect();
        let mut packages: Vec<Package> =
            metadata.packages.into_iter().filter(|package| reached.contains(package.id.as_str())).collect();
        for package in &mut packages {
            let ids = edges.get(package.id.as_str()).into_iter().flatten();
            package.imports = ids.filter_map(|id| names.get(*id).cloned()).collect();
        }
        Ok(Self { packages })
    }

    /// The packages, ours and foreign.
    pub(super) fn packages(&self) -> &[Package] {
        &self.packages
    }
}

impl Package {
    /// Whether it belongs to the workspace.
    pub(super) fn is_ours(&self) -> bool {
        self.source.is_none()
    }
}

/// Normal and build edges by package id.
fn edges(graph: &Graph) -> BTreeMap<&str, Vec<&str>> {
    let ships = |edge: &&Edge| edge.dep_kinds.iter().any(|kind| kind.kind.as_deref() != Some("dev"));
    graph
        .nodes
        .iter()
        .map(|node| {
            (node.id.as_str(), node.deps.iter().filter(ships).map(|edge| edge.pkg.as_str()).collect())
        })
        .collect()
}

fn reached<'a>(members: &'a [String], edges: &BTreeMap<&'a str, Vec<&'a str>>) -> BTreeSet<&'a str> {
    let mut open: Vec<&str> = members.iter().map(String::as_str).collect();
    let mut reached = BTreeSet::new();
    while let Some(id) = open.pop() {
        if reached.insert(id) {
            open.extend(edges.get(id).into_iter().flatten());
        }
    }
    reached
}
