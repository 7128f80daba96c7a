//! How far the feed may be trusted: pure bookkeeping over what readers saw.

use std::collections::{HashSet, VecDeque};

/// So many notes are kept; a newer one then takes the place of the newest.
const REMEMBERED: usize = 64;

/// What one look at the database showed, in this order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sight {
    /// The last number that had been given.
    pub(crate) last: i64,
    /// A transaction id greater than that of everyone who had been given a number; nothing where all numbers
    /// were trusted already.
    pub(crate) bound: Option<i64>,
    /// After that: every transaction below this id had ended.
    pub(crate) xmin: i64,
    /// And these were writing transitions, if that was looked at.
    pub(crate) writers: Option<HashSet<String>>,
}

/// What has been seen so far by this process.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    trusted: i64,
    notes: VecDeque<Note>,
    /// Counts the beginnings and ends of looks, which may overlap.
    moment: u64,
}

/// What was known when a look began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    begun: u64,
    /// What was trusted then.
    pub(crate) trusted: i64,
}

#[derive(Debug)]
struct Note {
    sight: Sight,
    ended: u64,
}

impl Trust {
    /// A look begins: nothing of it has been sent to the database yet.
    pub(crate) fn look(&mut self) -> Look {
        self.moment += 1;
        Look { begun: self.moment, trusted: self.trusted }
    }

    /// Takes note of what a look showed, and answers up to which number nothing will appear any more that its
    /// page, read last, did not show. What later looks have come to trust does not count for an earlier one.
    pub(crate) fn see(&mut self, look: Look, sight: Sight) -> i64 {
        self.moment += 1;
        let same = sees_itself_settled(&sight).then_some(sight.last);
        let noted =
            self.notes.iter().filter(|note| has_settled(note, look, &sight)).map(|note| note.sight.last);
        let trusted = noted.chain(same).chain([look.trusted]).max().unwrap_or(0);
        self.trusted = self.trusted.max(trusted);
        self.take_note(Note { sight, ended: self.moment });
        trusted
    }

    fn take_note(&mut self, note: Note) {
        let trusted = self.trusted;
        self.notes.retain(|note| note.sight.last > trusted);
        let tells_more = self.notes.back().is_none_or(|newest| {
            newest.sight.last < note.sight.last
                || (newest.sight.writers.is_none() && note.sight.writers.is_some())
        });
        if note.sight.last <= trusted || !tells_more {
            return;
        }
        if self.notes.len() == REMEMBERED {
            self.notes.pop_back();
        }
        self.notes.push_back(note);
    }
}

/// Whether at the time of its own snapshot nobody was left who may have been given a number.
fn sees_itself_settled(sight: &Sight) -> bool {
    sight.bound.is_some_and(|bound| bound <= sight.xmin)
        || sight.writers.as_ref().is_some_and(HashSet::is_empty)
}

/// Whether everyone who may have been given a number of the note had ended by the snapshot of `now`.
fn has_settled(note: &Note, look: Look, now: &Sight) -> bool {
    // Ids are in order whichever look was first; locks tell only of what was before them.
    let by_id = note.sight.bound.is_some_and(|bound| bound <= now.xmin);
    let by_lock = note.ended < look.begun
        && match (&note.sight.writers, &now.writers) {
            (Some(then), Some(now)) => then.is_disjoint(now),
            (None, Some(now)) => now.is_empty(),
            (Some(_) | None, None) => false,
        };
    by_id || by_lock
}

#[cfg(test)]
mod tests {
    use super::*;

    fn see(trust: &mut Trust, sight: Sight) -> i64 {
        let look = trust.look();
        trust.see(look, sight)
    }

    fn sight(last: i64, xmin: i64, bound: i64) -> Sight {
        Sight { last, bound: Some(bound), xmin, writers: None }
    }

    fn writing(last: i64, writers: &[&str]) -> Sight {
        let writers = writers.iter().map(|&writer| writer.to_owned()).collect();
        Sight { last, bound: Some(100), xmin: 1, writers: Some(writers) }
    }

    #[test]
    fn an_idle_database_is_trusted_at_once() {
        assert_eq!(see(&mut Trust::default(), sight(7, 20, 20)), 7);
    }

    #[test]
    fn a_number_is_trusted_when_all_who_ran_at_its_mark_have_ended() {
        let mut trust = Trust::default();
        assert_eq!(see(&mut trust, sight(7, 18, 20)), 0);
        assert_eq!(see(&mut trust, sight(9, 19, 25)), 0);
        assert_eq!(see(&mut trust, sight(12, 20, 30)), 7);
        assert_eq!(see(&mut trust, sight(12, 26, 31)), 9);
        assert_eq!(see(&mut trust, sight(12, 31, 31)), 12);
    }

    #[test]
    fn trust_is_never_lost() {
        let mut trust = Trust::default();
        assert_eq!(see(&mut trust, sight(7, 20, 20)), 7);
        assert_eq!(see(&mut trust, sight(8, 20, 22)), 7);
    }

    #[test]
    fn a_long_transaction_elsewhere_does_not_hold_back_what_its_writers_have_finished() {
        let mut trust = Trust::default();
        assert_eq!(see(&mut trust, writing(7, &["3/1", "4/9"])), 0);
        assert_eq!(see(&mut trust, writing(8, &["4/9", "5/2"])), 0);
        assert_eq!(see(&mut trust, writing(9, &["5/2"])), 7);
        assert_eq!(see(&mut trust, writing(9, &[])), 9);
    }

    #[test]
    fn what_a_later_look_trusts_does_not_count_for_a_page_read_before() {
        let mut trust = Trust::default();
        let early = trust.look();
        let late = trust.look();
        assert_eq!(trust.see(late, sight(9, 30, 30)), 9);
        assert_eq!(trust.see(early, sight(7, 18, 20)), 0);
        assert_eq!(see(&mut trust, sight(9, 29, 31)), 9);
    }

    #[test]
    fn locks_seen_by_a_later_look_do_not_count_for_an_earlier_one() {
        let mut trust = Trust::default();
        let early = trust.look();
        let late = trust.look();
        assert_eq!(trust.see(late, writing(9, &["3/1"])), 0);
        assert_eq!(trust.see(early, writing(7, &["2/1"])), 0);
    }

    #[test]
    fn many_looks_at_a_blocked_feed_keep_the_oldest_notes() {
        let mut trust = Trust::default();
        for last in 1..=500 {
            assert_eq!(see(&mut trust, sight(last, 10, 20 + last)), 0);
        }
        assert!(trust.notes.len() <= REMEMBERED);
        assert_eq!(see(&mut trust, sight(600, 21, 700)), 1);
        assert_eq!(see(&mut trust, sight(600, 700, 700)), 600);
    }
}
