//! The lines of live progress, as text: a line for each step of a small task, a line for each level of a large one.

use std::time::Duration;

use tasker_core::{State, Timestamp};

use super::plain::said_of_failure;
use crate::board::{Board, Standing};
use crate::paint::{Colour, Paint};
use crate::words::{cut, duration, one_line, padded, width};

/// Never more lines than this.
pub(crate) const MOST_LINES: usize = 20;
/// The widest column of names.
const WIDEST_NAME: usize = 32;
/// How wide `level 1234` is.
const LEVEL: usize = 10;
/// How many cells a bar has.
const BAR: usize = 24;
/// How long each picture of the sign of work is shown.
const TURN: Duration = Duration::from_millis(100);
const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/// How lines are drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) paint: Paint,
    pub(crate) columns: usize,
    /// At most so many lines.
    pub(crate) rows: usize,
    /// How long the task is watched: what turns the sign of work.
    pub(crate) watched: Duration,
}

impl Frame {
    /// The lines at `now`.
    pub(crate) fn lines(&self, board: &Board, now: Timestamp) -> Vec<String> {
        let rows = self.rows.clamp(2, MOST_LINES);
        let lines =
            if board.steps.len() < rows { self.steps(board, now) } else { self.levels(board, now, rows) };
        lines.into_iter().map(|line| cut(&line, self.columns)).collect()
    }

    fn steps(&self, board: &Board, now: Timestamp) -> Vec<String> {
        let order = board.template.graph().topological();
        let names = board.template.steps.iter().map(|step| width(step.name.as_str()));
        let names = names.max().unwrap_or(0).min(WIDEST_NAME);
        order.iter().filter_map(|step| self.step(board, *step, now, names)).collect()
    }

    /// The line of one step, its name padded to so many columns.
    fn step(&self, board: &Board, ordinal: u32, now: Timestamp, columns: usize) -> Option<String> {
        let standing = board.steps.get(ordinal as usize)?;
        let name = &board.template.steps.get(ordinal as usize)?.name;
        let name = padded(&cut(&one_line(name.as_str()), WIDEST_NAME), columns);
        let name = if standing.state == State::Pending { self.paint.dim(name) } else { name };
        Some(format!("{} {name}  {}", self.mark(standing), self.said(standing, now)).trim_end().to_owned())
    }

    fn mark(&self, standing: &Standing) -> String {
        match standing.state {
            State::InProgress => self.spinner(),
            State::Error if !standing.is_final => self.paint.to_be_retried(),
            state => self.paint.mark(state),
        }
    }

    fn spinner(&self) -> String {
        let turns = self.watched.as_millis() / TURN.as_millis();
        let picture = SPINNER[usize::try_from(turns % SPINNER.len() as u128).unwrap_or(0)];
        self.paint.colour(Colour::Cyan, picture)
    }

    fn said(&self, standing: &Standing, now: Timestamp) -> String {
        let took = standing.took(now).map(duration).unwrap_or_default();
        let attempt = if standing.attempt > 1 {
            format!("  attempt {} of {}", standing.attempt, standing.limit)
        } else {
            String::new()
        };
        match standing.state {
            State::Pending => {
                standing.due.map(|due| format!("waits {}", duration(due.since(now)))).unwrap_or_default()
            }
            State::InProgress | State::Complete => format!("{took}{attempt}"),
            State::Error => self.paint.colour(Colour::Red, said_of_failure(standing, now)),
            State::Cancelled => "cancelled".to_owned(),
            State::ResolvedManually => "resolved by hand".to_owned(),
        }
    }

    /// A line for each level, those at work first of all, and one for the whole.
    fn levels(&self, board: &Board, now: Timestamp, rows: usize) -> Vec<String> {
        let levels = Level::all(board);
        let room = rows - 1;
        let first_open = levels.iter().position(|level| level.done < level.total).unwrap_or(levels.len());
        // The window begins one level before the first that is open, so that its end is seen.
        let start = first_open.saturating_sub(1).min(levels.len().saturating_sub(room));
        let mut lines = vec![self.whole(board, &levels)];
        lines.extend(levels.iter().skip(start).take(room).map(|level| match level.only {
            // A level of one step is that step.
            Some(step) => self.step(board, step, now, LEVEL).unwrap_or_default(),
            None => self.level(level),
        }));
        lines
    }

    fn whole(&self, board: &Board, levels: &[Level]) -> String {
        let (done, total) = (board.done(), board.steps.len());
        let ended = levels.iter().filter(|level| level.done == level.total).count();
        let mark = if done < total { self.spinner() } else { self.paint.mark(State::Complete) };
        format!(
            "{mark} the whole   {} {done}/{total} steps, {ended}/{} levels",
            self.bar(done, total),
            levels.len()
        )
    }

