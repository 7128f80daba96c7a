//! Commands.

use tasker_core::{State, TaskId};
use tasker_store::{Attempts, Batch, BatchReply, Command, CommandError, Done, Inconsistency, Target};

use super::ordinal;
use crate::literal::{List, NulInText};
use crate::row::Row;
use crate::statement::{
    NAMESPACE_PAUSE, NAMESPACE_RESUME, STEP_CANCEL, STEP_RESOLVE, STEP_UPDATE, Script, TASK_CANCEL,
    TASK_LOCK, TASK_PAUSE, TASK_RESOLVE, TASK_RESUME, TASK_RETRY, TASK_UPDATE,
};

/// Locks what the commands and the settlements of a batch are about.
pub(super) fn add_locks(script: &mut Script, batch: &Batch) -> Result<(), NulInText> {
    let commanded = batch.commands.iter().filter_map(|command| match subject(command) {
        Subject::Task(target) => Some(target.task()),
        Subject::Namespace(_) => None,
    });
    let settled = batch.settlements.iter().map(|settlement| settlement.key.step.task());
    let tasks: Vec<_> = commanded.chain(settled).map(TaskId::as_uuid).collect();
    let names: Vec<_> = batch
        .commands
        .iter()
        .filter_map(|command| match subject(command) {
            Subject::Task(_) => None,
            Subject::Namespace(name) => Some(name),
        })
        .collect();
    script.add(TASK_LOCK, &[&List(&tasks), &List(&names)])?;
    Ok(())
}

/// What a command is about.
enum Subject<'a> {
    Task(Target),
    Namespace(&'a str),
}

fn subject(command: &Command) -> Subject<'_> {
    match command {
        Command::Cancel { target, .. } | Command::Retry { target, .. } | Command::Resolve { target, .. } => {
            Subject::Task(*target)
        }
        Command::Pause { task, .. } | Command::Resume { task, .. } | Command::UpdateTask { task, .. } => {
            Subject::Task(Target::Task(*task))
        }
        Command::UpdateStep { step, .. } => Subject::Task(Target::Step(*step)),
        Command::PauseNamespace { namespace, .. } | Command::ResumeNamespace { namespace, .. } => {
            Subject::Namespace(namespace.as_str())
        }
    }
}

pub(super) fn add(script: &mut Script, command: &Command, now: Option<i64>) -> Result<(), NulInText> {
    match command {
        Command::Cancel { target: Target::Task(task), by, reason } => {
            script.add(TASK_CANCEL, &[&now, &task.as_uuid(), by, reason])
        }
        Command::Cancel { target: Target::Step(step), by, reason } => {
            let (task, ordinal) = (step.task().as_uuid(), ordinal(step.ordinal()));
            script.add(STEP_CANCEL, &[&now, &task, &ordinal, by, reason])
        }
        Command::Resolve { target: Target::Task(task), by, reason, .. } => {
            script.add(TASK_RESOLVE, &[&now, &task.as_uuid(), by, reason])
        }
        Command::Resolve { target: Target::Step(step), results, by, reason } => {
            let (task, ordinal) = (step.task().as_uuid(), ordinal(step.ordinal()));
            let results = results.as_ref().map(ToString::to_string);
            script.add(STEP_RESOLVE, &[&now, &task, &ordinal, &results, by, reason])
        }
        Command::Retry { target, attempts, by } => add_retry(script, *target, *attempts, by, now),
        Command::Pause { task, by, reason } => script.add(TASK_PAUSE, &[&now, &task.as_uuid(), by, reason]),
        Command::Resume { task, .. } => script.add(TASK_RESUME, &[&task.as_uuid()]),
        Command::PauseNamespace { namespace, by, reason } => {
            script.add(NAMESPACE_PAUSE, &[&now, &namespace.as_str(), by, reason])
        }
        Command::ResumeNamespace { namespace, .. } => script.add(NAMESPACE_RESUME, &[&namespace.as_str()]),
        Command::UpdateStep { step, inputs, retry_limit, .. } => {
            let (task, ordinal) = (step.task().as_uuid(), ordinal(step.ordinal()));
            let inputs = inputs.as_ref().map(ToString::to_string);
            script.add(STEP_UPDATE, &[&task, &ordinal, &inputs, retry_limit])
        }
        Command::UpdateTask { task, reason, tags, .. } => {
            let tags = tags.as_deref().map(List);
            script.add(TASK_UPDATE, &[&task.as_uuid(), reason, &tags])
        }
    }
    .map(drop)
}

fn add_retry(
    script: &mut Script,
    target: Target,
    attempts: Attempts,
    by: &str,
    now: Option<i64>,
) -> Result<usize, NulInText> {
    let step = match target {
        Target::Task(_) => None,
        Target::Step(step) => Some(ordinal(step.ordinal())),
    };
    let more = match attempts {
        Attempts::Reset => None,
        Attempts::Extend(more) => Some(more),
    };
    script.add(TASK_RETRY, &[&now, &target.task().as_uuid(), &step, &more, &by])
}

/// One row: what was done, or why not.
pub(super) fn read(command: &Command, rows: &[Row], reply: &mut BatchReply) -> Result<(), Inconsistency> {
    let row = rows.first().expect("invariant: a command has an answer").of("tasks");
    let state: Option<State> = row.maybe("state")?;
    let answer = match row.maybe_text("refusal")? {
        None => Ok(Done { steps: row.get("steps")?, task_state: state }),
        Some(refusal) => match refused(command, refusal, state) {
            Some(error) => Err(error),
            None => return Err(row.bad("refusal", format!("unknown refusal {refusal:?}"))),
        },
    };
    reply.left_ready += row.get::<u64>("made_ready")?;
    reply.commands.push(answer);
    Ok(())
}

fn refused(command: &Command, refusal: &str, state: Option<State>) -> Option<CommandError> {
    let about = subject(command);
    match (refusal, about) {
        ("no_task", Subject::Task(target)) => Some(CommandError::no_task(target.task())),
        ("no_step", Subject::Task(Target::Step(step))) => Some(CommandError::no_step(step)),
        ("illegal_task", Subject::Task(target)) => {
            Some(CommandError::illegal(Target::Task(target.task()), state?, verb(command)))
        }
        ("illegal_step", Subject::Task(target)) => Some(CommandError::illegal(target, state?, verb(command))),
        ("nothing", Subject::Task(target)) => Some(CommandError::NothingToRetry(target.task())),
        ("already", about) => Some(already(command, &about)),
        _ => None,
    }
}

/// What cannot be done.
fn verb(command: &Command) -> &'static str {
    match command {
        Command::Cancel { .. } => "be cancelled",
        Command::Retry { .. } => "be retried",
        Command::Resolve { .. } => "be resolved",
        Command::Pause { .. } | Command::PauseNamespace { .. } => "be paused",
        Command::Resume { .. } | Command::ResumeNamespace { .. } => "be resumed",
        Command::UpdateStep { .. } | Command::UpdateTask { .. } => "be changed",
    }
}

fn already(command: &Command, about: &Subject<'_>) -> CommandError {
    let name = match about {
        Subject::Task(target) => format!("task {}", target.task()),
        Subject::Namespace(name) => format!("namespace {name}"),
    };
    if matches!(command, Command::Pause { .. } | Command::PauseNamespace { .. }) {
        CommandError::already_paused(&name)
    } else {
        CommandError::not_paused(&name)
    }
}
