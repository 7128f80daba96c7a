//! A task as lines: its verdict, then its steps level by level, each indented below those it waits for.

use std::time::Duration;

use tasker_core::{Readiness, State, readiness};
use tasker_engine::TaskView;
use tasker_store::StepRecord;

use crate::paint::Paint;
use crate::words::{count, cut, duration, one_line, padded, value, width};

/// Up to so many steps are shown one by one; of more, the complete ones are counted by level.
const SHOWN: usize = 60;
/// Deeper levels are not indented further.
const DEEPEST_INDENT: usize = 8;
/// The widest column of names.
const WIDEST_NAME: usize = 48;
/// Results are shortened to fit lines of so many columns, also where there is no terminal.
const WIDEST_LINE: usize = 120;
/// What is left for results is never less.
const LEAST_FOR_RESULTS: usize = 24;

/// A task drawn for a width.
pub(crate) struct Tree<'a> {
    view: &'a TaskView,
    paint: Paint,
    columns: usize,
}

/// One line below the verdict.
struct Row {
    mark: String,
    name: String,
    took: String,
    attempts: String,
    what: String,
}

impl<'a> Tree<'a> {
    pub(crate) fn new(view: &'a TaskView, paint: Paint, columns: usize) -> Self {
        Self { view, paint, columns: columns.min(WIDEST_LINE) }
    }

