//! What can be said of an event by its name or its payload alone.

use std::fmt;
use std::str::FromStr;

use crate::catalog::EventId;

/// A text that is the name of no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown event {0:?}")]
pub struct UnknownEvent(pub String);

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for EventId {
    type Err = UnknownEvent;

    fn from_str(text: &str) -> Result<Self, UnknownEvent> {
        Self::ALL
            .iter()
            .copied()
            .find(|event| event.name() == text)
            .ok_or_else(|| UnknownEvent(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_lead_back() {
        for event in EventId::ALL {
            assert_eq!(event.name().parse(), Ok(*event));
            assert_eq!(EventId::ALL[*event as usize], *event);
            assert!(event.about().ends_with('.'), "{event}: {:?}", event.about());
        }
        assert_eq!("task.compleeted".parse::<EventId>(), Err(UnknownEvent("task.compleeted".to_owned())));
    }
}
