//! Every module says first what it is.

use super::finding::Finding;
use super::tree::Tree;

/// Each `.rs` file begins with `//!`, but for the tests of a module, which the module describes.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust()
        .filter(|(file, _)| !file.text.starts_with("//!") && !file.path.ends_with("/tests.rs"))
        .map(|(file, _)| {
            Finding::new(
                &file.path,
                1,
                "the module does not begin with `//!`",
                "say in a sentence what it is and why it is there",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_begins_with_its_doc() {
        let good = Tree::of(&[("crates/a/src/b.rs", "//! Bees.\n"), ("README.md", "# No module\n")]);
        assert_eq!(check(&good), []);
        let bad = Tree::of(&[("crates/a/src/b.rs", "use x;\n//! Bees.\n"), ("tests/src/lib.rs", "")]);
        assert_eq!(check(&bad).len(), 2);
    }
}
