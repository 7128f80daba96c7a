//! Telling code, comments and strings of a Rust text apart without a parser.

/// A Rust text twice: once only its code, once only its comments. Everything else is blank. Line breaks stay where
/// they were, so that a place in one is the same place in the other and in the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Masked {
    pub(super) code: String,
    pub(super) comments: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

/// Masks a text.
pub(super) fn mask(text: &str) -> Masked {
    let (mut code, mut comments) = (String::with_capacity(text.len()), String::with_capacity(text.len()));
    let mut rest = text;
    while !rest.is_empty() {
        let (kind, length) = token(rest);
        let (token, after) = rest.split_at(length);
        push(&mut code, token, kind == Kind::Code);
        push(&mut comments, token, kind == Kind::Comment);
        rest = after;
    }
    Masked { code, comments }
}

fn push(to: &mut String, token: &str, shown: bool) {
    if shown {
        to.push_str(token);
    } else {
        to.extend(token.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
    }
}

/// The kind and the length in bytes of what `rest` begins with.
fn token(rest: &str) -> (Kind, usize) {
    let first = rest.chars().next().expect("invariant: there is a rest");
    if rest.starts_with("//") {
        return (Kind::Comment, rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (Kind::Comment, block_comment(rest));
    }
    if first == '"' {
        return (Kind::Literal, string(rest));
    }
    if first == '\'' {
        return character(rest).map_or((Kind::Code, 1), |length| (Kind::Literal, length));
    }
    if first.is_alphanumeric() || first == '_' {
        let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        if matches!(&rest[..word], "r" | "br" | "cr")
            && let Some(length) = raw_string(&rest[word..])
        {
            return (Kind::Literal, word + length);
        }
        return (Kind::Code, word);
    }
    (Kind::Code, first.len_utf8())
}

/// Block comments nest.
fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        let (step, deeper) = match rest.as_bytes().get(at..at + 2) {
            Some(b"/*") => (2, 1),
            Some(b"*/") => (2, -1),
            _ => (1, 0),
        };
        at += step;
        depth = depth.saturating_add_signed(deeper);
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn string(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// A raw string after its `r`; `None` for a raw identifier.
fn raw_string(rest: &str) -> Option<usize> {
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    let body = rest[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(body.find(&end).map_or(rest.len(), |at| hashes + 1 + at + end.len()))
}

/// A character; `None` for a lifetime.
fn character(rest: &str) -> Option<usize> {
    let mut chars = rest.char_indices().skip(1);
    let (_, first) = chars.next()?;
    if first == '\\' {
        let (after_escaped, _) = chars.nth(1)?;
        return rest[after_escaped..].find('\'').map(|at| after_escaped + at + 1);
    }
    let (at, closing) = chars.next()?;
    (closing == '\'').then_some(at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The code of a text, with runs of blanks as one.
    fn code(text: &str) -> String {
        mask(text).code.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_are_not_code() {
        assert_eq!(code("a // b\nc /* d /* e */ f */ g"), "a c g");
        assert_eq!(mask("a // b").comments.trim(), "// b");
    }

    #[test]
    fn strings_are_neither_code_nor_comment() {
        let text = r##"a "// \" b" c r#"" d"# e b"f" g"##;
        assert_eq!(code(text), "a c e b g");
        assert_eq!(mask(text).comments.trim(), "");
    }

    #[test]
    fn lifetimes_are_code_and_characters_are_not() {
        assert_eq!(code("<'a> '{' '\\'' '\\u{7b}' 'ä' &'static"), "<'a> &'static");
    }

    #[test]
    fn raw_identifiers_are_code() {
        assert_eq!(code("r#type \"x\" bar \"y\""), "r#type bar");
    }

    #[test]
    fn places_and_line_breaks_stay() {
        let text = "a \"ö\n\" /* \n */ b";
        let masked = mask(text);
        assert_eq!((masked.code.len(), masked.comments.len()), (text.len(), text.len()));
        assert_eq!(masked.code.matches('\n').count(), 2);
        assert!(masked.code.ends_with(" b"));
    }

    #[test]
    fn a_text_that_ends_too_early_is_no_crash() {
        for text in ["\"", "/*", "r#\"", "'", "'\\", "b'"] {
            assert_eq!(mask(text).code.len(), text.len(), "{text}");
        }
    }
}
