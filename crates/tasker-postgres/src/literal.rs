//! Values as SQL literals.
//!
//! Parameters are written into the text of a statement, because the simple query protocol has none. The
//! forms are those of the manual, 4.1.2.1 to 4.1.2.7, and mean the same whatever
//! `standard_conforming_strings` says. The statement gives each literal its type (`$1::uuid`).

use std::fmt::Write;

use uuid::Uuid;

/// A text holds the character NUL, which PostgreSQL cannot store and which would end the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a text holds the character NUL, which the database cannot store")]
pub(crate) struct NulInText;

/// What can be written as a literal.
pub(crate) trait Literal: Sync {
    /// Appends the literal to a statement.
    fn write(&self, out: &mut String) -> Result<(), NulInText>;
}

/// A single value.
pub(crate) trait Scalar: Sync {
    /// Whether the value may hold any character, so that it needs to be escaped.
    const ESCAPED: bool;

    /// Whether there is no value.
    fn is_null(&self) -> bool {
        false
    }

    /// Appends the value: bare where it cannot be mistaken for anything else, or else as `E'…'`.
    fn write_value(&self, out: &mut String) -> Result<(), NulInText>;
}

/// An array.
pub(crate) struct List<'a, T>(pub(crate) &'a [T]);

/// An array, or null where every element is: `unnest` fills up with nulls.
pub(crate) struct Sparse<'a, T>(pub(crate) &'a [Option<T>]);

impl<T: Scalar> Literal for T {
    fn write(&self, out: &mut String) -> Result<(), NulInText> {
        if self.is_null() {
            out.push_str("null");
            return Ok(());
        }
        if T::ESCAPED {
            return self.write_value(out);
        }
        out.push('\'');
        self.write_value(out)?;
        out.push('\'');
        Ok(())
    }
}

impl<T: Scalar> Literal for List<'_, T> {
    fn write(&self, out: &mut String) -> Result<(), NulInText> {
        let (open, close) = if T::ESCAPED && !self.0.is_empty() { ("array[", "]") } else { ("'{", "}'") };
        out.push_str(open);
        for (index, item) in self.0.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            if item.is_null() {
                out.push_str("null");
            } else {
                item.write_value(out)?;
            }
        }
        out.push_str(close);
        Ok(())
    }
}

impl<T: Scalar> Literal for Sparse<'_, T> {
    fn write(&self, out: &mut String) -> Result<(), NulInText> {
        if self.0.iter().all(Option::is_none) {
            out.push_str("null");
            return Ok(());
        }
        List(self.0).write(out)
    }
}

impl<T: Scalar> Literal for Option<List<'_, T>> {
    fn write(&self, out: &mut String) -> Result<(), NulInText> {
        match self {
            Some(list) => list.write(out),
            None => {
                out.push_str("null");
                Ok(())
            }
        }
    }
}

macro_rules! bare {
    ($($type:ty),*) => {$(
        impl Scalar for $type {
            const ESCAPED: bool = false;

            fn write_value(&self, out: &mut String) -> Result<(), NulInText> {
                // Writing to a string cannot fail.
                let _ = write!(out, "{self}");
                Ok(())
            }
        }
    )*};
}

bare!(i32, i64, u32, bool);

impl Scalar for Uuid {
    const ESCAPED: bool = false;

    fn write_value(&self, out: &mut String) -> Result<(), NulInText> {
        out.push_str(self.simple().encode_lower(&mut Uuid::encode_buffer()));
        Ok(())
    }
}

/// A word of this program's own: letters and `_`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word(pub(crate) &'static str);

impl Scalar for Word {
    const ESCAPED: bool = false;

    fn write_value(&self, out: &mut String) -> Result<(), NulInText> {
        out.push_str(self.0);
        Ok(())
    }
}

impl Scalar for &str {
    const ESCAPED: bool = true;

    fn write_value(&self, out: &mut String) -> Result<(), NulInText> {
        out.push_str("E'");
        let mut rest = *self;
        while let Some(at) = rest.find(['\'', '\\', '\0']) {
            out.push_str(&rest[..at]);
            out.push_str(match rest.as_bytes()[at] {
                b'\'' => "''",
                b'\\' => "\\\\",
                _ => return Err(NulInText),
            });
            rest = &rest[at + 1..];
        }
        out.push_str(rest);
        out.push('\'');
        Ok(())
    }
}

impl Scalar for String {
    const ESCAPED: bool = true;

    fn write_value(&self, out: &mut String) -> Result<(), NulInText> {
        self.as_str().write_value(out)
    }
}

impl<T: Scalar> Scalar for Option<T> {
    const ESCAPED: bool = T::ESCAPED;

    fn is_null(&self) -> bool {
        self.as_ref().is_none_or(Scalar::is_null)
    }

    fn write_value(&self, out: &mut String) -> Result<(), NulInText> {
        match self {
            Some(value) => value.write_value(out),
            None => Ok(()),
        }
    }
}

/// The text form of an array of texts (manual, 8.15.6), to be an element of another list.
pub(crate) fn array_input<T: AsRef<str>>(items: &[T]) -> String {
    let mut out = String::from("{");
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push('"');
        for character in item.as_ref().chars() {
            if matches!(character, '"' | '\\') {
                out.push('\\');
            }
            out.push(character);
        }
        out.push('"');
    }
    out.push('}');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(literal: &dyn Literal) -> String {
        let mut out = String::new();
        literal.write(&mut out).expect("no NUL");
        out
    }

    #[test]
    fn a_number_is_quoted_so_that_its_sign_belongs_to_it() {
        assert_eq!(written(&i64::MIN), "'-9223372036854775808'");
        assert_eq!(written(&true), "'true'");
        assert_eq!(written(&None::<i32>), "null");
    }

    #[test]
    fn quotes_and_backslashes_are_doubled() {
        assert_eq!(written(&"it's a \\' or \"x\""), r#"E'it''s a \\'' or "x"'"#);
    }

    #[test]
    fn nul_is_refused() {
        let mut out = String::new();
        assert_eq!("a\0b".write(&mut out), Err(NulInText));
        assert_eq!(List(&["a", "b\0"]).write(&mut out), Err(NulInText));
    }

    #[test]
    fn lists_of_plain_values_are_one_string_and_lists_of_texts_are_constructed() {
        assert_eq!(written(&List(&[Some(1i64), None])), "'{1,null}'");
        assert_eq!(written(&List(&[Some("{a}"), None])), "array[E'{a}',null]");
        assert_eq!(written(&List::<&str>(&[])), "'{}'");
        assert_eq!(written(&List(&[Uuid::nil()])), "'{00000000000000000000000000000000}'");
    }

    #[test]
    fn an_array_within_an_array_is_escaped_by_its_own_rules() {
        assert_eq!(array_input(&["a,b", r#"{"x\"}"#, "NULL"]), r#"{"a,b","{\"x\\\"}","NULL"}"#);
        assert_eq!(array_input::<&str>(&[]), "{}");
    }

    #[test]
    fn a_sparse_list_without_values_is_null() {
        assert_eq!(written(&Sparse::<i64>(&[None, None])), "null");
        assert_eq!(written(&Sparse(&[None, Some(3i64)])), "'{null,3}'");
    }
}
