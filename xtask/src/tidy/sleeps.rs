//! Tests wait for signals, not for time.

use super::finding::Finding;
use super::rust::Rust;
use super::tree::{File, Tree};

/// What begins a comment that gives the reason.
const REASON: &str = "// sleep: ";

/// Checks that a sleep in a test has its reason on the same line or on the one before.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust().flat_map(|(file, rust)| sleeps(file, rust)).collect()
}

fn sleeps(file: &File, rust: &Rust) -> Vec<Finding> {
    let texts: Vec<_> = rust.comments.lines().collect();
    let gives_reason = |line: usize| texts.get(line - 1).is_some_and(|text| text.contains(REASON));
    let has_reason = |line: usize| gives_reason(line) || line > 1 && gives_reason(line - 1);
    let lines = (1..).zip(rust.code.lines());
    lines
        .filter(|(line, code)| rust.is_test(*line) && calls_sleep(code) && !has_reason(*line))
        .map(|(line, _)| {
            Finding::new(
                &file.path,
                line,
                "a test sleeps",
                "wait for a signal or pause the time; if neither is possible, say why: `// sleep: reason`",
            )
        })
        .collect()
}

/// A call of a free function `sleep` or `sleep_until`: of `thread`, of `tokio::time`, or imported. A method is
/// somebody's own, such as that of a clock.
fn calls_sleep(code: &str) -> bool {
    ["sleep(", "sleep_until("].iter().any(|call| {
        code.match_indices(call).any(|(at, _)| {
            let before = code[..at].trim_end();
            let is_own = before.ends_with('.') || before.ends_with(" fn") || before == "fn";
            let is_tail = code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            !is_own && !is_tail
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn a_sleep_in_a_test_needs_a_reason() {
        for call in
            ["std::thread::sleep(d);", "tokio::time::sleep(d).await;", "sleep(d).await;", "sleep_until(t);"]
        {
            assert_eq!(found("crates/a/tests/it.rs", call), 1, "{call}");
            assert_eq!(
                found("crates/a/src/b.rs", &format!("#[cfg(test)]\nmod tests {{\n{call}\n}}")),
                1,
                "{call}"
            );
        }
    }

    #[test]
    fn a_reason_stands_on_the_line_or_on_the_one_before() {
        assert_eq!(found("tests/a.rs", "thread::sleep(d); // sleep: the kernel sends no signal"), 0);
        assert_eq!(found("tests/a.rs", "// sleep: the kernel sends no signal\nthread::sleep(d);"), 0);
        assert_eq!(found("tests/a.rs", "// sleep: for another one\n\nthread::sleep(d);"), 1);
        assert_eq!(found("tests/a.rs", "// sleep:\nthread::sleep(d);"), 1, "a reason has words");
    }

    #[test]
    fn the_product_own_methods_and_other_names_are_free() {
        assert_eq!(found("crates/a/src/b.rs", "tokio::time::sleep(d).await;"), 0);
        assert_eq!(
            found("tests/a.rs", "clock.sleep(d); fn sleep(d: D) {} let s = \"sleep(\"; oversleep(d);"),
            0
        );
    }
}
