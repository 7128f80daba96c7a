//! A file holds one idea, a function fits a screen, a crate can be read.

use std::collections::BTreeMap;

use super::finding::Finding;
use super::ratchet::{self, Excess, Ratchet};
use super::rust::Rust;
use super::tree::{File, Tree};

/// Lines of a file without what is compiled for tests only.
const FILE: usize = 400;
/// Lines of a `lib.rs`, which is a page: crate doc, modules in reading order, re-exports.
const LIB: usize = 80;
/// Lines of a function, from `fn` to the closing brace.
const FUNCTION: usize = 60;
/// Lines of a crate without what is compiled for tests only.
const CRATE: usize = 6_000;

/// Checks files, functions and crates of the product and of xtask against their limits.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let ratchet = tree.files.iter().find(|file| file.path == ratchet::PATH);
    let files =
        tree.rust().filter(|(file, _)| file.path.starts_with("crates/") || file.path.starts_with("xtask/"));
    let excesses =
        files.flat_map(|(file, rust)| [long_file(file, rust), long_functions(file, rust)].concat());
    let excesses = excesses.chain(large_crates(tree)).collect();
    Ratchet::new(ratchet.map_or("", |file| &file.text)).judge(excesses)
}

/// Lines by crate, the largest first.
pub(super) fn crates(tree: &Tree) -> Vec<(String, usize)> {
    let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
    // A conformance suite is a test, although other crates compile it.
    for (file, rust) in tree.rust().filter(|(file, _)| !file.path.contains("/conformance/")) {
        let mut folders = file.path.split('/');
        if let (Some("crates"), Some(name)) = (folders.next(), folders.next()) {
            *sizes.entry(format!("crates/{name}")).or_default() += rust.product_lines();
        }
    }
    let mut sizes: Vec<_> = sizes.into_iter().collect();
    sizes.sort_by_key(|(_, lines)| std::cmp::Reverse(*lines));
    sizes
}

fn long_file(file: &File, rust: &Rust) -> Vec<Excess> {
    let is_lib = file.path.ends_with("/src/lib.rs");
    let size = rust.product_lines();
    let limit = if is_lib { LIB } else { FILE };
    if size <= limit {
        return Vec::new();
    }
    vec![Excess {
        key: file.path.clone(),
        path: file.path.clone(),
        line: 1,
        what: if is_lib { "`lib.rs`, which is a page," } else { "the file without its tests" }.to_owned(),
        size,
        limit,
        remedy: "give each idea a file of its own",
    }]
}

fn long_functions(file: &File, rust: &Rust) -> Vec<Excess> {
    rust.functions()
        .into_iter()
        .filter(|function| function.lines > FUNCTION && !rust.is_test(function.line))
        .map(|function| Excess {
            key: format!("{}::{}", file.path, function.name),
            path: file.path.clone(),
            line: function.line,
            what: format!("function `{}`", function.name),
            size: function.lines,
            limit: FUNCTION,
            remedy: "name its parts and let it call them",
        })
        .collect()
}

fn large_crates(tree: &Tree) -> impl Iterator<Item = Excess> {
    crates(tree).into_iter().filter(|(_, lines)| *lines > CRATE).map(|(path, size)| Excess {
        key: path.clone(),
        line: 1,
        what: "the crate without its tests".to_owned(),
        size,
        limit: CRATE,
        remedy: "find the second mechanism in it and give it a crate",
        path,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::lines;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        lines(&check(&Tree::of(files)))
    }

    #[test]
    fn a_file_may_have_400_lines_beside_its_tests() {
        let tests = "#[cfg(test)]\nmod tests {\n//\n//\n}\n";
        let good = format!("{}{tests}", "//\n".repeat(400));
        assert_eq!(found(&[("crates/a/src/b.rs", &good)]), Vec::<String>::new());
        let bad = format!("{}{tests}", "//\n".repeat(401));
        assert_eq!(
            found(&[("crates/a/src/b.rs", &bad)]),
            [
                "crates/a/src/b.rs:1: the file without its tests has 401 lines, over 400; give each idea a file of its own"
            ]
        );
        assert_eq!(found(&[("crates/a/tests/b.rs", &bad), ("tests/src/b.rs", &bad)]), Vec::<String>::new());
    }

    #[test]
    fn a_lib_is_a_page_of_80_lines() {
        assert_eq!(found(&[("crates/a/src/lib.rs", &"//\n".repeat(80))]), Vec::<String>::new());
        assert_eq!(found(&[("crates/a/src/lib.rs", &"//\n".repeat(81))]).len(), 1);
    }

    #[test]
    fn a_function_may_have_60_lines_unless_it_is_a_test() {
        let function = |lines: usize| format!("fn long() {{\n{}}}\n", "//\n".repeat(lines - 2));
        assert_eq!(found(&[("xtask/src/b.rs", &function(60))]), Vec::<String>::new());
        assert_eq!(
            found(&[("xtask/src/b.rs", &function(61))]),
            ["xtask/src/b.rs:1: function `long` has 61 lines, over 60; name its parts and let it call them"]
        );
        let test = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", function(61));
        assert_eq!(found(&[("xtask/src/b.rs", &test)]), Vec::<String>::new());
    }

    #[test]
    fn the_ratchet_knows_a_function_by_file_and_name() {
        let long = format!("fn long() {{\n{}}}\n", "//\n".repeat(60));
        let ratchet = (ratchet::PATH, "xtask/src/b.rs::long 62\n");
        assert_eq!(found(&[("xtask/src/b.rs", &long), ratchet]), Vec::<String>::new());
        assert_eq!(found(&[ratchet]).len(), 1, "an entry for nothing");
    }

    #[test]
    fn a_crate_may_have_6000_lines() {
        let file = "//\n".repeat(400);
        let paths: Vec<_> = (0..16).map(|n| format!("crates/a/src/f{n}.rs")).collect();
        let files: Vec<_> = paths.iter().map(|path| (path.as_str(), file.as_str())).collect();
        assert_eq!(found(&files[..15]), Vec::<String>::new());
        assert!(
            found(&files)[0].starts_with("crates/a:1: the crate without its tests has 6400 lines, over 6000")
        );
    }
}
