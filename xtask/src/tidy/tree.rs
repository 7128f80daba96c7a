//! The files that the rules look at.

use std::collections::BTreeSet;
use std::fs;

use anyhow::Result;

use super::rust::Rust;
use crate::shell;

/// All text files that git tracks or would track.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) files: Vec<File>,
    /// Every file and folder, also those that are no text.
    places: BTreeSet<String>,
}

/// One text file.
#[derive(Debug)]
pub(super) struct File {
    /// From the root of the repository.
    pub(super) path: String,
    pub(super) text: String,
    /// For `.rs` files.
    pub(super) rust: Option<Rust>,
}

impl Tree {
    /// Reads the repository. Binary files are known by name only.
    pub(super) fn read() -> Result<Self> {
        let mut git = shell::program("git");
        let names =
            shell::output(git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]))?;
        let read = |name: &str| {
            let path = shell::root().join(name);
            let is_link = path.symlink_metadata().ok()?.is_symlink();
            Some((name.to_owned(), fs::read_to_string(path).ok().filter(|_| !is_link)))
        };
        Ok(Self::new(names.split_terminator('\0').filter_map(read)))
    }

    /// A tree of these files; `None` stands for one that is no text.
    pub(super) fn new(files: impl IntoIterator<Item = (String, Option<String>)>) -> Self {
        let mut tree = Self { files: Vec::new(), places: BTreeSet::new() };
        for (path, text) in files {
            for (at, _) in path.match_indices('/') {
                tree.places.insert(path[..at].to_owned());
            }
            tree.places.insert(path.clone());
            let Some(text) = text else { continue };
            let rust = has_extension(&path, "rs").then(|| Rust::new(&text));
            tree.files.push(File { path, text, rust });
        }
        tree.mark_tests();
        tree
    }

    /// A tree of made-up files for tests of rules.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        Self::new(files.iter().map(|(path, text)| ((*path).to_owned(), Some((*text).to_owned()))))
    }

    /// Whether there is a file or folder of this name.
    pub(super) fn has(&self, place: &str) -> bool {
        place.is_empty() || self.places.contains(place)
    }

    /// The Rust files.
    pub(super) fn rust(&self) -> impl Iterator<Item = (&File, &Rust)> {
        self.files.iter().filter_map(|file| Some((file, file.rust.as_ref()?)))
    }

    /// Files in folders of tests and benchmarks, and modules that are declared for tests only.
    fn mark_tests(&mut self) {
        let declared: BTreeSet<String> = self
            .rust()
            .flat_map(|(file, rust)| rust.test_modules().into_iter().map(|name| file.module(name)))
            .collect();
        for file in &mut self.files {
            let module = file.path.trim_end_matches(".rs").trim_end_matches("/mod");
            let within = |test: &String| module == *test || module.starts_with(&format!("{test}/"));
            if declared.iter().any(within) || is_in_test_folder(&file.path) {
                file.rust.iter_mut().for_each(Rust::is_all_test);
            }
        }
    }
}

impl File {
    /// The lines with their numbers, counted from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }

    /// Whether the name ends with `.extension`.
    pub(super) fn has_extension(&self, extension: &str) -> bool {
        has_extension(&self.path, extension)
    }

    /// The path, without `.rs`, of the module that is declared here under this name.
    fn module(&self, name: &str) -> String {
        let (folder, file) = self.path.rsplit_once('/').unwrap_or(("", &self.path));
        match file {
            "lib.rs" | "main.rs" | "mod.rs" => format!("{folder}/{name}"),
            _ => format!("{folder}/{}/{name}", file.trim_end_matches(".rs")),
        }
    }
}

fn has_extension(path: &str, extension: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, end)| end == extension)
}

fn is_in_test_folder(path: &str) -> bool {
    let (folders, _) = path.rsplit_once('/').unwrap_or_default();
    folders.split('/').any(|folder| folder == "tests" || folder == "benches")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_tests_by_their_folder_or_by_how_they_are_declared() {
        let tree = Tree::of(&[
            ("crates/a/src/lib.rs", "#[cfg(test)]\nmod doubles;\nmod b;\n"),
            ("crates/a/src/doubles.rs", "x\n"),
            ("crates/a/src/doubles/clock.rs", "x\n"),
            ("crates/a/src/b.rs", "#[cfg(test)]\nmod tests;\n"),
            ("crates/a/src/b/tests.rs", "x\n"),
            ("crates/a/src/b/other.rs", "x\n"),
            ("crates/a/tests/it.rs", "x\n"),
            ("crates/a/benches/speed.rs", "x\n"),
        ]);
        let tests: Vec<_> = tree.rust().filter(|(_, rust)| rust.product_lines() == 0).collect();
        let paths: Vec<_> = tests.iter().map(|(file, _)| file.path.trim_start_matches("crates/a/")).collect();
        assert_eq!(
            paths,
            [
                "src/doubles.rs",
                "src/doubles/clock.rs",
                "src/b.rs",
                "src/b/tests.rs",
                "tests/it.rs",
                "benches/speed.rs"
            ]
        );
    }

    #[test]
    fn files_and_their_folders_are_places() {
        let tree = Tree::of(&[("docs/a/b.md", "")]);
        assert!(tree.has("docs/a/b.md") && tree.has("docs/a") && tree.has("docs") && tree.has(""));
        assert!(!tree.has("docs/b.md"));
    }
}
