//! Which events a subscriber wants.

use tasker_events::{EventId, Interests, TaskKind};

use crate::mapping::RECORDED;

/// Which events a subscriber wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    events: Interests,
    namespaces: Vec<Pattern>,
    tasks: Vec<Pattern>,
}

/// A text, or the beginning of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    Exactly(String),
    Beginning(String),
}

impl Selection {
    /// What the texts of settings say. Empty lists of namespaces and tasks stand for all.
    ///
    /// # Errors
    ///
    /// What is wrong with which field.
    pub(crate) fn read(
        events: &[String],
        namespaces: &[String],
        tasks: &[String],
    ) -> Result<Self, (String, String)> {
        if events.is_empty() {
            let remedy = "is empty; name at least one event, or write \"*\" for all";
            return Err(("events".to_owned(), remedy.to_owned()));
        }
        let mut wanted = Interests::NONE;
        for (index, text) in events.iter().enumerate() {
            let pattern = Pattern::read(text);
            let meant = RECORDED.into_iter().filter(|event| pattern.fits(event.name()));
            let meant: Vec<EventId> = meant.collect();
            if meant.is_empty() {
                return Err((format!("events[{index}]"), unknown(text)));
            }
            wanted = meant.into_iter().fold(wanted, Interests::with);
        }
        let patterns = |texts: &[String]| texts.iter().map(|text| Pattern::read(text)).collect();
        Ok(Self { events: wanted, namespaces: patterns(namespaces), tasks: patterns(tasks) })
    }

    /// Whether an event of this name may be wanted.
    pub(crate) fn wants(&self, event: EventId) -> bool {
        self.events.wants(Some(event))
    }

    /// Whether events of tasks of this template are wanted.
    pub(crate) fn wants_of(&self, kind: &TaskKind) -> bool {
        let any = |patterns: &[Pattern], text: &str| {
            patterns.is_empty() || patterns.iter().any(|pattern| pattern.fits(text))
        };
        any(&self.namespaces, &kind.namespace) && any(&self.tasks, &kind.name)
    }
}

impl Pattern {
    fn read(text: &str) -> Self {
        match text.strip_suffix('*') {
            Some(beginning) => Self::Beginning(beginning.to_owned()),
            None => Self::Exactly(text.to_owned()),
        }
    }

    fn fits(&self, text: &str) -> bool {
        match self {
            Self::Exactly(exactly) => text == exactly,
            Self::Beginning(beginning) => text.starts_with(beginning),
        }
    }
}

/// What is wrong with a pattern that means no event.
fn unknown(text: &str) -> String {
    let known = || RECORDED.iter().map(|event| event.name());
    if EventId::ALL.iter().any(|event| event.name() == text) {
        let names = known().collect::<Vec<_>>().join(", ");
        return format!(
            "{text:?} leaves no trace in the feed, so that nobody can follow it; choose among {names}"
        );
    }
    if text.ends_with('*') {
        return format!(
            "{text:?} is the beginning of no recorded event; write \"task.*\", \"step.*\" or \"*\""
        );
    }
    let similarity = |name: &&str| (strsim::normalized_damerau_levenshtein(text, name) * 1000.0).round();
    let nearest = known().max_by(|left, right| similarity(left).total_cmp(&similarity(right)));
    format!("{text:?} is no event; did you mean {:?}?", nearest.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(events: &[&str]) -> Result<Selection, (String, String)> {
        let events: Vec<_> = events.iter().map(|text| (*text).to_owned()).collect();
        Selection::read(&events, &[], &[])
    }

    #[test]
    fn patterns_choose_by_name_and_by_beginning() {
        let selection = read(&["task.completed", "step.*"]).expect("known");
        assert!(selection.wants(EventId::TaskCompleted) && selection.wants(EventId::StepFailed));
        assert!(!selection.wants(EventId::TaskFailed) && !selection.wants(EventId::LeaseExpired));
    }

    #[test]
    fn a_slip_is_told_with_the_nearest_name() {
        let (field, problem) = read(&["step.*", "task.compleeted"]).expect_err("a slip");
        assert_eq!(field, "events[1]");
        assert_eq!(problem, "\"task.compleeted\" is no event; did you mean \"task.completed\"?");
    }

    #[test]
    fn events_that_are_not_recorded_cannot_be_followed() {
        let (_, problem) = read(&["worker.registered"]).expect_err("not recorded");
        assert!(problem.contains("leaves no trace in the feed"), "{problem}");
        assert!(read(&["worker.*"]).is_err() && read(&[]).is_err());
    }

    #[test]
    fn namespaces_and_tasks_narrow_the_choice() {
        let all = ["*".to_owned()];
        let narrow = Selection::read(&all, &["shop-*".to_owned()], &["order".to_owned()]).expect("known");
        let kind = |namespace: &str, name: &str| TaskKind {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            steps: 0,
            cache: tasker_events::Cache::default(),
        };
        assert!(narrow.wants_of(&kind("shop-eu", "order")));
        assert!(!narrow.wants_of(&kind("shop-eu", "refund")) && !narrow.wants_of(&kind("bank", "order")));
    }
}
