//! Identifiers: tasks, steps, workers, and the key of one attempt.
//!
//! A task id is a UUID version 7 (RFC 9562) whose lowest 20 bits are zero. A step id is its task's id
//! with the step's ordinal plus one in those bits: still a valid version 7 UUID, and it names its task
//! without a lookup. 54 random bits remain for each millisecond.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::time::Timestamp;

const ORDINAL_BITS: u32 = 20;
const ORDINAL_MASK: u128 = (1 << ORDINAL_BITS) - 1;

/// The text given was not an identifier of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid {kind} id {value:?}: expected {expected}")]
pub struct InvalidId {
    /// `task`, `step` or `worker`.
    pub kind: &'static str,
    /// What was given.
    pub value: String,
    /// What would have been right.
    pub expected: &'static str,
}

/// Identifies one task.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Uuid", into = "Uuid")]
pub struct TaskId(Uuid);

impl TaskId {
    /// A new id, ordered by `now`, made unique by `random`.
    pub fn new(now: Timestamp, random: u128) -> Self {
        let millis = u64::try_from(now.as_micros() / 1000).unwrap_or(0);
        let bytes = random.to_be_bytes();
        let mut tail = [0u8; 10];
        tail.copy_from_slice(&bytes[6..]);
        let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid();
        Self(Uuid::from_u128(uuid.as_u128() & !ORDINAL_MASK))
    }

    /// The id of this task's step at `ordinal` (its index in the template).
    pub fn step(self, ordinal: u32) -> StepId {
        StepId(Uuid::from_u128(self.0.as_u128() | (u128::from(ordinal) + 1)))
    }

    /// The UUID behind this id.
    pub fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl TryFrom<Uuid> for TaskId {
    type Error = InvalidId;

    fn try_from(uuid: Uuid) -> Result<Self, InvalidId> {
        if uuid.as_u128() & ORDINAL_MASK == 0 {
            Ok(Self(uuid))
        } else {
            Err(InvalidId {
                kind: "task",
                value: uuid.to_string(),
                expected: "a task's UUID (its last five hexadecimal digits are 0); this looks like a step's",
            })
        }
    }
}

/// Identifies one step of one task.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Uuid", into = "Uuid")]
pub struct StepId(Uuid);

impl StepId {
    /// Not after any other.
    pub const FIRST: Self = Self(Uuid::nil());
    /// Not before any other.
    pub const LAST: Self = Self(Uuid::max());

    /// The task this step belongs to.
    pub fn task(self) -> TaskId {
        TaskId(Uuid::from_u128(self.0.as_u128() & !ORDINAL_MASK))
    }

    /// The index of this step in its template.
    pub fn ordinal(self) -> u32 {
        u32::try_from(self.0.as_u128() & ORDINAL_MASK).unwrap_or(0).saturating_sub(1)
    }

    /// The UUID behind this id.
    pub fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl TryFrom<Uuid> for StepId {
    type Error = InvalidId;

    fn try_from(uuid: Uuid) -> Result<Self, InvalidId> {
        if uuid.as_u128() & ORDINAL_MASK == 0 {
            let expected = "a step's UUID; this looks like a task's";
            Err(InvalidId { kind: "step", value: uuid.to_string(), expected })
        } else {
            Ok(Self(uuid))
        }
    }
}

/// Identifies one incarnation of one worker: a restarted worker has a new id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WorkerId(Uuid);

impl WorkerId {
    /// A new id, ordered by `now`, made unique by `random`.
    pub fn new(now: Timestamp, random: u128) -> Self {
        Self(TaskId::new(now, random).0)
    }

    /// The UUID behind this id.
    pub fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl From<Uuid> for WorkerId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

macro_rules! uuid_text {
    ($name:ident, $kind:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($kind, ":{}"), self.0)
            }
        }
        impl From<$name> for Uuid {
            fn from(id: $name) -> Uuid {
                id.0
            }
        }
    };
}

uuid_text!(TaskId, "task");
uuid_text!(StepId, "step");
uuid_text!(WorkerId, "worker");

fn parse(kind: &'static str, text: &str) -> Result<Uuid, InvalidId> {
    Uuid::parse_str(text.trim()).map_err(|_| InvalidId {
        kind,
        value: text.chars().take(80).collect(),
        expected: "a UUID such as 0199c2a4-5b1e-7c3d-9a4f-2e6b1c800000",
    })
}

impl FromStr for TaskId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        parse("task", text)?.try_into()
    }
}

impl FromStr for StepId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        parse("step", text)?.try_into()
    }
}

impl FromStr for WorkerId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Ok(Self(parse("worker", text)?))
    }
}

/// Names one attempt of one step: the fence of its lease.
///
/// Attempt numbers of a step only grow, so that a key is never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LeaseKey {
    /// The step.
    pub step: StepId,
    /// The attempt, counted from 1.
    pub attempt: u32,
}

impl fmt::Display for LeaseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.step, self.attempt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task() -> TaskId {
        TaskId::new(Timestamp::from_micros(1_790_000_000_000_000), 0x1234_5678_9abc_def0_1234_5678_9abc_def0)
    }

    #[test]
    fn a_step_id_names_its_task_and_its_ordinal() {
        for ordinal in [0, 1, 99, 1_048_573] {
            let step = task().step(ordinal);
            assert_eq!((step.task(), step.ordinal()), (task(), ordinal));
        }
    }

    #[test]
    fn both_ids_are_uuids_of_version_seven() {
        assert_eq!(task().as_uuid().get_version_num(), 7);
        assert_eq!(task().step(41).as_uuid().get_version_num(), 7);
    }

    #[test]
    fn a_step_id_is_refused_where_a_task_id_is_wanted() {
        let text = task().step(3).to_string();
        assert!(text.parse::<StepId>().is_ok());
        let error = text.parse::<TaskId>().expect_err("a step's id is not a task's");
        assert!(error.to_string().contains("looks like a step's"), "{error}");
    }

    #[test]
    fn later_tasks_have_greater_ids() {
        let later = TaskId::new(Timestamp::from_micros(1_790_000_000_001_000), 0);
        assert!(later > task());
    }
}