    /// All lines.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.verdict()];
        lines.extend(self.align(&self.rows()));
        lines
    }

    /// `✓ complete  default.orders@0.1.0  4 of 4 steps in 1.2 s  (id)`
    pub(crate) fn verdict(&self) -> String {
        let TaskView { task, template, now, .. } = self.view;
        let tally = self.view.progress().tally;
        let took = task.started_at.map(|start| task.ended_at.unwrap_or(*now).since(start));
        let took = took.map(|took| format!(" in {}", duration(took))).unwrap_or_default();
        let counts = format!("{} of {}{took}", tally.completed, count(tally.total as usize, "step"));
        let others = [(tally.failed, "failed"), (tally.cancelled, "cancelled")];
        let others = others.into_iter().filter(|(number, _)| *number > 0);
        let others: Vec<String> = others.map(|(number, word)| format!("{number} {word}")).collect();
        let counts = std::iter::once(counts).chain(others).collect::<Vec<_>>().join(", ");
        let paint = self.paint;
        let state = paint.state(task.state, format!("{} {}", mark(task.state), words(task.state)));
        format!("{state}  {}  {counts}  {}", paint.bold(template.key()), paint.dim(task.id))
    }

    fn rows(&self) -> Vec<Row> {
        let levels = self.view.template.graph().levels();
        let deepest = levels.iter().copied().max().unwrap_or(0);
        let is_large = self.view.steps.len() > SHOWN;
        let mut rows = Vec::new();
        for level in 0..=deepest {
            let of_level =
                self.view.steps.iter().filter(|step| levels.get(step.id.ordinal() as usize) == Some(&level));
            let (counted, shown): (Vec<&StepRecord>, Vec<_>) =
                of_level.partition(|step| is_large && !deserves_a_line(step));
            let indent = (level as usize).min(DEEPEST_INDENT) * 2;
            rows.extend(summaries(&counted, level, self.paint));
            rows.extend(shown.into_iter().map(|step| self.row(step, indent)));
        }
        rows
    }

    fn row(&self, step: &StepRecord, indent: usize) -> Row {
        let name = self.view.step_template(step).name.as_str();
        let took = match (step.started_at, step.ended_at) {
            (Some(start), Some(end)) if end >= start => duration(end.since(start)),
            (Some(start), None) => duration(self.view.now.since(start)),
            _ => String::new(),
        };
        let tells = step.attempts > 1 || step.state == State::Error;
        let attempts = if tells && step.attempts > 0 {
            format!("attempt {} of {}", step.attempts, step.retry_limit)
        } else {
            String::new()
        };
        Row {
            mark: format!("{}{}", " ".repeat(indent), self.mark(step)),
            name: cut(&one_line(name), WIDEST_NAME),
            took,
            attempts,
            what: self.what(step),
        }
    }

    fn mark(&self, step: &StepRecord) -> String {
        match (step.state, step.ready_at) {
            (State::Error, Some(_)) => self.paint.to_be_retried(),
            (state, _) => self.paint.mark(state),
        }
    }

    /// What there is to say of a step: its results, its failure, or what it waits for.
    fn what(&self, step: &StepRecord) -> String {
        let now = self.view.now;
        let failure = || step.failure.as_ref().map(|failure| one_line(&failure.message)).unwrap_or_default();
        match (step.state, readiness(&step.facts(), now)) {
            (State::Complete, _) => results(step),
            (State::ResolvedManually, _) => {
                format!("resolved by hand {}", results(step)).trim_end().to_owned()
            }
            (State::Cancelled, _) => "cancelled".to_owned(),
            (State::InProgress, _) => "at work".to_owned(),
            (State::Error, Readiness::At { time }) => {
                format!("again in {}: {}", duration(time.since(now)), failure())
            }
            (State::Error, _) => failure(),
            (State::Pending, Readiness::After { .. }) => format!("waits for {}", self.unmet(step)),
            (State::Pending, Readiness::At { time }) => format!("waits {}", duration(time.since(now))),
            (State::Pending, Readiness::Held) => "paused".to_owned(),
            (State::Pending, _) => "ready".to_owned(),
        }
    }

    fn unmet(&self, step: &StepRecord) -> String {
        let parents = self.view.template.graph().parents(step.id.ordinal());
        let unmet = parents.iter().filter_map(|parent| self.view.steps.get(*parent as usize));
        let unmet = unmet.filter(|parent| !parent.state.satisfies_dependents());
        unmet.map(|parent| self.view.step_template(parent).name.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn align(&self, rows: &[Row]) -> Vec<String> {
        let paint = self.paint;
        let widest = |cell: fn(&Row) -> usize| rows.iter().map(cell).max().unwrap_or(0);
        let names = widest(|row| width(&row.mark) + 1 + width(&row.name));
        let (took, attempts) = (widest(|row| width(&row.took)), widest(|row| width(&row.attempts)));
        let used = names + 2 + took + 2 + if attempts > 0 { attempts + 2 } else { 0 };
        let left = self.columns.saturating_sub(used).max(LEAST_FOR_RESULTS);
        let line = |row: &Row| {
            let name = padded(&format!("{} {}", row.mark, row.name), names);
            let took = format!("{}{}", " ".repeat(took - width(&row.took)), row.took);
            let tried = if attempts > 0 { padded(&row.attempts, attempts + 2) } else { String::new() };
            // What is empty is not painted, so that the line ends with its text.
            let what = if row.what.is_empty() { String::new() } else { paint.dim(cut(&row.what, left)) };
            format!("{name}  {took}  {tried}{what}").trim_end().to_owned()
        };
        rows.iter().map(line).collect()
    }
}

/// Whether a step of a large task has a line of its own: what went wrong, and what goes on right now.
fn deserves_a_line(step: &StepRecord) -> bool {
    matches!(step.state, State::Error | State::InProgress)
}

/// One line for all steps of a level that are in the same state.
fn summaries(steps: &[&StepRecord], level: u32, paint: Paint) -> Vec<Row> {
    let by_state = State::ALL.into_iter().filter_map(|state| {
        let same: Vec<_> = steps.iter().filter(|step| step.state == state).collect();
        let begin = same.iter().filter_map(|step| step.started_at).min();
        let end = same.iter().filter_map(|step| step.ended_at).max();
        let took = begin.zip(end).map_or(Duration::ZERO, |(begin, end)| end.since(begin));
        (!same.is_empty()).then(|| Row {
            mark: paint.mark(state),
            name: format!("level {level}: {} {}", count(same.len(), "step"), words(state)),
            took: if took.is_zero() { String::new() } else { duration(took) },
            attempts: String::new(),
            what: String::new(),
        })
    });
    by_state.collect()
}

fn results(step: &StepRecord) -> String {
    step.results.as_ref().map(|results| value(results, 400)).unwrap_or_default()
}

/// A state in words for people.
pub(crate) fn words(state: State) -> &'static str {
    match state {
        State::Pending => "pending",
        State::InProgress => "in progress",
        State::Complete => "complete",
        State::Error => "in error",
        State::Cancelled => "cancelled",
        State::ResolvedManually => "resolved by hand",
    }
}

