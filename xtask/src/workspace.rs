//! The packages of this workspace, as their manifests describe them (`cargo metadata`).

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::shell;

/// All packages of the workspace, without their foreign dependencies.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    pub(crate) packages: Vec<Package>,
    pub(crate) target_directory: PathBuf,
}

/// One package.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) description: Option<String>,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) targets: Vec<Target>,
    metadata: Option<Metadata>,
}

/// What a package depends on.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    kind: Option<String>,
}

/// What a package builds.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Metadata {
    tasker: Option<Tasker>,
}

#[derive(Debug, Clone, Deserialize)]
struct Tasker {
    layer: Option<String>,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn load() -> Result<Self> {
        let json = shell::output(&mut shell::cargo("metadata --format-version 1 --no-deps"))?;
        serde_json::from_str(&json).context("`cargo metadata` wrote an unknown shape")
    }

    /// The package of this name.
    pub(crate) fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }
}

impl Package {
    /// The rung that the manifest names.
    pub(crate) fn layer(&self) -> Option<&str> {
        self.metadata.as_ref()?.tasker.as_ref()?.layer.as_deref()
    }

    /// What the package itself is built from, each name once: normal and build dependencies.
    pub(crate) fn imports(&self) -> Vec<&str> {
        let mut names: Vec<_> =
            self.dependencies.iter().filter(|d| !d.is_dev()).map(|d| d.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The manifest's path from the root of the repository.
    pub(crate) fn manifest(&self) -> &Path {
        self.manifest_path.strip_prefix(shell::root()).unwrap_or(&self.manifest_path)
    }
}

impl Dependency {
    /// Whether only tests, examples and benchmarks need it.
    fn is_dev(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

/// A made-up package for tests: `edges` are `("name", None)` or `("name", Some("dev"))`.
#[cfg(test)]
pub(crate) fn package(name: &str, layer: Option<&str>, edges: &[(&str, Option<&str>)]) -> Package {
    let dependency = |&(name, kind): &(&str, Option<&str>)| Dependency {
        name: name.to_owned(),
        kind: kind.map(str::to_owned),
    };
    Package {
        name: name.to_owned(),
        version: "0.1.0".to_owned(),
        description: Some(format!("What {name} is for.")),
        manifest_path: PathBuf::from(format!("crates/{name}/Cargo.toml")),
        dependencies: edges.iter().map(dependency).collect(),
        targets: Vec::new(),
        metadata: Some(Metadata { tasker: Some(Tasker { layer: layer.map(str::to_owned) }) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_of_cargo_is_read() {
        let json = r#"{"target_directory": "target", "packages": [
            {"name": "a", "version": "1.0.0", "description": null, "manifest_path": "a/Cargo.toml", "targets": [],
             "metadata": {"tasker": {"layer": "model"}}, "dependencies": [
                {"name": "x", "kind": null}, {"name": "x", "kind": "build"}, {"name": "y", "kind": "dev"}]},
            {"name": "b", "version": "1.0.0", "description": null, "manifest_path": "b/Cargo.toml", "targets": [],
             "metadata": null, "dependencies": []}]}"#;
        let workspace: Workspace = serde_json::from_str(json).expect("the shape of cargo metadata");
        let [a, b] = workspace.packages.as_slice() else { panic!("two packages") };
        assert_eq!((a.layer(), a.imports()), (Some("model"), vec!["x"]));
        assert_eq!((b.layer(), b.imports()), (None, vec![]));
    }
}
