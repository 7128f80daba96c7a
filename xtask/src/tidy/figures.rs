//! Shares that see what sizes do not: errors that forget, prose that hides shape.

use super::rust::Rust;
use super::sizes;
use super::tree::Tree;

/// What the variants of error enums carry.
#[derive(Debug, Default, PartialEq, Eq)]
struct Variants {
    all: usize,
    /// Only a text: what happened is for people alone.
    bare_text: usize,
    /// The error underneath.
    source: usize,
}

/// The figures in one line. They are for eyes: nothing fails by them.
pub(super) fn of(tree: &Tree) -> String {
    let mut variants = Variants::default();
    for (_, rust) in tree.rust() {
        variants.count(rust);
    }
    let lines = |extension| -> usize {
        tree.files.iter().filter(|file| file.has_extension(extension)).map(|file| file.lines().count()).sum()
    };
    let (rust, markdown) = (lines("rs"), lines("md"));
    let largest = sizes::crates(tree).into_iter().next();
    let largest = largest.map_or(String::new(), |(name, lines)| format!(" · largest {name}, {lines} lines"));
    format!(
        "{} of {} error variants are a bare String ({}), {} carry a source ({}) · {} Markdown lines per 100 of Rust{largest}",
        variants.bare_text,
        variants.all,
        percent(variants.bare_text, variants.all),
        variants.source,
        percent(variants.source, variants.all),
        markdown * 100 / rust.max(1),
    )
}

fn percent(part: usize, whole: usize) -> String {
    format!("{} %", part * 100 / whole.max(1))
}

impl Variants {
    fn count(&mut self, rust: &Rust) {
        let enums = rust.enums().into_iter();
        for (_, body) in enums.filter(|(item, _)| item.name.ends_with("Error") && !rust.is_test(item.line)) {
            for variant in variants(body) {
                self.all += 1;
                self.bare_text += usize::from(is_bare_text(variant));
                self.source += usize::from(has_source(variant));
            }
        }
    }
}

/// The variants of an enum: what commas outside of brackets separate.
fn variants(body: &str) -> Vec<&str> {
    let (mut depth, mut start, mut variants) = (0_i32, 0, Vec::new());
    for (at, c) in body.char_indices() {
        match c {
            '(' | '[' | '{' | '<' => depth += 1,
            ')' | ']' | '}' | '>' => depth -= 1,
            ',' if depth == 0 => {
                variants.push(&body[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    variants.push(&body[start..]);
    variants.retain(|variant| !variant.trim().is_empty());
    variants
}

fn is_bare_text(variant: &str) -> bool {
    let payload = variant.trim_end().strip_suffix(')').and_then(|rest| rest.rsplit_once('('));
    payload.is_some_and(|(_, payload)| {
        ["String", "&'static str", "Box<str>", "Arc<str>"].contains(&payload.trim())
    })
}

fn has_source(variant: &str) -> bool {
    ["#[source]", "#[from]", "source:", "#[error(transparent)]"].iter().any(|mark| variant.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_of_errors_are_counted_by_what_they_carry() {
        let text = r#"
            enum StoreError {
                #[error("failed to (read): {0}")] Text(String),
                #[error("failed")] Read { table: Map<u8, u8>, source: io::Error },
                #[error(transparent)] Io(#[from] io::Error),
                Plain,
            }
            enum State { Text(String) }
            #[cfg(test)] enum FakeError { Text(String) }
        "#;
        let mut variants = Variants::default();
        variants.count(&Rust::new(text));
        assert_eq!(variants, Variants { all: 4, bare_text: 1, source: 2 });
    }

    #[test]
    fn the_figures_are_one_line() {
        let tree = Tree::of(&[("crates/a/src/lib.rs", "//\n//\n//\n//\n"), ("README.md", "a\n")]);
        let line = "0 of 0 error variants are a bare String (0 %), 0 carry a source (0 %) · 25 Markdown lines per 100 \
                    of Rust · largest crates/a, 4 lines";
        assert_eq!(of(&tree), line);
    }
}
