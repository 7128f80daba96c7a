//! The transitions of a task as one text, for databases: to send and to read, a row for each costs more.

use std::str::FromStr;

use serde_json::Value;
use tasker_core::{TaskId, Timestamp};

use super::Transition;

impl Transition {
    /// Reads the transitions of a task from a text, and gives them in order.
    ///
    /// Of each come nine words: its number, the ordinal of the step or -1, the attempt or 0, the state before or `-`, the
    /// state after, the cause, the time in microseconds, then how many bytes `by` and `details` have, -1 if there are
    /// none. Those that there are follow. There is one space between all these, and between transitions.
    ///
    /// # Errors
    ///
    /// What is wrong with the text.
    pub fn unpack(task: TaskId, packed: &str) -> Result<Vec<Self>, String> {
        let (mut rest, mut transitions) =
            (Rest(Some(packed).filter(|packed| !packed.is_empty())), Vec::new());
        while rest.0.is_some() {
            transitions.push(rest.transition(task)?);
        }
        // An aggregate promises no order, and most often keeps that of the index.
        transitions.sort_by_key(|transition| transition.seq);
        Ok(transitions)
    }
}

/// What was not read yet; `None` at the end.
struct Rest<'a>(Option<&'a str>);

impl<'a> Rest<'a> {
    fn transition(&mut self, task: TaskId) -> Result<Transition, String> {
        let seq = self.parsed()?;
        let (ordinal, attempt): (i64, u32) = (self.parsed()?, self.parsed()?);
        let from = Some(self.word()?).filter(|word| *word != "-").map(parsed).transpose()?;
        let (to, cause, at) = (self.parsed()?, self.parsed()?, Timestamp::from_micros(self.parsed()?));
        let (by, details): (i64, i64) = (self.parsed()?, self.parsed()?);
        let by = self.bytes(by)?.map(str::to_owned);
        let details = self.bytes(details)?.map(serde_json::from_str).transpose();
        Ok(Transition {
            seq,
            task,
            step: u32::try_from(ordinal).ok().map(|ordinal| task.step(ordinal)),
            attempt: Some(attempt).filter(|attempt| *attempt > 0),
            from,
            to,
            cause,
            at,
            by,
            details: details.map_err(|error| error.to_string())?.unwrap_or(Value::Null),
        })
    }

    fn word(&mut self) -> Result<&'a str, String> {
        let rest = self.0.ok_or("a word is missing")?;
        let (word, rest) = rest.split_once(' ').map_or((rest, None), |(word, rest)| (word, Some(rest)));
        self.0 = rest;
        Ok(word)
    }

    fn parsed<T: FromStr<Err: ToString>>(&mut self) -> Result<T, String> {
        parsed(self.word()?)
    }

    /// So many bytes, whatever they are; nothing if that is less than none.
    fn bytes(&mut self, count: i64) -> Result<Option<&'a str>, String> {
        let Ok(count) = usize::try_from(count) else { return Ok(None) };
        let (bytes, rest) =
            self.0.and_then(|rest| rest.split_at_checked(count)).ok_or("bytes are missing")?;
        self.0 = match rest {
            "" => None,
            rest => Some(rest.strip_prefix(' ').ok_or("a space is missing")?),
        };
        Ok(Some(bytes))
    }
}

fn parsed<T: FromStr<Err: ToString>>(word: &str) -> Result<T, String> {
    word.parse().map_err(|error: T::Err| error.to_string())
}

#[cfg(test)]
mod tests {
    use tasker_core::State;

    use super::*;
    use crate::Cause;

    fn task() -> TaskId {
        TaskId::new(Timestamp::from_micros(1_790_000_000_000_000), 1 << 20)
    }

    #[test]
    fn whatever_stands_in_a_text_does_not_end_it_and_they_come_in_order() {
        let text = "9 2 3 error pending retry_requested 8 9 16 Zoë 1 -\n {\"reason\": \" 4\"} 7 -1 0 - pending submitted 5 0 -1 ";
        let transitions = Transition::unpack(task(), text).expect("transitions");
        let [first, second] = transitions.as_slice() else { panic!("{transitions:?}") };
        assert_eq!((first.seq, first.step, first.attempt, first.from), (7, None, None, None));
        assert_eq!((first.to, first.by.as_deref(), &first.details), (State::Pending, Some(""), &Value::Null));
        assert_eq!((second.step, second.attempt), (Some(task().step(2)), Some(3)));
        assert_eq!((second.from, second.cause), (Some(State::Error), Cause::RetryRequested));
        assert_eq!((second.at, second.by.as_deref()), (Timestamp::from_micros(8), Some("Zoë 1 -\n")));
        assert_eq!(second.details, serde_json::json!({ "reason": " 4" }));
        assert_eq!(Transition::unpack(task(), ""), Ok(Vec::new()));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, reason) in [
            ("7 -1 0", "a word is missing"),
            ("7 -1 0 - pending submitted 5 4 -1 abc", "bytes are missing"),
            ("7 -1 0 - pending submitted 5 4 -1", "bytes are missing"),
            ("7 -1 0 - pending submitted 5 3 -1 abcd", "a space is missing"),
            ("7 -1 0 - pending submitted 5 1 -1 é", "bytes are missing"),
            ("x ", "invalid digit found in string"),
        ] {
            assert_eq!(Transition::unpack(task(), text), Err(reason.to_owned()), "{text}");
        }
    }
}