fn mark(state: State) -> String {
    Paint::PLAIN.mark(state)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::trial::{ETL, Trial, layers};

    fn drawn(view: &TaskView, columns: usize) -> String {
        let id = view.task.id.to_string();
        Tree::new(view, Paint::PLAIN, columns).lines().join("\n").replace(&id, "(id)")
    }

    #[tokio::test]
    async fn steps_are_indented_below_those_they_wait_for() {
        let trial = Trial::of(ETL).await;
        trial.complete(400, &json!({"rows": 3})).await;
        trial
            .complete(12, &json!({"rows": 6, "note": "a value that is too long for the line it stands on"}))
            .await;
        trial.fail(1_100, "sh exited with 1: connection refused").await;
        insta::assert_snapshot!(drawn(&trial.view().await, 80), @r#"
        ▸ in progress  default.etl@0.1.0  3 of 4 steps in 1.5 s, 1 failed  (id)
        ✓ extract_a    400 ms                  {"rows":3}
        ✓ extract_b    400 ms                  {"rows":3}
          ✓ transform   12 ms                  {"note":"a value that is too long for th…
            ↻ load      1.1 s  attempt 1 of 2  again in 1.0 s: sh exited with 1: connec…
        "#);
        trial.pass(1_000);
        trial.fail(900, "sh exited with 1: connection refused").await;
        insta::assert_snapshot!(drawn(&trial.view().await, 80), @r#"
        ✗ in error  default.etl@0.1.0  3 of 4 steps in 3.4 s, 1 failed  (id)
        ✓ extract_a    400 ms                  {"rows":3}
        ✓ extract_b    400 ms                  {"rows":3}
          ✓ transform   12 ms                  {"note":"a value that is too long for th…
            ✗ load     900 ms  attempt 2 of 2  sh exited with 1: connection refused
        "#);
    }

    #[tokio::test]
    async fn a_task_that_has_not_begun_tells_what_waits_for_what() {
        let trial = Trial::of(ETL).await;
        insta::assert_snapshot!(drawn(&trial.view().await, 80), @r"
        · pending  default.etl@0.1.0  0 of 4 steps  (id)
        · extract_a      ready
        · extract_b      ready
          · transform    waits for extract_a, extract_b
            · load       waits for transform
        ");
    }

    #[tokio::test]
    async fn of_a_large_task_levels_are_counted_and_failures_shown() {
        let trial = Trial::of(&layers(&[1, 70, 1])).await;
        trial.complete(10, &json!(null)).await;
        let mut leases = trial.claim().await;
        let last = leases.pop().expect("seventy");
        trial.pass(2_000);
        let failure = tasker_core::Failure::new(tasker_core::FailureKind::Permanent, "no such customer");
        let done = leases.into_iter().map(|lease| lease.complete(json!(1)));
        trial.settle(done.chain([last.fail(failure)]).collect()).await;
        insta::assert_snapshot!(drawn(&trial.view().await, 80), @r"
        ✗ in error  default.layers@0.1.0  70 of 72 steps in 2.0 s, 1 failed  (id)
        ✓ level 0: 1 step complete    10 ms
        ✓ level 1: 69 steps complete  2.0 s
          ✗ s1_69                     2.0 s  attempt 1 of 3  no such customer
        · level 2: 1 step pending
        ");
    }
}