    fn level(&self, level: &Level) -> String {
        let mark = match (level.failed, level.running) {
            (1.., _) => self.paint.mark(State::Error),
            (0, 1..) => self.spinner(),
            (0, 0) if level.done == level.total => self.paint.mark(State::Complete),
            (0, 0) => self.paint.mark(State::Pending),
        };
        let Level { number, total, done, .. } = *level;
        let line = format!("{mark} level {number:<4}  {} {done:>5}/{total}", self.bar(done, total));
        let counts =
            [(level.running, "at work"), (level.retrying, "to be tried again"), (level.failed, "failed")];
        let counts = counts.into_iter().filter(|(count, _)| *count > 0);
        let counts = counts.map(|(count, word)| format!("{count} {word}"));
        std::iter::once(line).chain(counts).collect::<Vec<_>>().join("  ")
    }

    fn bar(&self, done: usize, total: usize) -> String {
        let full = (done * BAR).checked_div(total).unwrap_or(BAR);
        let (full, rest) = ("━".repeat(full), "─".repeat(BAR - full));
        format!("{}{}", self.paint.colour(Colour::Green, full), self.paint.dim(rest))
    }
}

/// How far the steps of a level are.
#[derive(Debug, Default, Clone)]
struct Level {
    number: usize,
    /// The step, if it is the only one.
    only: Option<u32>,
    total: usize,
    /// Complete, resolved or cancelled.
    done: usize,
    running: usize,
    retrying: usize,
    failed: usize,
}

impl Level {
    fn all(board: &Board) -> Vec<Self> {
        let numbers = board.template.graph().levels();
        let deepest = numbers.iter().copied().max().unwrap_or(0) as usize;
        let mut levels: Vec<Self> = (0..=deepest).map(|number| Self { number, ..Self::default() }).collect();
        for ((ordinal, step), number) in (0..).zip(&board.steps).zip(numbers) {
            let level = &mut levels[*number as usize];
            level.total += 1;
            level.only = (level.total == 1).then_some(ordinal);
            match step.state {
                State::Complete | State::ResolvedManually | State::Cancelled => level.done += 1,
                State::InProgress => level.running += 1,
                State::Error if !step.is_final => level.retrying += 1,
                State::Error => level.failed += 1,
                State::Pending => {}
            }
        }
        levels
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::trial::{ETL, Trial, layers};

    async fn drawn(trial: &Trial, rows: usize) -> String {
        let view = trial.view().await;
        let frame = Frame { paint: Paint::PLAIN, columns: 80, rows, watched: Duration::ZERO };
        frame.lines(&Board::of(&view), view.now).join("\n")
    }

    #[tokio::test]
    async fn a_small_task_has_a_line_for_each_step() {
        let trial = Trial::of(ETL).await;
        trial.complete(400, &json!({})).await;
        trial.complete(12, &json!({})).await;
        trial.fail(1_100, "sh exited with 1").await;
        insta::assert_snapshot!(drawn(&trial, 20).await, @r"
        ✓ extract_a  400 ms
        ✓ extract_b  400 ms
        ✓ transform  12 ms
        ↻ load       attempt 2 in 1.0 s: sh exited with 1
        ");
        trial.pass(1_000);
        trial.claim().await;
        trial.pass(250);
        insta::assert_snapshot!(drawn(&trial, 20).await, @r"
        ✓ extract_a  400 ms
        ✓ extract_b  400 ms
        ✓ transform  12 ms
        ⠋ load       250 ms  attempt 2 of 2
        ");
    }

    #[tokio::test]
    async fn a_large_task_has_a_line_for_each_level_and_never_more_than_there_is_room_for() {
        let trial = Trial::of(&layers(&[1, 12, 1, 30, 1, 1, 1, 1])).await;
        trial.complete(10, &json!({})).await;
        trial.complete(10, &json!({})).await;
        trial.complete(10, &json!({})).await;
        let leases = trial.claim().await;
        trial.settle(leases.into_iter().take(13).map(|lease| lease.complete(json!({}))).collect()).await;
        insta::assert_snapshot!(drawn(&trial, 6).await, @r"
        ⠋ the whole   ━━━━━━━━━━━━━─────────── 27/48 steps, 3/8 levels
        ✓ s2_0        10 ms
        ⠋ level 3     ━━━━━━━━━━──────────────    13/30  17 at work
        · s4_0
        · s5_0
        · s6_0
        ");
        assert_eq!(drawn(&trial, 50).await.lines().count(), 9);
    }
}
