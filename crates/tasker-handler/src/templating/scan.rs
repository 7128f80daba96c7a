//! Finding what is to be inserted in a text.

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Stands as it is.
    Literal(&'a str),
    /// What stood between `{{` and `}}`, trimmed.
    Expression(&'a str),
    /// The name that stood between `${` and `}`.
    Variable(&'a str),
}

/// Why a text cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ScanError {
    #[error("\"{{{{\" without \"}}}}\"; close it, or write {{{{ \"{{{{\" }}}} for two braces")]
    Open,
    #[error("\"{{{{ }}}}\" is empty; write an expression such as {{{{ context.name }}}}")]
    Empty,
    #[error("\"${{\" is not followed by a name and \"}}\"; write $${{ for a dollar sign and a brace")]
    Variable,
}

/// Whether a text holds anything to look at.
pub(super) fn may_insert(text: &str) -> bool {
    text.contains("{{") || text.contains("${")
}

/// Takes a text apart.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, ScanError> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = next_mark(rest) {
        if at > 0 {
            pieces.push(Piece::Literal(&rest[..at]));
        }
        rest = &rest[at..];
        let length = if rest.starts_with("$${") {
            pieces.push(Piece::Literal("${"));
            "$${".len()
        } else if rest.starts_with("${") {
            let (name, length) = variable(rest)?;
            pieces.push(Piece::Variable(name));
            length
        } else {
            let length = expression_end(rest).ok_or(ScanError::Open)?;
            let source = rest["{{".len()..length - "}}".len()].trim();
            if source.is_empty() {
                return Err(ScanError::Empty);
            }
            pieces.push(Piece::Expression(source));
            length
        };
        rest = &rest[length..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest));
    }
    Ok(pieces)
}

fn next_mark(text: &str) -> Option<usize> {
    ["$${", "${", "{{"].into_iter().filter_map(|mark| text.find(mark)).min()
}

/// The name of a variable at the beginning of `text`, and how long the whole is.
fn variable(text: &str) -> Result<(&str, usize), ScanError> {
    let end = text.find('}').ok_or(ScanError::Variable)?;
    let name = &text["${".len()..end];
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_name { Ok((name, end + 1)) } else { Err(ScanError::Variable) }
}

/// Where the expression at the beginning of `text` ends; braces in strings and of objects do not end it.
fn expression_end(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices().skip("{{".len()) {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), _) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '{') => depth += 1,
            (None, '}') if depth > 0 => depth -= 1,
            (None, '}') if text[at..].starts_with("}}") => return Some(at + "}}".len()),
            (Some(_) | None, _) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::Piece::{Expression, Literal, Variable};
    use super::*;

    #[test]
    fn a_text_is_taken_apart() {
        assert_eq!(
            pieces("a {{ x.y }}b${HOME}$${NOT}"),
            Ok(vec![
                Literal("a "),
                Expression("x.y"),
                Literal("b"),
                Variable("HOME"),
                Literal("${"),
                Literal("NOT}"),
            ])
        );
    }

    #[test]
    fn braces_in_strings_and_objects_do_not_end_an_expression() {
        assert_eq!(pieces(r#"{{ "}}\"}}" }}"#), Ok(vec![Expression(r#""}}\"}}""#)]));
        assert_eq!(pieces("{{ {'a': {'b': 1}} }}!"), Ok(vec![Expression("{'a': {'b': 1}}"), Literal("!")]));
    }

    #[test]
    fn what_is_not_closed_is_refused() {
        assert_eq!(pieces("{{ x"), Err(ScanError::Open));
        assert_eq!(pieces("{{}}"), Err(ScanError::Empty));
        assert_eq!(pieces("${x:-y}"), Err(ScanError::Variable));
        assert_eq!(pieces("${"), Err(ScanError::Variable));
    }

    #[test]
    fn lone_braces_and_dollars_stand_for_themselves() {
        assert_eq!(pieces("} $ { }} $x"), Ok(vec![Literal("} $ { }} $x")]));
    }
}
