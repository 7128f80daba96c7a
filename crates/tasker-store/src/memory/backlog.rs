//! What waits, and what is at work.

use std::collections::BTreeMap;

use tasker_core::{Namespace, State, StepId, Timestamp};

use super::tables::{LaneRow, Tables};
use crate::record::{Late, QueueDepth, TaskCount};

impl Tables {
    /// Every lane, with how much waits in it and how much is at work.
    pub(super) fn depths(&self, now: Timestamp) -> Vec<QueueDepth> {
        let mut at_work: BTreeMap<usize, Vec<Timestamp>> = BTreeMap::new();
        for (_, id) in &self.leased {
            let lane = self.lane_of(*id);
            let begun = self.step(*id).and_then(|step| step.started_at);
            at_work.entry(lane).or_default().extend(begun);
        }
        let depth = |(index, lane): (usize, &LaneRow)| {
            let ready = self.ready_in(index, now);
            let at_work = at_work.get(&index).map(Vec::as_slice).unwrap_or_default();
            QueueDepth {
                namespace: lane.namespace.clone(),
                queue: lane.queue.clone(),
                handler: lane.handler.clone(),
                priority: lane.priority,
                oldest_ready_at: ready.clone().next(),
                ready: counted(ready.take(QueueDepth::COUNTED as usize).count()),
                running: counted(at_work.len()),
                oldest_running_at: at_work.iter().min().copied(),
                paused: self.paused.contains_key(&lane.namespace),
            }
        };
        self.lanes.iter().enumerate().map(depth).collect()
    }

    /// Since when each step of a lane waits that is ready and not held, the oldest first.
    fn ready_in(&self, lane: usize, now: Timestamp) -> impl Iterator<Item = Timestamp> + Clone + '_ {
        let from = (lane, Timestamp::from_micros(i64::MIN), StepId::FIRST);
        self.ready.range(from..=(lane, now, StepId::LAST)).map(|(_, time, _)| *time)
    }

    /// How many tasks are in each state.
    pub(super) fn task_counts(&self) -> Vec<TaskCount> {
        let of = |state| self.tasks.values().filter(move |row| row.task.state == state);
        TaskCount::of_all(|state| counted(of(state).take(TaskCount::COUNTED as usize).count()))
    }

    /// How many tasks of each namespace should have been begun.
    pub(super) fn late(&self, before: Timestamp) -> Vec<(Namespace, u32)> {
        let tasks = self.tasks.range(..Late::first_id(before)).map(|(_, row)| &row.task);
        let not_begun = tasks.filter(|task| task.state == State::Pending).take(Late::LOOKED_AT as usize);
        let namespaces = not_begun.filter(|task| task.paused.is_none()).filter_map(|task| {
            let namespace = self.template_of(task.plan).namespace.clone();
            (!self.paused.contains_key(&namespace)).then_some(namespace)
        });
        let mut late = BTreeMap::new();
        for namespace in namespaces.take(Late::COUNTED as usize) {
            *late.entry(namespace).or_default() += 1;
        }
        late.into_iter().collect()
    }
}

/// A number of rows.
fn counted(rows: usize) -> u32 {
    u32::try_from(rows).unwrap_or(u32::MAX)
}
