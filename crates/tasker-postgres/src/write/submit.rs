//! Submissions.

use tasker_core::OnDuplicate;
use tasker_store::{BatchReply, Inconsistency, NewTask, SubmitError, Submitted};

use super::micros;
use crate::literal::{List, NulInText, Sparse, array_input};
use crate::row::Row;
use crate::statement::{Script, TASK_SUBMIT};

pub(super) fn add(
    script: &mut Script,
    submissions: &[Vec<NewTask>],
    now: Option<i64>,
) -> Result<(), NulInText> {
    let tasks: Vec<&NewTask> = submissions.iter().flatten().collect();
    let numbers: Vec<i32> =
        submissions.iter().zip(1..).flat_map(|(tasks, number)| tasks.iter().map(move |_| number)).collect();
    let identities = || tasks.iter().map(|task| task.identity.as_ref());
    let ids: Vec<_> = tasks.iter().map(|task| task.id.as_uuid()).collect();
    let plans: Vec<_> = tasks.iter().map(|task| task.plan.0).collect();
    let requested: Vec<_> = tasks.iter().map(|task| task.requested_at.as_micros()).collect();
    let hashes: Vec<_> = identities().map(|identity| Some(identity?.hash.as_str())).collect();
    let windows: Vec<_> = identities().map(|identity| identity?.window.map(micros)).collect();
    let refuse: Vec<_> =
        identities().map(|identity| Some(identity?.on_duplicate == OnDuplicate::Refuse)).collect();
    let initiators: Vec<_> = tasks.iter().map(|task| task.initiator.as_str()).collect();
    let sources: Vec<_> = tasks.iter().map(|task| task.source_system.as_str()).collect();
    let reasons: Vec<_> = tasks.iter().map(|task| task.reason.as_str()).collect();
    let tags: Vec<_> = tasks.iter().map(|task| array_input(&task.tags)).collect();
    let bypass: Vec<_> = tasks.iter().map(|task| array_input(&task.bypass_steps)).collect();
    let contexts: Vec<_> = tasks.iter().map(|task| task.context.to_string()).collect();
    let correlations: Vec<_> = tasks.iter().map(|task| task.origin.correlation_id.as_deref()).collect();
    let traceparents: Vec<_> = tasks.iter().map(|task| task.origin.traceparent.as_deref()).collect();
    script.add(
        TASK_SUBMIT,
        &[
            &now,
            &List(&numbers),
            &List(&ids),
            &List(&plans),
            &List(&requested),
            &Sparse(&hashes),
            &Sparse(&windows),
            &Sparse(&refuse),
            &List(&initiators),
            &List(&sources),
            &List(&reasons),
            &List(&tags),
            &List(&bypass),
            &List(&contexts),
            &Sparse(&correlations),
            &Sparse(&traceparents),
        ],
    )?;
    Ok(())
}

/// Every task was made, but for those the rows speak of.
pub(super) fn read(
    submissions: &[Vec<NewTask>],
    rows: &[Row],
    reply: &mut BatchReply,
) -> Result<(), Inconsistency> {
    let made = |task: &NewTask| Submitted::Created(task.id);
    let mut answers: Vec<Result<Vec<Submitted>, SubmitError>> =
        submissions.iter().map(|tasks| Ok(tasks.iter().map(made).collect())).collect();
    let places: Vec<(usize, usize)> = submissions
        .iter()
        .enumerate()
        .flat_map(|(submission, tasks)| (0..tasks.len()).map(move |index| (submission, index)))
        .collect();
    for row in rows {
        let row = row.of("tasks");
        let (kind, place): (_, usize) = (row.text("kind")?, row.get("place")?);
        if kind == "made_ready" {
            reply.left_ready += place as u64;
            continue;
        }
        let (submission, index) =
            *places.get(place.wrapping_sub(1)).ok_or_else(|| row.bad("place", "out of range".to_owned()))?;
        let error = match kind {
            "existing" => {
                if let Ok(submitted) = &mut answers[submission] {
                    submitted[index] = Submitted::Existing(row.task("other")?);
                }
                continue;
            }
            "withdrawn" => continue,
            "duplicate" => SubmitError::Duplicate { index, existing: row.task("other")? },
            "id_taken" => SubmitError::IdTaken { index, id: submissions[submission][index].id },
            "unknown_plan" => SubmitError::UnknownPlan { index },
            _ => return Err(row.bad("kind", format!("unknown answer {kind:?}"))),
        };
        answers[submission] = Err(error);
    }
    reply.submissions = answers;
    Ok(())
}
