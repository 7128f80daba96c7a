//! `cargo xtask tidy`: house rules that a text can be held to.
//!
//! A rule is a function from the [`Tree`] of files to [`Finding`]s, one file per rule or family of rules, with a
//! snippet that fails and one that passes in its tests.

mod figures;
mod finding;
mod links;
mod marks;
mod mask;
mod names;
mod opening;
mod paths;
mod ratchet;
mod rust;
mod sizes;
mod sleeps;
mod space;
mod sql;
mod tree;

use anyhow::{Result, bail};

use self::finding::Finding;
use self::tree::Tree;

/// A rule looks at all files and tells what is wrong.
type Rule = fn(&Tree) -> Vec<Finding>;

/// All rules.
const RULES: [Rule; 9] = [
    opening::check,
    sizes::check,
    names::check,
    marks::check,
    sleeps::check,
    sql::check,
    links::check,
    paths::check,
    space::check,
];

/// Runs the command.
pub(crate) fn run() -> Result<()> {
    let tree = Tree::read()?;
    let mut findings: Vec<Finding> = RULES.iter().flat_map(|rule| rule(&tree)).collect();
    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    println!("tidy: {}", figures::of(&tree));
    if !findings.is_empty() {
        bail!("findings: {}; each line above ends with its remedy", findings.len());
    }
    Ok(())
}
