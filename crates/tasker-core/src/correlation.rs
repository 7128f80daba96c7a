//! The name of one request, by which what it caused is found in the logs and traces of all who took part.

use std::fmt;
use std::str::FromStr;

use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// An id has at most so many characters.
const LONGEST: usize = 100;
/// So many characters of a generated id are by chance.
const CHANCE: usize = 6;
const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// The name of one request. It begins with a letter or a digit, goes on with these, `_` and `-`, and has at most 100
/// characters, so that it can stand in a header, a file name and a line of a log as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CorrelationId(String);

/// Why a text is no correlation id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CorrelationIdError {
    /// There is nothing in it.
    #[error("a correlation id is empty: give at least one letter or digit")]
    Empty,
    /// It is too long.
    #[error("a correlation id has {length} characters: give at most {LONGEST}")]
    TooLong {
        /// How many it has.
        length: usize,
    },
    /// It begins with something else than a letter or a digit.
    #[error("the correlation id {id:?} begins with {first:?}: let it begin with a letter or a digit")]
    Start {
        /// The text.
        id: String,
        /// Its first character.
        first: char,
    },
    /// It has a character that is not allowed.
    #[error("the correlation id {id:?} has {character:?} in it: use letters from a to z, digits, - and _")]
    Character {
        /// The text.
        id: String,
        /// The first such character.
        character: char,
    },
}

impl CorrelationId {
    /// A fresh id, such as `tsk_mjwaidji_x7k20a`: the time in milliseconds, and something by chance.
    pub fn generate<R: Rng + ?Sized>(now: Timestamp, random: &mut R) -> Self {
        let chance = (0..CHANCE).map(|_| char::from(DIGITS[random.random_range(0..DIGITS.len())]));
        let millis = u64::try_from(now.as_micros() / 1_000).unwrap_or(0);
        Self(format!("tsk_{}_{}", in_base_36(millis), chance.collect::<String>()))
    }

    /// The id as a text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CorrelationId {
    type Err = CorrelationIdError;

    fn from_str(text: &str) -> Result<Self, CorrelationIdError> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for CorrelationId {
    type Error = CorrelationIdError;

    fn try_from(id: String) -> Result<Self, CorrelationIdError> {
        let length = id.chars().count();
        if length > LONGEST {
            return Err(CorrelationIdError::TooLong { length });
        }
        let Some(first) = id.chars().next() else { return Err(CorrelationIdError::Empty) };
        let is_good = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if let Some(character) = id.chars().find(|c| !is_good(c)) {
            return Err(CorrelationIdError::Character { id, character });
        }
        if !first.is_ascii_alphanumeric() {
            return Err(CorrelationIdError::Start { id, first });
        }
        Ok(Self(id))
    }
}

impl From<CorrelationId> for String {
    fn from(id: CorrelationId) -> Self {
        id.0
    }
}

impl fmt::Display for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

fn in_base_36(mut number: u64) -> String {
    let mut digits = Vec::new();
    loop {
        // The remainder is below 36.
        digits.push(char::from(DIGITS[usize::try_from(number % 36).unwrap_or(0)]));
        number /= 36;
        if number == 0 {
            return digits.iter().rev().collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    /// K5.
    #[test]
    fn a_generated_id_is_its_time_and_something_by_chance() {
        let now = Timestamp::from_micros(1_767_323_045_678_901);
        let mut random = StdRng::seed_from_u64(7);
        let ids = [CorrelationId::generate(now, &mut random), CorrelationId::generate(now, &mut random)];
        for id in &ids {
            let (time, chance) =
                id.as_str().strip_prefix("tsk_").and_then(|rest| rest.split_once('_')).expect("two parts");
            assert_eq!(i64::from_str_radix(time, 36), Ok(1_767_323_045_678));
            assert_eq!(chance.len(), 6);
            assert!(chance.chars().all(|c| c.is_ascii_digit() || c.is_ascii_lowercase()), "{id}");
            assert_eq!(id.as_str().parse(), Ok(id.clone()));
        }
        assert_ne!(ids[0], ids[1]);
        assert!(
            CorrelationId::generate(Timestamp::from_micros(-1), &mut random).as_str().starts_with("tsk_0_")
        );
    }

    /// K5.
    #[test]
    fn a_text_that_is_no_id_is_refused_with_its_fault_and_the_remedy() {
        let refusal = |text: &str| text.parse::<CorrelationId>().expect_err("refused").to_string();
        let texts = ["", "-a", "_a", "a b", "a\r\nSet-Cookie: x", "größe"].map(refusal);
        insta::assert_snapshot!(texts.join("\n"), @r#"
        a correlation id is empty: give at least one letter or digit
        the correlation id "-a" begins with '-': let it begin with a letter or a digit
        the correlation id "_a" begins with '_': let it begin with a letter or a digit
        the correlation id "a b" has ' ' in it: use letters from a to z, digits, - and _
        the correlation id "a\r\nSet-Cookie: x" has '\r' in it: use letters from a to z, digits, - and _
        the correlation id "größe" has 'ö' in it: use letters from a to z, digits, - and _
        "#);
        insta::assert_snapshot!(refusal(&"x".repeat(101)), @"a correlation id has 101 characters: give at most 100");
        for text in ["a", "0", "tsk_1_a", "A-b_C", &"x".repeat(100)] {
            assert_eq!(text.parse::<CorrelationId>().expect("valid").as_str(), text);
        }
        assert!(serde_json::from_str::<CorrelationId>("\"-\"").is_err());
    }

    proptest! {
        #[test]
        fn what_is_valid_is_what_the_rule_says(text in "[-_a-zA-Z0-9 .é]{0,4}") {
            let is_valid = text.starts_with(|c: char| c.is_ascii_alphanumeric())
                && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
            prop_assert_eq!(text.parse::<CorrelationId>().is_ok(), is_valid);
        }
    }
}
