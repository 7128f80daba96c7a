//! Texts that cannot be taken for anything but what they are.

use std::fmt::{self, Write};

/// A value, in quotes if it would not be one word without them.
pub(super) struct Quoted<'v>(pub(super) &'v str);

/// A text on its own lines: line breaks are kept and followed by blanks, other invisible characters are escaped.
pub(super) struct Indented<'v>(pub(super) &'v str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = |c: char| !c.is_whitespace() && !is_treacherous(c) && !matches!(c, '"' | '=' | '\\');
        if !self.0.is_empty() && self.0.chars().all(is_plain) {
            return f.write_str(self.0);
        }
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                c => escaped(c, f)?,
            }
        }
        f.write_char('"')
    }
}

impl fmt::Display for Indented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.trim_end_matches('\n').chars() {
            match c {
                '\n' => f.write_str("\n    ")?,
                '\t' => f.write_char(c)?,
                c => escaped(c, f)?,
            }
        }
        Ok(())
    }
}

/// The name of a field: what is in it that would end it, or be taken for something else, is replaced.
pub(super) fn key(name: &str) -> String {
    let is_plain = |c: char| !c.is_whitespace() && !is_treacherous(c) && !matches!(c, '"' | '=' | '\\');
    name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect()
}

fn escaped(c: char, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if is_treacherous(c) { write!(f, "\\u{:04x}", u32::from(c)) } else { f.write_char(c) }
}

/// Whether a terminal or a reader of lines may take a character for a command: controls, separators of lines, and marks
/// that change the direction of what follows.
fn is_treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_quoted_if_it_is_not_one_word() {
        let quoted = |text| Quoted(text).to_string();
        let words = ["plain", "", "a b", "k=v", "tab\t", "\u{1b}[31m", "a\\b", "größe", "\u{202e}x"];
        insta::assert_snapshot!(words.map(quoted).join(" "), @r#"plain "" "a b" "k=v" "tab\t" "\u001b[31m" "a\\b" größe "\u202ex""#);
    }

    #[test]
    fn a_text_of_many_lines_forges_no_line() {
        let forged = Indented("it failed\r\n2026-01-01T00:00:00Z ERROR x: y\u{2028}\u{1b}[2J\n").to_string();
        assert_eq!(forged, "it failed\\u000d\n    2026-01-01T00:00:00Z ERROR x: y\\u2028\\u001b[2J");
        assert_eq!(key("a b=\"c\"\n"), "a_b__c__");
    }
}
