//! Ends of attempts on their way to the store. None is forgotten before the store has answered.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tasker_core::{LeaseKey, Timestamp};
use tasker_store::{Settlement, StoreError};
use tokio::time::Instant;

use super::settlement::{copy, refused};

/// One call settles so many at most.
const PER_CALL: usize = 1_000;

/// Ends of attempts on their way to the store.
#[derive(Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Owed>,
    in_flight: HashMap<u64, Vec<Owed>>,
    next_call: u64,
}

/// The end of an attempt that the store has not answered for.
pub(super) struct Owed {
    pub(super) settlement: Settlement,
    /// When its lease was last renewed.
    since: Instant,
    /// Until when it holds, by the store's clock.
    until: Timestamp,
    manner: Manner,
}

/// How it is to be sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// With others.
    Together,
    /// By itself, since the store refused a call that it went with.
    Alone,
    /// By itself, with a failure in the place of what the store refused.
    Replaced,
}

impl Outbox {
    pub(super) fn push(&mut self, settlement: Settlement, since: Instant, until: Timestamp) {
        self.waiting.push_back(Owed { settlement, since, until, manner: Manner::Together });
    }

    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether the next to go was refused before, and is to go by itself, without a claim.
    pub(super) fn is_careful(&self) -> bool {
        self.waiting.front().is_some_and(|owed| owed.manner != Manner::Together)
    }

    pub(super) fn calls_in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// How many the store has not answered for.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.in_flight.values().map(Vec::len).sum::<usize>()
    }

    /// Takes what goes with the next call, which gets a number.
    pub(super) fn send(&mut self) -> (u64, Vec<Settlement>) {
        let together = self.waiting.iter().take(PER_CALL).take_while(|owed| owed.manner == Manner::Together);
        let count = if self.is_careful() { 1 } else { together.count() };
        let sent: Vec<Owed> = self.waiting.drain(..count).collect();
        let copies = sent.iter().map(|owed| copy(&owed.settlement)).collect();
        let call = self.next_call;
        self.next_call += 1;
        self.in_flight.insert(call, sent);
        (call, copies)
    }

    /// What went with a call that the store has answered.
    pub(super) fn answered(&mut self, call: u64) -> Vec<Owed> {
        self.in_flight.remove(&call).unwrap_or_default()
    }

    /// Takes back what went with a call that the store could not carry out. Answers how many ends that were, and how
    /// many of them are given up because the store refuses them for good.
    pub(super) fn failed(&mut self, call: u64, error: &StoreError) -> (usize, usize) {
        let mut sent = self.answered(call);
        let count = sent.len();
        let mut given_up = 0;
        if !error.is_transient() {
            match sent.as_mut_slice() {
                [owed] => given_up = usize::from(!owed.refused(error)),
                // One of them is bad, or the claim that went with them: each is tried by itself.
                several => several.iter_mut().for_each(|owed| owed.manner = Manner::Alone),
            }
        }
        if given_up > 0 {
            sent.clear();
        }
        for owed in sent.into_iter().rev() {
            self.waiting.push_front(owed);
        }
        (count, given_up)
    }

    /// The keys of the leases that were renewed so long ago: they are kept until the store has answered.
    pub(super) fn held_for(&self, time: Duration, now: Instant) -> Vec<LeaseKey> {
        let all = self.waiting.iter().chain(self.in_flight.values().flatten());
        let old = all.filter(|owed| now.duration_since(owed.since) >= time);
        old.map(|owed| owed.settlement.key).collect()
    }

    /// Notes until when leases hold after a request sent at `since`. One whose time has not moved was not renewed.
    pub(super) fn renewed(&mut self, leases: &HashMap<LeaseKey, Timestamp>, since: Instant) {
        for owed in self.waiting.iter_mut().chain(self.in_flight.values_mut().flatten()) {
            if let Some(until) = leases.get(&owed.settlement.key).filter(|until| **until > owed.until) {
                (owed.since, owed.until) = (since, *until);
            }
        }
    }
}

impl Owed {
    /// Notes that the store refused it: it is sent by itself, then with a failure in its place. Answers false if
    /// there is nothing left to try.
    fn refused(&mut self, error: &StoreError) -> bool {
        if self.manner == Manner::Together {
            self.manner = Manner::Alone;
            return true;
        }
        let (key, reason) = (self.settlement.key, cause(error));
        tracing::error!(attempt = %key, reason, "the store refuses the end of an attempt");
        if self.manner == Manner::Replaced {
            return false;
        }
        self.settlement.verdict = refused(&reason);
        self.manner = Manner::Replaced;
        true
    }
}

fn cause(error: &StoreError) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}
