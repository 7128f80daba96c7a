//! Sets of events.

use crate::catalog::EventId;

/// Which events somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Interests {
    known: u128,
    custom: bool,
}

impl Interests {
    /// None.
    pub const NONE: Self = Self { known: 0, custom: false };

    /// Every event, those of handlers as well.
    pub const ALL: Self = Self { known: u128::MAX, custom: true };

    /// These.
    pub fn of(events: impl IntoIterator<Item = EventId>) -> Self {
        events.into_iter().fold(Self::NONE, Self::with)
    }

    /// Besides, `event`.
    #[must_use]
    pub fn with(mut self, event: EventId) -> Self {
        self.known |= bit(event);
        self
    }

    /// Besides, the events that handlers emit.
    #[must_use]
    pub fn with_custom(mut self) -> Self {
        self.custom = true;
        self
    }

    /// Those that match any of the patterns: a name; the beginning of names and `*`, such as `task.*`; `*` for all,
    /// `custom.*` for those of handlers.
    ///
    /// # Errors
    ///
    /// The first pattern that matches nothing.
    pub fn matching<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, &'a str> {
        let mut interests = Self::NONE;
        for pattern in patterns {
            let more = Self::matching_one(pattern);
            if more == Self::NONE {
                return Err(pattern);
            }
            interests = Self { known: interests.known | more.known, custom: interests.custom || more.custom };
        }
        Ok(interests)
    }

    fn matching_one(pattern: &str) -> Self {
        match pattern {
            "*" => Self::ALL,
            "custom.*" => Self::NONE.with_custom(),
            _ => {
                let beginning = pattern.strip_suffix('*');
                let is_meant = |event: &EventId| match beginning {
                    Some(beginning) => event.name().starts_with(beginning),
                    None => event.name() == pattern,
                };
                Self::of(EventId::ALL.iter().copied().filter(is_meant))
            }
        }
    }

    /// Whether `event` is wanted; `None` is one of a handler.
    pub fn wants(self, event: Option<EventId>) -> bool {
        event.map_or(self.custom, |event| self.known & bit(event) != 0)
    }
}

fn bit(event: EventId) -> u128 {
    1 << (event as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_choose_by_name_and_by_beginning() {
        let chosen = Interests::matching(["task.*", "step.failed"]).expect("known");
        for event in EventId::ALL {
            let is_meant = event.name().starts_with("task.") || event.name() == "step.failed";
            assert_eq!(chosen.wants(Some(*event)), is_meant, "{event}");
        }
        assert!(!chosen.wants(None));
        assert!(Interests::matching(["custom.*"]).expect("known").wants(None));
        assert_eq!(Interests::matching(["task.completed", "tusk.*"]), Err("tusk.*"));
    }
}
