//! What travels with a request: `traceparent`.
//!
//! The format is that of <https://www.w3.org/TR/trace-context/>, version 00:
//! `00-0199c2a45b1e7c3d9a4f2e6b1c800000-00f067aa0ba902b7-01`.

use std::fmt;
use std::str::FromStr;

use tasker_core::LeaseKey;

use crate::id::{SpanId, Subject, TraceId};

/// How long a header of version 00 is, and what of a later one is understood.
const LENGTH: usize = 55;

/// The place of a span: what a request carries so that its receiver can go on with the trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace.
    pub trace: TraceId,
    /// The span that sends it.
    pub span: SpanId,
    /// Whether the sender records the trace.
    pub sampled: Sampled,
}

/// Whether a trace is recorded while it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampled {
    /// It is.
    Yes,
    /// It is not.
    No,
}

/// A text that is no `traceparent`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "traceparent {0:?} cannot be used: write version, trace id, span id and flags in lower-case hexadecimal, such as \
     00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
)]
pub struct InvalidTraceparent(pub String);

impl TraceContext {
    /// What a handler sends on in an attempt: its own span as the parent.
    pub fn for_attempt(key: LeaseKey, sampled: Sampled) -> Self {
        let task = key.step.task();
        Self { trace: TraceId::of(task), span: SpanId::of(task, Subject::Handler(key)), sampled }
    }

    /// The place of the attempt itself: what a worker does for it is a part of that.
    pub fn of_attempt(key: LeaseKey, sampled: Sampled) -> Self {
        let task = key.step.task();
        Self { trace: TraceId::of(task), span: SpanId::of(task, Subject::Attempt(key)), sampled }
    }
}

impl Sampled {
    /// Whether it is.
    pub fn is_yes(self) -> bool {
        self == Self::Yes
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = match self.sampled {
            Sampled::Yes => "01",
            Sampled::No => "00",
        };
        write!(f, "00-{}-{}-{flags}", self.trace, self.span)
    }
}

impl FromStr for TraceContext {
    type Err = InvalidTraceparent;

    fn from_str(text: &str) -> Result<Self, InvalidTraceparent> {
        read(text).ok_or_else(|| InvalidTraceparent(text.chars().take(80).collect()))
    }
}

/// Of a version after 00 only what has the form of 00 is read; more may follow after a hyphen.
fn read(text: &str) -> Option<TraceContext> {
    let (known, rest) = text.split_at_checked(LENGTH)?;
    let mut parts = known.split('-');
    let mut next = |digits| number(parts.next()?, digits);
    let (version, trace, span, flags) = (next(2)?, next(32)?, next(16)?, next(2)?);
    let is_whole = match version {
        0 => rest.is_empty(),
        0xff => false,
        _ => rest.is_empty() || rest.starts_with('-'),
    };
    if !is_whole {
        return None;
    }
    let span = SpanId::from_u64(u64::try_from(span).ok()?)?;
    let sampled = if flags & 1 == 1 { Sampled::Yes } else { Sampled::No };
    Some(TraceContext { trace: TraceId::from_u128(trace)?, span, sampled })
}

fn number(text: &str, digits: usize) -> Option<u128> {
    let is_lower_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if text.len() != digits || !is_lower_hex {
        return None;
    }
    u128::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tasker_core::{TaskId, Timestamp};

    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_is_read_and_written() {
        let context: TraceContext = GOOD.parse().expect("a traceparent");
        assert_eq!(context.trace.as_u128(), 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
        assert_eq!(context.span.as_u64(), 0x00f0_67aa_0ba9_02b7);
        assert_eq!(context.sampled, Sampled::Yes);
        assert_eq!(context.to_string(), GOOD);
    }

    #[test]
    fn of_the_flags_only_sampled_counts() {
        let flags = |flags: &str| format!("{}{flags}", &GOOD[..53]).parse::<TraceContext>();
        assert_eq!(flags("fe").expect("a traceparent").sampled, Sampled::No);
        assert_eq!(flags("03").expect("a traceparent").sampled, Sampled::Yes);
    }

    #[test]
    fn a_later_version_may_say_more_after_a_hyphen() {
        for text in [&GOOD.replacen("00", "01", 1), &format!("cc{}-what-is-this", &GOOD[2..])] {
            assert!(text.parse::<TraceContext>().is_ok(), "{text}");
        }
        assert!(format!("cc{}.what", &GOOD[2..]).parse::<TraceContext>().is_err());
    }

    #[test]
    fn what_is_no_traceparent_is_refused() {
        let zero_trace = format!("00-{:032}-00f067aa0ba902b7-01", 0);
        let zero_span = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{:016}-01", 0);
        let texts = [
            "",
            "00",
            &GOOD[..54],
            &format!("{GOOD}-00"),
            &format!(" {GOOD}"),
            &GOOD.replacen("00", "ff", 1),
            &GOOD.to_uppercase(),
            &GOOD.replace('-', "_"),
            &GOOD.replacen("4b", "+b", 1),
            &zero_trace,
            &zero_span,
        ];
        for text in texts {
            let error = text.parse::<TraceContext>().expect_err(text);
            assert_eq!(error, InvalidTraceparent(text.to_owned()));
        }
    }

    #[test]
    fn an_attempt_sends_the_span_of_its_handler() {
        let task = TaskId::new(Timestamp::from_micros(1_790_000_000_000_000), 9 << 20);
        let key = LeaseKey { step: task.step(1), attempt: 2 };
        let context = TraceContext::for_attempt(key, Sampled::No);
        assert_eq!(context.span, SpanId::of(task, Subject::Handler(key)));
        assert_eq!(context.to_string(), format!("00-{}-{}-00", TraceId::of(task), context.span));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,70}") {
            let _ = text.parse::<TraceContext>();
        }

        #[test]
        fn what_was_written_is_read_back(trace in 1u128.., span in 1u64.., yes in any::<bool>()) {
            let sampled = if yes { Sampled::Yes } else { Sampled::No };
            let trace = TraceId::from_u128(trace).expect("not zero");
            let context = TraceContext { trace, span: SpanId::from_u64(span).expect("not zero"), sampled };
            prop_assert_eq!(context.to_string().parse(), Ok(context));
        }
    }
}
