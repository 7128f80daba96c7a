//! `cargo xtask gen`: pages that are lists, written from what they list, because hand-kept lists rot.

use std::fmt::Write;
use std::fs;

use anyhow::{Context, Result, bail};

use crate::layers;
use crate::shell;
use crate::workspace::{Package, Workspace};

/// Writes the generated pages of docs/reference, and the rules and the dashboard of deploy.
///
/// To add one, add a line to `PAGES` in xtask/src/generate.rs.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Writes nothing, and fails if a page is not what would be written.
    #[arg(long)]
    check: bool,
}

/// A page and what writes it.
struct Page {
    path: &'static str,
    source: Source,
}

/// What writes a page.
enum Source {
    /// A function of the manifests.
    Manifests(fn(&Workspace) -> String),
    /// What `cargo WORDS…` writes to its standard output.
    Cargo(&'static str),
}

/// All generated pages.
const PAGES: [Page; 12] = [
    Page {
        path: "deploy/grafana/tasker.json",
        source: Source::Cargo("run --quiet --package tasker-cli -- reference dashboard"),
    },
    Page {
        path: "deploy/prometheus/alerts.yml",
        source: Source::Cargo("run --quiet --package tasker-cli -- reference alerts"),
    },
    Page {
        path: "deploy/prometheus/recording.yml",
        source: Source::Cargo("run --quiet --package tasker-cli -- reference recordings"),
    },
    Page { path: "docs/reference/crates.md", source: Source::Manifests(crates) },
    Page { path: "docs/reference/edges.txt", source: Source::Manifests(edges) },
    Page {
        path: "docs/reference/cli.md",
        source: Source::Cargo("run --quiet --package tasker-cli -- reference cli"),
    },
    Page {
        path: "docs/reference/events.md",
        source: Source::Cargo("run --quiet --package tasker-cli -- reference events"),
    },
    Page {
        path: "docs/reference/metrics.md",
        source: Source::Cargo("run --quiet --package tasker-cli -- reference metrics"),
    },
    Page {
        path: "docs/reference/settings.md",
        source: Source::Cargo("run --quiet --package tasker-cli -- reference settings"),
    },
    Page {
        path: "docs/reference/traces.md",
        source: Source::Cargo("run --quiet --package tasker-cli -- reference traces"),
    },
    Page {
        path: "docs/reference/transitions.md",
        source: Source::Cargo("run --quiet --package tasker-cli -- reference transitions"),
    },
    Page { path: "docs/reference/xtask.txt", source: Source::Cargo("run --quiet --package xtask -- --help") },
];

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    if args.check { check() } else { write() }
}

/// Fails if a page is not what would be written.
pub(crate) fn check() -> Result<()> {
    let workspace = Workspace::load()?;
    let mut stale = Vec::new();
    for page in &PAGES {
        let found = fs::read_to_string(shell::root().join(page.path)).unwrap_or_default();
        if let Some(difference) = difference(&found, &page.text(&workspace)?) {
            println!("{}:{difference}", page.path);
            stale.push(page.path);
        }
    }
    if !stale.is_empty() {
        bail!("out of date: {}; run `cargo xtask gen` and commit what it writes", stale.join(", "));
    }
    println!("gen: {} pages are up to date", PAGES.len());
    Ok(())
}

fn write() -> Result<()> {
    let workspace = Workspace::load()?;
    for page in &PAGES {
        let path = shell::root().join(page.path);
        let folder = path.parent().expect("invariant: pages stand in folders");
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        fs::write(&path, page.text(&workspace)?).with_context(|| format!("cannot write {}", page.path))?;
        println!("gen: wrote {}", page.path);
    }
    Ok(())
}

impl Page {
    fn text(&self, workspace: &Workspace) -> Result<String> {
        match self.source {
            Source::Manifests(text) => Ok(text(workspace)),
            Source::Cargo(words) => shell::output(&mut shell::cargo(words)),
        }
    }
}

/// The first line in which two texts differ.
fn difference(found: &str, wanted: &str) -> Option<String> {
    if found == wanted {
        return None;
    }
    let (mut found, mut wanted) = (found.lines(), wanted.lines());
    for number in 1.. {
        match (found.next(), wanted.next()) {
            (None, None) => return Some(format!("{number}: the last line differs in its end")),
            (old, new) if old != new => {
                let shown =
                    |line: Option<&str>| line.map_or("nothing".to_owned(), |line| format!("`{line}`"));
                return Some(format!("{number}: has {}, should have {}", shown(old), shown(new)));
            }
            _ => {}
        }
    }
    None
}

fn crates(workspace: &Workspace) -> String {
    let mut packages: Vec<&Package> = workspace.packages.iter().collect();
    packages.sort_by_key(|package| (package.layer().and_then(layers::height), &package.name));
    let mut text = String::from(
        "<!-- Written by `cargo xtask gen` from the manifests. -->\n\n# Crates\n\n\
         A crate imports only crates of the rungs above it in this table; `cargo xtask layers` holds it to that.\n\n\
         | Rung | Crate | What it is for |\n|---|---|---|\n",
    );
    for package in packages {
        let rung = package.layer().unwrap_or("none");
        let description = package.description.as_deref().unwrap_or("");
        writeln!(text, "| {rung} | {} | {description} |", package.name)
            .expect("invariant: a String takes all");
    }
    text
}

fn edges(workspace: &Workspace) -> String {
    let mut lines: Vec<_> = workspace
        .packages
        .iter()
        .flat_map(|package| package.imports().into_iter().map(move |import| (package, import)))
        .filter(|(_, import)| workspace.package(import).is_some())
        .map(|(package, import)| format!("{} -> {import}\n", package.name))
        .collect();
    lines.sort_unstable();
    lines.concat()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::workspace::package;

    fn workspace() -> Workspace {
        let packages = vec![
            package("store", Some("contract"), &[("core", None), ("serde", None), ("tool", Some("dev"))]),
            package("tool", Some("top"), &[("store", None), ("core", None)]),
            package("core", Some("model"), &[]),
        ];
        Workspace { packages, target_directory: PathBuf::new() }
    }

    #[test]
    fn crates_are_listed_from_the_lowest_rung_up() {
        let page = crates(&workspace());
        let rows: Vec<_> = page.lines().filter(|line| line.contains("for.")).collect();
        assert_eq!(
            rows,
            [
                "| model | core | What core is for. |",
                "| contract | store | What store is for. |",
                "| top | tool | What tool is for. |"
            ]
        );
    }

    #[test]
    fn edges_are_the_normal_imports_inside_the_workspace() {
        assert_eq!(edges(&workspace()), "store -> core\ntool -> core\ntool -> store\n");
    }

    #[test]
    fn a_difference_names_its_line_and_both_sides() {
        assert_eq!(difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(difference("a\nb\n", "a\nc\n").as_deref(), Some("2: has `b`, should have `c`"));
        assert_eq!(difference("a\n", "a\nc\n").as_deref(), Some("2: has nothing, should have `c`"));
        assert_eq!(difference("a", "a\n").as_deref(), Some("2: the last line differs in its end"));
    }
}
