//! Renewals.

use tasker_core::Timestamp;
use tasker_store::{Inconsistency, Renewal, Renewed};

use super::{micros, ordinal};
use crate::literal::{List, NulInText};
use crate::row::Row;
use crate::statement::{Script, WORK_RENEW};

pub(super) fn add(script: &mut Script, renewal: &Renewal, now: Option<i64>) -> Result<(), NulInText> {
    let tasks: Vec<_> = renewal.keys.iter().map(|key| key.step.task().as_uuid()).collect();
    let ordinals: Vec<_> = renewal.keys.iter().map(|key| ordinal(key.step.ordinal())).collect();
    let attempts: Vec<_> = renewal.keys.iter().map(|key| key.attempt).collect();
    let (worker, lease) = (renewal.worker.as_uuid(), micros(renewal.lease));
    script.add(WORK_RENEW, &[&now, &worker, &List(&tasks), &List(&ordinals), &List(&attempts), &lease])?;
    Ok(())
}

/// One row per key.
pub(super) fn read(rows: &[Row]) -> Result<Vec<Renewed>, Inconsistency> {
    let renewed = |row: &Row| {
        let until: Option<i64> = row.of("steps").maybe("until")?;
        Ok(until.map_or(Renewed::Lost, |until| Renewed::Until(Timestamp::from_micros(until))))
    };
    rows.iter().map(renewed).collect()
}
