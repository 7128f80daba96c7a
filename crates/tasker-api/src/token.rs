//! What callers show to be let in.

use std::fmt;

use subtle::ConstantTimeEq;

/// A token has at least so many characters.
const SHORTEST: usize = 16;

/// A secret that a caller shows as `Authorization: Bearer …`. It is told nowhere.
#[derive(Clone)]
pub struct Token(Box<str>);

/// A text that is of no use as a token. It does not tell the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It could be guessed.
    #[error("the token has {0} characters: give at least {SHORTEST}, such as `openssl rand -hex 32` makes")]
    Short(usize),
    /// It cannot stand in a header.
    #[error("the token has a character that cannot stand in a header: use visible ASCII without blanks")]
    Character,
}

impl Token {
    /// A token; line ends behind it, as files have them, are left out.
    ///
    /// # Errors
    ///
    /// If it is too short to be a secret, or could not be sent.
    pub fn of(text: &str) -> Result<Self, TokenError> {
        let text = text.trim_end_matches(['\r', '\n']);
        if !text.chars().all(|c| c.is_ascii_graphic()) {
            return Err(TokenError::Character);
        }
        if text.len() < SHORTEST {
            return Err(TokenError::Short(text.len()));
        }
        Ok(Self(text.into()))
    }

    /// Whether somebody shows this token. How long that takes does not depend on where it differs.
    pub(crate) fn is(&self, shown: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(shown).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token([redacted])")
    }
}

/// Who may read what a process tells of itself: metrics, status, events.
#[derive(Debug, Clone, Default)]
pub enum Access {
    /// Everybody.
    #[default]
    Open,
    /// Those who show this token.
    Bearer(Token),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_long_enough_and_can_be_sent_and_is_told_nowhere() {
        let told = |text: &str| Token::of(text).expect_err("refused").to_string();
        assert!(told("hunter2").starts_with("the token has 7 characters: give at least 16"));
        for text in ["hunter2 hunter2 hunter2", "größegrößegröße", "hunter2hunter2\nhunter2hunter2"] {
            assert_eq!(Token::of(text).expect_err("refused"), TokenError::Character);
        }
        let token = Token::of("0123456789abcdef\n").expect("a token");
        assert_eq!(format!("{token:?}"), "Token([redacted])");
        assert!(token.is(b"0123456789abcdef"));
        for other in ["", "0123456789abcdeF", "0123456789abcde", "0123456789abcdef\n", "0123456789abcdef0"] {
            assert!(!token.is(other.as_bytes()), "{other}");
        }
    }
}
