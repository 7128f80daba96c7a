//! Items of a Rust text: functions, names, and what is compiled for tests only.

use super::mask::{Masked, mask};

/// A Rust text with its code and comments told apart.
#[derive(Debug)]
pub(super) struct Rust {
    pub(super) code: String,
    pub(super) comments: String,
    /// For each line whether it is compiled for tests only.
    test_lines: Vec<bool>,
}

/// The name of an item.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Item<'a> {
    pub(super) keyword: &'a str,
    pub(super) name: &'a str,
    /// Counted from 1.
    pub(super) line: usize,
    /// Where the name ends, in bytes.
    after: usize,
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function<'a> {
    pub(super) name: &'a str,
    /// Counted from 1.
    pub(super) line: usize,
    /// From `fn` to the closing brace.
    pub(super) lines: usize,
}

impl Rust {
    /// Reads a text.
    pub(super) fn new(text: &str) -> Self {
        let Masked { code, comments } = mask(text);
        let mut test_lines = vec![false; code.lines().count()];
        for (start, end) in test_parts(&code) {
            let (first, last) = (line_of(&code, start), line_of(&code, end));
            test_lines[first - 1..last].fill(true);
        }
        Self { code, comments, test_lines }
    }

    /// Makes the whole text one for tests.
    pub(super) fn is_all_test(&mut self) {
        self.test_lines.fill(true);
    }

    /// Whether a line, counted from 1, is compiled for tests only.
    pub(super) fn is_test(&self, line: usize) -> bool {
        self.test_lines.get(line - 1).copied().unwrap_or(false)
    }

    /// How many lines are compiled into the product.
    pub(super) fn product_lines(&self) -> usize {
        self.test_lines.iter().filter(|is_test| !**is_test).count()
    }

    /// Everything that is named after one of these keywords.
    pub(super) fn items(&self, keywords: &[&str]) -> Vec<Item<'_>> {
        items(&self.code, keywords)
    }

    /// The functions with a body.
    pub(super) fn functions(&self) -> Vec<Function<'_>> {
        self.items(&["fn"])
            .into_iter()
            .filter_map(|item| {
                let last = line_of(&self.code, body_end(&self.code, item.after)?);
                Some(Function { name: item.name, line: item.line, lines: last - item.line + 1 })
            })
            .collect()
    }

    /// The bodies of enums, without their braces, and what stands before each back to the last item.
    pub(super) fn enums(&self) -> Vec<(Item<'_>, &str)> {
        self.items(&["enum"])
            .into_iter()
            .filter_map(|item| {
                let end = body_end(&self.code, item.after)?;
                let start = item.after + self.code[item.after..].find('{')?;
                Some((item, &self.code[start + 1..end]))
            })
            .collect()
    }

    /// The modules that are declared here for tests only and stand in files of their own.
    pub(super) fn test_modules(&self) -> Vec<&str> {
        self.items(&["mod"])
            .into_iter()
            .filter(|item| self.is_test(item.line) && self.code[item.after..].trim_start().starts_with(';'))
            .map(|item| item.name)
            .collect()
    }
}

fn items<'a>(code: &'a str, keywords: &[&str]) -> Vec<Item<'a>> {
    let mut items = Vec::new();
    let mut keyword = None;
    for (start, word) in words(code) {
        let line = || line_of(code, start);
        match keyword.take() {
            Some((keyword, end)) if code[end..start].chars().all(char::is_whitespace) => {
                items.push(Item { keyword, name: word, line: line(), after: start + word.len() });
            }
            _ if keywords.contains(&word) => keyword = Some((word, start + word.len())),
            _ => {}
        }
    }
    items
}

/// Identifiers and keywords with their places.
fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + code[at..].find(is_word)?;
        at = start + code[start..].find(|c| !is_word(c)).unwrap_or(code.len() - start);
        Some((start, &code[start..at]))
    })
}

/// Start and end of everything under `#[cfg(test)]` or a condition that begins with it, and under `#![cfg(test)]`.
fn test_parts(code: &str) -> Vec<(usize, usize)> {
    let mut parts = Vec::new();
    for (start, _) in code.match_indices("#[cfg(") {
        let condition = code[start + "#[cfg(".len()..].trim_start_matches("all(");
        if condition.starts_with("test)") || condition.starts_with("test,") {
            let attribute = start + 1;
            let after = attribute + matching(&code[attribute..]).unwrap_or(0) + 1;
            parts.push((start, item_end(code, after)));
        }
    }
    if code.contains("#![cfg(test)]") {
        parts.push((0, code.len().saturating_sub(1)));
    }
    parts
}

/// Where the item that begins at `from` ends: its closing brace or its semicolon.
fn item_end(code: &str, from: usize) -> usize {
    body_end(code, from).unwrap_or_else(|| code[from..].find(';').map_or(code.len() - 1, |at| from + at))
}

/// The closing brace of the first body after `from`; `None` if a semicolon comes first.
fn body_end(code: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let next = at + code[at..].find(['{', '(', '[', ';'])?;
        match &code[next..=next] {
            ";" => return None,
            "{" => return matching(&code[next..]).map(|length| next + length),
            _ => at = next + matching(&code[next..])? + 1,
        }
    }
}

/// Where the bracket that the text begins with is closed.
fn matching(code: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in code.char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// The line of a place, counted from 1.
fn line_of(code: &str, at: usize) -> usize {
    1 + code.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
//! Doc.
fn one(a: [u8; 2]) -> fn(u8) {
    let brace = '{';
}
trait T { fn no_body(&self); }
#[cfg(test)]
use x::y;
#[cfg(test)]
mod far;
#[cfg(all(test, unix))]
mod tests {
    fn two() {}
}
struct After;
";

    #[test]
    fn functions_are_measured_from_fn_to_the_closing_brace() {
        let rust = Rust::new(TEXT);
        let functions: Vec<_> = rust.functions().iter().map(|f| (f.name, f.line, f.lines)).collect();
        assert_eq!(functions, [("one", 2, 3), ("two", 12, 1)]);
    }

    #[test]
    fn parts_for_tests_are_known_by_line() {
        let rust = Rust::new(TEXT);
        let tests: Vec<_> = (1..=14).filter(|line| rust.is_test(*line)).collect();
        assert_eq!(tests, [6, 7, 8, 9, 10, 11, 12, 13]);
        assert_eq!(rust.product_lines(), 6);
        assert_eq!(rust.test_modules(), ["far"]);
        assert_eq!(Rust::new("#![cfg(test)]\nfn x() {}\n").product_lines(), 0);
    }

    #[test]
    fn items_are_named() {
        let rust =
            Rust::new("pub struct A<'a>(&'a str);\nimpl A { fn b() { let r#struct = 1; } }\nenum C { D }");
        let names: Vec<_> =
            rust.items(&["struct", "fn", "enum"]).iter().map(|i| (i.keyword, i.name)).collect();
        assert_eq!(names, [("struct", "A"), ("fn", "b"), ("enum", "C")]);
        assert_eq!(rust.enums()[0].1.trim(), "D");
    }
}
