//! Names say what a thing is, not that it is one.

use super::finding::Finding;
use super::rust::{Item, Rust};
use super::tree::{File, Tree};

/// Words that name nothing, and what to do instead.
const BANNED: [(&str, &str); 11] = [
    ("manager", "name its trade, as in Rescuer or Scheduler"),
    ("helper", "name what it does"),
    ("helpers", "name what they do"),
    ("util", "name what is in it"),
    ("utils", "name what is in it"),
    ("common", "name what is in it"),
    ("shared", "name what is in it"),
    ("unified", "name what it is now, not what it was before"),
    ("enhanced", "name what it is now, not what it was before"),
    ("v2", "replace the old one instead"),
    ("new", "name what it is, or use plain `new` for a constructor"),
];

/// The items whose names are looked at.
const KEYWORDS: [&str; 5] = ["fn", "struct", "enum", "trait", "mod"];

/// Checks the names of items and crates. Tests are free: their names are sentences.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let items = tree.rust().flat_map(|(file, rust)| items(file, rust));
    items.chain(tree.files.iter().filter_map(crate_name)).collect()
}

fn items<'a>(file: &'a File, rust: &'a Rust) -> impl Iterator<Item = Finding> + 'a {
    let items = rust.items(&KEYWORDS).into_iter().filter(|item| !rust.is_test(item.line));
    items.filter_map(|item| {
        let (word, remedy) = banned(item.name)?;
        let Item { keyword, name, line, .. } = item;
        Some(Finding::new(&file.path, line, format!("`{word}` in the name of {keyword} `{name}`"), remedy))
    })
}

fn crate_name(file: &File) -> Option<Finding> {
    let name = file.path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml")?;
    let (word, remedy) = banned(name)?;
    Some(Finding::new(&file.path, 1, format!("`{word}` in the name of crate `{name}`"), remedy))
}

/// The first banned word of a name. `new` is one only in front of others.
fn banned(name: &str) -> Option<(&'static str, &'static str)> {
    let words = words(name);
    BANNED.into_iter().find(|(banned, _)| match *banned {
        "new" => name.starts_with("new_"),
        _ => words.iter().any(|word| word == banned),
    })
}

/// The words of a name in `snake_case`, `CamelCase` or `kebab-case`, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        if c == '_' || c == '-' || c.is_uppercase() {
            words.push(String::new());
        }
        if c != '_' && c != '-' {
            words.last_mut().expect("invariant: there is a word").extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::lines;

    fn found(text: &str) -> Vec<String> {
        lines(&check(&Tree::of(&[("crates/a/src/b.rs", text)])))
    }

    #[test]
    fn banned_words_are_found_in_every_kind_of_name() {
        assert_eq!(
            found("struct TaskManager;"),
            [
                "crates/a/src/b.rs:1: `manager` in the name of struct `TaskManager`; name its trade, as in Rescuer or \
              Scheduler"
            ]
        );
        for text in
            ["mod utils;", "fn claim_v2() {}", "enum CommonState {}", "trait Helper {}", "fn new_task() {}"]
        {
            assert_eq!(found(text).len(), 1, "{text}");
        }
        assert_eq!(check(&Tree::of(&[("crates/tasker-shared/Cargo.toml", "")])).len(), 1);
    }

    #[test]
    fn other_words_that_contain_them_are_welcome() {
        let text =
            "fn new() {} fn renew_lease() {} struct Utility; fn newest() {} fn uncommonly_shareable() {}";
        assert_eq!(found(text), Vec::<String>::new());
    }

    #[test]
    fn words_outside_of_names_and_in_tests_are_free() {
        assert_eq!(found("// a manager\nlet manager = \"shared\";"), Vec::<String>::new());
        assert_eq!(
            found("#[cfg(test)]\nmod tests { fn a_shared_cache_is_merged() {} }"),
            Vec::<String>::new()
        );
    }
}
