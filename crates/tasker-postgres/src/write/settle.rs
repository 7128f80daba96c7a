//! Settlements.

use serde_json::Value;
use tasker_core::{State, Timestamp, When};
use tasker_store::{BatchReply, ClaimRequest, Guard, Inconsistency, Settled, Settlement, Verdict};
use uuid::Uuid;

use super::{claim, micros, ordinal};
use crate::literal::{List, Literal, NulInText, Sparse, Word};
use crate::row::{Row, Words};
use crate::statement::{Script, WORK_SETTLE, WORK_SETTLE_AND_CLAIM};

/// Adds settlements, and with them a claim, if there is one: as one statement they cost less than as two.
pub(super) fn add(
    script: &mut Script,
    settlements: &[Settlement],
    claim: Option<&ClaimRequest>,
    now: Option<i64>,
) -> Result<(), NulInText> {
    let keys = || settlements.iter().map(|settlement| settlement.key);
    let tasks: Vec<_> = keys().map(|key| key.step.task().as_uuid()).collect();
    let ordinals: Vec<_> = keys().map(|key| ordinal(key.step.ordinal())).collect();
    let attempts: Vec<_> = keys().map(|key| key.attempt).collect();
    let workers: Vec<_> = settlements.iter().map(|settlement| holder(settlement.guard)).collect();
    let verdicts: Vec<_> = settlements.iter().map(|settlement| Word(word(&settlement.verdict))).collect();
    let whens = || settlements.iter().map(|settlement| when(&settlement.verdict));
    let times: Vec<_> = whens().map(|when| time(when?)).collect();
    let delays: Vec<_> = whens().map(|when| delay(when?)).collect();
    let payloads: Vec<_> = settlements.iter().map(|settlement| payload(&settlement.verdict)).collect();
    let settling: [&dyn Literal; 9] = [
        &now,
        &List(&tasks),
        &List(&ordinals),
        &List(&attempts),
        &Sparse(&workers),
        &List(&verdicts),
        &Sparse(&times),
        &Sparse(&delays),
        &Sparse(&payloads),
    ];
    match claim {
        None => script.add(WORK_SETTLE, &settling)?,
        Some(claim) => claim::with_arguments(claim, |claiming| {
            script.add(WORK_SETTLE_AND_CLAIM, &[&settling, claiming].concat())
        })?,
    };
    Ok(())
}

/// One row with all that counted.
pub(super) fn read(asked: usize, rows: &[Row], reply: &mut BatchReply) -> Result<(), Inconsistency> {
    reply.settled = vec![Settled::Stale; asked];
    let row = rows.first().expect("invariant: settling has an answer").of("steps");
    for text in row.maybe_text("settled")?.into_iter().flat_map(|text| text.split(',')) {
        let mut words = Words::of(row, "settled", text);
        let place: usize = words.next()?;
        let state: State = words.next()?;
        let ready_at = words.maybe()?.map(Timestamp::from_micros);
        let settled = reply.settled.get_mut(place.wrapping_sub(1));
        *settled.ok_or_else(|| row.bad("settled", format!("{place} is out of range")))? =
            Settled::Recorded { state, ready_at };
    }
    for text in row.maybe_text("verdicts")?.into_iter().flat_map(|text| text.split(',')) {
        let mut words = Words::of(row, "verdicts", text);
        match (words.task()?, words.next()?) {
            (task, State::InProgress) => reply.started.push(task),
            verdict => reply.verdicts.push(verdict),
        }
    }
    reply.left_ready += row.maybe::<u64>("made_ready")?.unwrap_or(0);
    Ok(())
}

fn holder(guard: Guard) -> Option<Uuid> {
    match guard {
        Guard::Held { worker } => Some(worker.as_uuid()),
        Guard::Expired => None,
    }
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Complete { .. } => "complete",
        Verdict::Retry { .. } => "retry",
        Verdict::Fail { .. } => "fail",
        Verdict::Snooze { .. } => "snooze",
    }
}

fn when(verdict: &Verdict) -> Option<When> {
    match verdict {
        Verdict::Retry { when, .. } | Verdict::Snooze { when } => Some(*when),
        Verdict::Complete { .. } | Verdict::Fail { .. } => None,
    }
}

fn time(when: When) -> Option<i64> {
    match when {
        When::At(time) => Some(time.as_micros()),
        When::After(_) => None,
    }
}

fn delay(when: When) -> Option<i64> {
    match when {
        When::After(delay) => Some(micros(delay)),
        When::At(_) => None,
    }
}

/// What is stored with the step. Results that are null are left out, and stored as JSON's null.
fn payload(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Complete { results: Value::Null } | Verdict::Snooze { .. } => None,
        Verdict::Complete { results } => Some(results.to_string()),
        Verdict::Retry { failure, .. } | Verdict::Fail { failure } => {
            Some(serde_json::to_string(failure).expect("invariant: a failure has a JSON form"))
        }
    }
}
