//! Tasks and steps as they are named on a command line: by a part of an id, by `last`, by a step's name.
//!
//! A task id is a UUID of version 7 whose last five digits are 0: it begins with the time and ends in chance. Tasks of
//! the same minute begin alike, so it is shown by the seven digits of chance before the zeros, as in `2e6b1c8`.

use tasker_core::{StepId, StepName, TaskId};
use tasker_engine::{Engine, TaskView};
use tasker_store::{Page, Target, TaskFilter, TaskRecord, TaskSort};

use crate::ending::{Trouble, usage};
use crate::words::moment;

/// What stands for the newest task.
const LAST: &str = "last";
/// A part of an id has at least so many digits.
const FEWEST_DIGITS: usize = 4;
/// The digits of an id that number a step; zeros in a task's.
const ORDINAL_DIGITS: usize = 5;
/// The digits an id is shown by.
const SHORT: std::ops::Range<usize> = 20..27;
/// A part of an id is looked for among so many of the newest tasks.
const SEARCHED: u32 = 10_000;
const PAGE: u32 = 500;
/// At most so many are listed in a message.
const LISTED: usize = 40;

/// An id as it is shown: seven digits, enough to name it.
pub(crate) fn short(id: TaskId) -> String {
    chance(id.as_uuid())
}

/// The last seven digits of chance in an id.
pub(crate) fn chance(id: uuid::Uuid) -> String {
    id.simple().to_string()[SHORT].to_owned()
}

/// The task that a word means.
pub(crate) async fn task(engine: &Engine, word: &str) -> Result<TaskId, Trouble> {
    Ok(target(engine, word).await?.task())
}

/// The task or the step that a word means.
pub(crate) async fn target(engine: &Engine, word: &str) -> Result<Target, Trouble> {
    if let Ok(id) = word.parse::<TaskId>() {
        return Ok(Target::Task(id));
    }
    if let Ok(id) = word.parse::<StepId>() {
        return Ok(Target::Step(id));
    }
    if word == LAST {
        let newest = newest(engine, 0, 1).await?.pop();
        return newest.map_or_else(|| usage("there is no task yet"), |task| Ok(Target::Task(task.id)));
    }
    let part = Part::of(word)?;
    let mut found = Vec::new();
    for offset in (0..SEARCHED).step_by(PAGE as usize) {
        let page = newest(engine, offset, PAGE).await?;
        let is_last = page.len() < PAGE as usize;
        found.extend(page.into_iter().filter_map(|task| Some((part.matches(task.id)?, task))));
        if is_last {
            break;
        }
    }
    match found.as_slice() {
        [] => usage(format!("no task has an id like {word:?}; `tasker task list` shows those there are")),
        [(target, _)] => Ok(*target),
        several => usage(ambiguous(word, several)),
    }
}

/// A task as it stands.
pub(crate) async fn view(engine: &Engine, id: TaskId) -> Result<TaskView, Trouble> {
    match engine.task(id).await? {
        Some(view) => Ok(view),
        None => usage(format!("task {id} does not exist; `tasker task list` shows those that do")),
    }
}

/// The step of a task that a word means: its name or its id.
pub(crate) fn step(view: &TaskView, word: &str) -> Result<StepId, Trouble> {
    if let Ok(id) = word.parse::<StepId>() {
        return Ok(id);
    }
    let found = StepName::new(word).ok().and_then(|name| view.template.step(&name));
    if let Some((ordinal, _)) = found {
        return Ok(view.task.id.step(ordinal));
    }
    let names: Vec<&str> = view.template.steps.iter().map(|step| step.name.as_str()).take(LISTED).collect();
    let names = names.join(", ");
    usage(format!("task {} has no step {word:?}; its steps are {names}", short(view.task.id)))
}

async fn newest(engine: &Engine, offset: u32, limit: u32) -> Result<Vec<TaskRecord>, Trouble> {
    let page = Page { limit, offset, sort: TaskSort::NewestFirst };
    Ok(engine.store().tasks(&TaskFilter::default(), page).await?)
}

fn digits(id: TaskId) -> String {
    id.as_uuid().simple().to_string()
}

fn ambiguous(word: &str, found: &[(Target, TaskRecord)]) -> String {
    let line = |task: &TaskRecord| format!("\n  {}  {}  {}", task.id, moment(task.requested_at), task.state);
    let lines: String = found.iter().take(LISTED).map(|(_, task)| line(task)).collect();
    format!("{} tasks have an id like {word:?}; write more of it:{lines}", found.len())
}

/// A part of an id: its beginning, its end, its end without the zeros, or the beginning of what it is shown by.
struct Part(String);

impl Part {
    fn of(word: &str) -> Result<Self, Trouble> {
        let digits: String = word.chars().filter(|c| *c != '-').collect::<String>().to_lowercase();
        if digits.len() >= FEWEST_DIGITS && digits.chars().all(|c| c.is_ascii_hexdigit()) {
            return Ok(Self(digits));
        }
        usage(format!(
            "{word:?} names no task: write its id, at least {FEWEST_DIGITS} hexadecimal digits of the beginning or the \
             end of it, or `{LAST}` for the newest"
        ))
    }

    /// The task, if this is a part of its id; or its step, if this is the end of that step's.
    fn matches(&self, id: TaskId) -> Option<Target> {
        let all = digits(id);
        let chance = &all[..all.len() - ORDINAL_DIGITS];
        let is_part = all.starts_with(&self.0) || all[SHORT].starts_with(&self.0);
        if is_part || all.ends_with(&self.0) || chance.ends_with(&self.0) {
            return Some(Target::Task(id));
        }
        let (head, ordinal) = self.0.split_at_checked(self.0.len().checked_sub(ORDINAL_DIGITS)?)?;
        if head.len() < FEWEST_DIGITS || !chance.ends_with(head) {
            return None;
        }
        let ordinal = u32::from_str_radix(ordinal, 16).ok()?.checked_sub(1)?;
        Some(Target::Step(id.step(ordinal)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> TaskId {
        "0199c2a4-5b1e-7c3d-9a4f-2e6b1c800000".parse().expect("an id")
    }

    fn matches(word: &str) -> Option<Target> {
        Part::of(word).expect("digits").matches(id())
    }

    #[test]
    fn a_task_is_shown_by_the_digits_of_chance() {
        assert_eq!(short(id()), "2e6b1c8");
    }

    #[test]
    fn a_beginning_an_end_and_an_end_without_zeros_name_a_task() {
        for word in ["0199c2a4", "0199c2a4-5b1e", "2e6b1c800000", "2E6B1C8", "b1c8", "2e6b"] {
            assert_eq!(matches(word), Some(Target::Task(id())), "{word}");
        }
        assert_eq!(matches("0299c2a4"), None);
    }

    #[test]
    fn the_end_of_a_steps_id_names_the_step() {
        assert_eq!(matches("2e6b1c800002"), Some(Target::Step(id().step(1))));
    }

    #[test]
    fn what_is_no_part_of_an_id_says_what_to_write() {
        let message = |word| Part::of(word).err().map(|trouble| trouble.message());
        insta::assert_snapshot!(message("orders").expect("no digits"), @r#""orders" names no task: write its id, at least 4 hexadecimal digits of the beginning or the end of it, or `last` for the newest"#);
        assert!(message("1c8").is_some());
    }
}
