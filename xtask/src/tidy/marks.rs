//! Nothing is left for later in the text, and no test is switched off.

use super::finding::Finding;
use super::tree::{File, Tree};

/// Marks of unfinished work.
const MARKS: [&str; 4] = ["TODO", "FIXME", "XXX", "HACK"];

/// What may carry a mark beside Rust: files whose comments begin with `#`, `--` or `//`.
const EXTENSIONS: [&str; 6] = ["sql", "toml", "yml", "yaml", "sh", "js"];

/// Checks comments for marks and tests for `#[ignore]`.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.files.iter().flat_map(|file| marks(file).into_iter().chain(ignored(file))).collect()
}

fn marks(file: &File) -> Vec<Finding> {
    let text = match &file.rust {
        Some(rust) => &rust.comments,
        None if EXTENSIONS.iter().any(|extension| file.has_extension(extension)) => &file.text,
        None => return Vec::new(),
    };
    let found = (1..).zip(text.lines()).filter_map(|(number, line)| {
        let mark = MARKS.into_iter().find(|mark| has_word(line, mark))?;
        Some(Finding::new(
            &file.path,
            number,
            format!("`{mark}` is work left in the text"),
            "do it, or write an issue and say here what holds today",
        ))
    });
    found.collect()
}

fn ignored(file: &File) -> Vec<Finding> {
    let Some(rust) = &file.rust else { return Vec::new() };
    let lines = (1..).zip(rust.code.lines()).filter(|(_, line)| line.contains("#[ignore"));
    lines
        .map(|(number, _)| {
            Finding::new(
                &file.path,
                number,
                "an ignored test proves nothing",
                "give it what it needs (`cargo xtask services` has servers) or delete it",
            )
        })
        .collect()
}

fn has_word(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(is_part) && !line[at + word.len()..].starts_with(is_part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::lines;

    fn found(path: &str, text: &str) -> Vec<String> {
        lines(&check(&Tree::of(&[(path, text)])))
    }

    #[test]
    fn marks_in_comments_are_found() {
        for mark in MARKS {
            assert_eq!(found("a.rs", &format!("//\nlet x; // {mark}: later")).len(), 1, "{mark}");
            assert_eq!(found("a.sql", &format!("-- {mark}: later")).len(), 1, "{mark}");
        }
        assert!(found("a.rs", &format!("//\n// {}", MARKS[0]))[0].starts_with("a.rs:2: "));
    }

    #[test]
    fn marks_in_strings_names_and_other_words_are_free() {
        assert_eq!(found("a.rs", "let TODO_LIST = \"TODO\"; // XXXX"), Vec::<String>::new());
        assert_eq!(found("a.md", "A TODO list is a workflow."), Vec::<String>::new());
    }

    #[test]
    fn an_ignored_test_is_found_and_the_word_alone_is_free() {
        assert_eq!(found("a.rs", "#[test]\n#[ignore = \"slow\"]\nfn a() {}").len(), 1);
        assert_eq!(found("a.rs", "// #[ignore]\nlet ignore = \"#[ignore]\";"), Vec::<String>::new());
    }
}
