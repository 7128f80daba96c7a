//! `tasker task logs`: what the attempts of a task logged.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::json;
use tasker_core::{LeaseKey, State};
use tasker_engine::{Engine, TaskView};
use tasker_store::{LogLine, Target};

use super::Named;
use crate::desk::Desk;
use crate::ending::{Ending, Outcome, Trouble};
use crate::ids;
use crate::terminal::Terminal;
use crate::words::{cut, moment, padded, time_of_day, width, without_controls};

/// Show what the attempts of a task logged: for commands, what they wrote to their standard error.
///
/// Lines stand in the order of their time, with step and attempt. They are kept with their task, 64 kB of an attempt,
/// and are there a second after they were logged.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    named: Named,
    /// Only the lines of the attempt of this number.
    #[arg(long, value_name = "N")]
    attempt: Option<u32>,
    /// Go on with what is logged from now on, until the task has ended.
    #[arg(short, long)]
    follow: bool,
    /// Print JSON, one line a line.
    #[arg(long)]
    json: bool,
}

/// How often is looked for further lines: as often as they are kept.
const LOOK: Duration = Duration::from_secs(1);
/// The widest column of names.
const WIDEST_NAME: usize = 48;

pub(crate) async fn run(args: &Args, desk: &mut Desk) -> Outcome {
    let engine = desk.open().await?;
    let target = args.named.find(&engine).await?;
    let view = ids::view(&engine, target.task()).await?;
    let mut reader = Reader { view: &view, target, attempt: args.attempt, read: HashMap::new() };
    let mut is_first = true;
    let mut has_ended = false;
    loop {
        // What an attempt logged last may be kept a moment after its task has ended.
        let is_last = !args.follow || has_ended;
        has_ended = args.follow && ended(&engine, &view).await?;
        let lines = reader.next(&engine).await?;
        reader.print(&mut desk.terminal, args.json, &lines);
        if is_last {
            if is_first && lines.is_empty() {
                desk.terminal.note(format!("nothing that was logged is kept of {}", reader.what()));
            }
            return Ok(Ending::Well);
        }
        is_first &= lines.is_empty();
        tokio::time::sleep(LOOK).await;
    }
}

/// Whether a task is in a state that it does not leave by itself.
async fn ended(engine: &Engine, view: &TaskView) -> Result<bool, Trouble> {
    let task = engine.store().task(view.task.id).await?;
    Ok(task.is_none_or(|task| !matches!(task.state, State::Pending | State::InProgress)))
}

/// What has been read of the lines that are wanted.
struct Reader<'a> {
    view: &'a TaskView,
    target: Target,
    attempt: Option<u32>,
    /// How many lines of each attempt.
    read: HashMap<LeaseKey, usize>,
}

impl Reader<'_> {
    /// Lines that were not read yet, by time.
    async fn next(&mut self, engine: &Engine) -> Result<Vec<(LeaseKey, LogLine)>, Trouble> {
        let step = match self.target {
            Target::Task(_) => None,
            Target::Step(step) => Some(step),
        };
        let logs = engine.store().logs(self.target.task(), step).await?;
        let mut lines = Vec::new();
        for log in logs {
            if self.attempt.is_none_or(|attempt| attempt == log.key.attempt) {
                let read = self.read.entry(log.key).or_default();
                let count = log.lines.len();
                lines.extend(log.lines.into_iter().skip(*read).map(|line| (log.key, line)));
                *read = count;
            }
        }
        lines.sort_by_key(|(_, line)| line.at);
        Ok(lines)
    }

    fn print(&self, terminal: &mut Terminal, is_json: bool, lines: &[(LeaseKey, LogLine)]) {
        let steps = self.view.template.steps.iter().map(|step| width(step.name.as_str()));
        let columns = steps.max().unwrap_or(0).min(WIDEST_NAME);
        let paint = terminal.paint();
        for (key, line) in lines {
            let (name, attempt) = (self.name(*key), key.attempt);
            if is_json {
                let (step_id, at) = (key.step.to_string(), line.at);
                terminal.print(json!({
                    "at": at, "step": name, "step_id": step_id, "attempt": attempt, "text": line.text,
                }));
            } else {
                let day = &moment(line.at)[..10];
                let name = padded(&cut(name, WIDEST_NAME), columns);
                let head = paint.dim(format!("{day} {}  {name}  {attempt}", time_of_day(line.at)));
                terminal.print(format!("{head}  {}", without_controls(&line.text)).trim_end());
            }
        }
    }

    fn name(&self, key: LeaseKey) -> &str {
        self.view.template.steps.get(key.step.ordinal() as usize).map_or("?", |step| step.name.as_str())
    }

    /// What lines are wanted of.
    fn what(&self) -> String {
        let task = format!("task {}", ids::short(self.view.task.id));
        let step = match self.target {
            Target::Task(_) => task,
            Target::Step(step) => {
                format!("step {} of {task}", self.name(LeaseKey { step, attempt: 0 }))
            }
        };
        self.attempt.map_or(step.clone(), |attempt| format!("attempt {attempt} of {step}"))
    }
}
