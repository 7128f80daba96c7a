//! Ids that follow from what they are about.

use std::fmt;
use std::num::{NonZeroU64, NonZeroU128};

use tasker_core::{LeaseKey, StepId, TaskId};

/// Identifies a trace: 16 bytes, not all zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId(NonZeroU128);

/// Identifies a span within its trace: 8 bytes, not all zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanId(NonZeroU64);

/// What a span is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The task from its submission to its end.
    Task,
    /// One run of it, counted from 1.
    Run(u32),
    /// A step, by its ordinal, in a run.
    Step {
        /// The run, counted from 1.
        run: u32,
        /// The step.
        ordinal: u32,
    },
    /// The wait of a step for an attempt.
    Queue(LeaseKey),
    /// An attempt.
    Attempt(LeaseKey),
    /// What the handler does in an attempt.
    Handler(LeaseKey),
}

impl TraceId {
    /// The trace of a task: its UUID.
    pub fn of(task: TaskId) -> Self {
        Self::from_u128(task.as_uuid().as_u128()).unwrap_or(Self(NonZeroU128::MIN))
    }

    /// From a number that is not zero.
    pub fn from_u128(number: u128) -> Option<Self> {
        NonZeroU128::new(number).map(Self)
    }

    /// As a number.
    pub fn as_u128(self) -> u128 {
        self.0.get()
    }
}

impl SpanId {
    /// The span of a task's trace that is about `subject`.
    ///
    /// No two subjects of a task have one id: their numbers are packed into 56 bits and mixed by a bijection.
    pub fn of(task: TaskId, subject: Subject) -> Self {
        let salted = subject.packed() ^ salt(task);
        // Of all 64-bit numbers one is mixed to zero. Packed numbers leave the highest bit free.
        let id = NonZeroU64::new(mix(salted)).or_else(|| NonZeroU64::new(mix(salted ^ (1 << 63))));
        Self(id.expect("invariant: a bijection gives zero once"))
    }

    /// From a number that is not zero.
    pub fn from_u64(number: u64) -> Option<Self> {
        NonZeroU64::new(number).map(Self)
    }

    /// As a number.
    pub fn as_u64(self) -> u64 {
        self.0.get()
    }
}

impl Subject {
    /// Four bits of kind, 20 of ordinal, 32 of run or attempt.
    fn packed(self) -> u64 {
        let pack = |kind: u64, ordinal: u32, number: u32| {
            (kind << 52) | (u64::from(ordinal & 0xf_ffff) << 32) | u64::from(number)
        };
        let of_attempt = |kind, key: LeaseKey| pack(kind, key.step.ordinal(), key.attempt);
        match self {
            Self::Task => pack(1, 0, 0),
            Self::Run(run) => pack(2, 0, run),
            Self::Step { run, ordinal } => pack(3, ordinal, run),
            Self::Queue(key) => of_attempt(4, key),
            Self::Attempt(key) => of_attempt(5, key),
            Self::Handler(key) => of_attempt(6, key),
        }
    }
}

/// What keeps equal subjects of two tasks apart.
fn salt(task: TaskId) -> u64 {
    let (high, low) = task.as_uuid().as_u64_pair();
    mix(mix(high) ^ low)
}

/// A bijection under which every bit of the number decides over every bit of the result: the finalizer of
/// `SplitMix64` (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
fn mix(mut number: u64) -> u64 {
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

macro_rules! hex_text {
    ($name:ident, $width:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("{:0", $width, "x}"), self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

hex_text!(TraceId, 32);
hex_text!(SpanId, 16);

/// The key of an attempt of a step.
pub(crate) fn key(step: StepId, attempt: u32) -> LeaseKey {
    LeaseKey { step, attempt }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use tasker_core::Timestamp;

    use super::*;

    fn task(random: u128) -> TaskId {
        TaskId::new(Timestamp::from_micros(1_790_000_000_000_000), random)
    }

    fn subjects(task: TaskId) -> impl Iterator<Item = Subject> {
        let ordinals = [0, 1, 2, 77, 1_048_573];
        let numbers = [1, 2, 3, 500, u32::MAX];
        let about = move |ordinal, number| {
            let key = key(task.step(ordinal), number);
            let step = Subject::Step { run: number, ordinal };
            [step, Subject::Queue(key), Subject::Attempt(key), Subject::Handler(key)]
        };
        let steps = ordinals
            .into_iter()
            .flat_map(move |ordinal| numbers.into_iter().flat_map(move |number| about(ordinal, number)));
        [Subject::Task].into_iter().chain(numbers.map(Subject::Run)).chain(steps)
    }

    #[test]
    fn no_two_subjects_have_one_id_within_a_task_or_across() {
        let (one, other) = (task(7 << 20), task(8 << 20));
        let ids = |task| subjects(task).map(move |subject| SpanId::of(task, subject));
        let ids: Vec<_> = ids(one).chain(ids(other)).collect();
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
    }

    /// What was exported stays what it was: these ids never change.
    #[test]
    fn the_ids_are_the_same_in_every_version() {
        let task = task(0x1234_5678_9abc_def0_1234_5678_9abc_def0);
        let step = Subject::Step { run: 1, ordinal: 3 };
        let handler = Subject::Handler(key(task.step(3), 2));
        let ids = [Subject::Task, Subject::Run(1), step, handler].map(|s| SpanId::of(task, s).to_string());
        insta::assert_snapshot!(format!("{} {}", TraceId::of(task), ids.join(" ")), @"01a0c4506c007ef0923456789ab00000 ffcbd01935d5e89f 49792bdf099f646b 417655ef3c220634 0e74f4b132977a37");
    }

    #[test]
    fn the_trace_of_a_task_is_its_uuid_without_hyphens() {
        let task = task(5 << 30);
        assert_eq!(TraceId::of(task).to_string(), task.to_string().replace('-', ""));
    }
}
