//! `cargo xtask layers`: who may import whom.
//!
//! Imports go strictly down the rungs, so that every crate can be read, built and tested without those above it. A
//! heavy foreign crate has one owner, so that it can be replaced in one place. Dev-dependencies are free: a test may
//! stand on anything.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use crate::workspace::{Package, Workspace};

/// The rungs from the lowest up. A package imports only packages of lower rungs.
pub(crate) const RUNGS: [&str; 7] = ["model", "contract", "logic", "adapter", "runtime", "binary", "top"];

/// Foreign crates and the packages that may import them. `*` at the end stands for any rest of the name.
const OWNERS: [(&str, &[&str]); 11] = [
    ("sqlx", &["tasker-sqlite", "tasker-postgres"]),
    ("axum", &["tasker-api"]),
    ("async-graphql", &["tasker-api"]),
    ("redis", &["tasker-redis"]),
    ("opentelemetry*", &["tasker-otlp", "tasker-export"]),
    ("tracing-opentelemetry", &["tasker-otlp", "tasker-export"]),
    ("config", &["tasker-runtime"]),
    ("jaq*", &["tasker-filter"]),
    ("jsonschema", &["tasker-core"]),
    ("saphyr*", &["tasker-core"]),
    ("reqwest", &["tasker-handler", "tasker-client", "tasker-export", "tasker-otlp"]),
];

/// Runs the command.
pub(crate) fn run() -> Result<()> {
    let packages = Workspace::load()?.packages;
    let findings = check(&packages);
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("wrong rungs or imports: {}; the rungs are {}", findings.len(), RUNGS.join(" < "));
    }
    println!("layers: {} packages import strictly down", packages.len());
    Ok(())
}

/// How high a rung is; `None` for a name that is no rung.
pub(crate) fn height(layer: &str) -> Option<usize> {
    RUNGS.iter().position(|rung| *rung == layer)
}

fn check(packages: &[Package]) -> Vec<String> {
    let layers: BTreeMap<&str, Option<&str>> =
        packages.iter().map(|package| (package.name.as_str(), package.layer())).collect();
    packages
        .iter()
        .flat_map(|package| {
            let edges = package.imports().into_iter().filter_map(|name| {
                let to = (*layers.get(name)?)?;
                wrong_edge(package, name, to)
            });
            let owners = package.imports().into_iter().filter_map(|name| wrong_owner(package, name));
            wrong_rung(package).into_iter().chain(edges).chain(owners).collect::<Vec<_>>()
        })
        .collect()
}

fn wrong_rung(package: &Package) -> Option<String> {
    let manifest = package.manifest().display();
    match package.layer() {
        None => Some(format!(
            "{manifest}: {} names no rung; add `[package.metadata.tasker]` with `layer = \"…\"`",
            package.name
        )),
        Some(layer) if height(layer).is_none() => Some(format!(
            "{manifest}: {} names the rung `{layer}`, which is none; use one of {}",
            package.name,
            RUNGS.join(", ")
        )),
        Some(_) => None,
    }
}

fn wrong_edge(package: &Package, import: &str, import_layer: &str) -> Option<String> {
    let layer = package.layer()?;
    if height(import_layer)? < height(layer)? {
        return None;
    }
    let remedy = if layer == import_layer {
        "move what both need to a lower rung, or let a higher one join them"
    } else {
        "let the lower crate define a trait for the higher one to implement, or move the code up"
    };
    Some(format!(
        "{}: {} ({layer}) imports {import} ({import_layer}), which is not below it; {remedy}",
        package.manifest().display(),
        package.name
    ))
}

fn wrong_owner(package: &Package, import: &str) -> Option<String> {
    let (_, owners) = OWNERS.iter().find(|(pattern, _)| matches(pattern, import))?;
    if owners.contains(&package.name.as_str()) {
        return None;
    }
    Some(format!(
        "{}: {} imports {import}, which only {} may; go through the owner's interface",
        package.manifest().display(),
        package.name,
        owners.join(" and ")
    ))
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::package;

    #[test]
    fn imports_down_the_rungs_are_welcome() {
        let graph = [
            package("core", Some("model"), &[("serde", None)]),
            package("store", Some("contract"), &[("core", None)]),
            package("tool", Some("top"), &[("core", None), ("store", None)]),
        ];
        assert_eq!(check(&graph), Vec::<String>::new());
    }

    #[test]
    fn an_import_upwards_names_both_crates_both_rungs_and_the_remedy() {
        let graph = [
            package("engine", Some("logic"), &[("postgres", None)]),
            package("postgres", Some("adapter"), &[]),
        ];
        let [finding] = check(&graph).try_into().expect("one finding");
        assert!(finding.contains("engine (logic) imports postgres (adapter)"), "{finding}");
        assert!(finding.contains("; let the lower crate define a trait"), "{finding}");
    }

    #[test]
    fn an_import_on_the_same_rung_is_refused_also_at_the_top() {
        for layer in ["logic", "top"] {
            let graph = [package("a", Some(layer), &[("b", None)]), package("b", Some(layer), &[])];
            assert_eq!(check(&graph).len(), 1, "{layer}");
        }
    }

    #[test]
    fn a_build_dependency_counts_and_a_dev_dependency_is_free() {
        let above = package("above", Some("adapter"), &[]);
        let build = package("a", Some("model"), &[("above", Some("build"))]);
        let dev = package("b", Some("model"), &[("above", Some("dev"))]);
        assert_eq!(check(&[above.clone(), build]).len(), 1);
        assert_eq!(check(&[above, dev]).len(), 0);
    }

    #[test]
    fn a_package_without_a_rung_or_with_an_unknown_one_is_told_so() {
        let findings = check(&[package("a", None, &[]), package("b", Some("attic"), &[])]);
        assert!(findings[0].contains("a names no rung; add"), "{findings:?}");
        assert!(
            findings[1].contains("b names the rung `attic`, which is none; use one of model"),
            "{findings:?}"
        );
    }

    #[test]
    fn a_heavy_crate_is_imported_by_its_owner_alone() {
        let owner = package("tasker-postgres", Some("adapter"), &[("sqlx", None)]);
        let other = package("tasker-engine", Some("logic"), &[("sqlx", None)]);
        let test = package("tasker-store", Some("contract"), &[("sqlx", Some("dev"))]);
        let [finding] = check(&[owner, other, test]).try_into().expect("one finding");
        assert!(finding.contains("tasker-engine imports sqlx, which only tasker-sqlite and"), "{finding}");
    }

    #[test]
    fn a_star_stands_for_the_rest_of_a_name() {
        let other = package("tasker-api", Some("adapter"), &[("opentelemetry-otlp", None)]);
        assert_eq!(check(&[other]).len(), 1);
        assert!(!matches("sqlx", "sqlx-core"));
    }
}
