//! What was read from the feed and is not yet wholly taken.

use std::collections::VecDeque;

/// A stretch of the feed of which some is taken: its position is the end of the contiguous part that is.
#[derive(Debug)]
pub(crate) struct Window {
    /// Numbers of transitions, ascending, and how many of their events are not yet taken.
    open: VecDeque<(i64, usize)>,
    read_to: i64,
}

impl Window {
    /// Everything up to `position` is taken.
    pub(crate) fn at(position: i64) -> Self {
        Self { open: VecDeque::new(), read_to: position }
    }

    /// An event of transition `seq` is to be taken. Transitions come in order, after all that was read before.
    pub(crate) fn expect(&mut self, seq: i64) {
        match self.open.back_mut() {
            Some((last, left)) if *last == seq => *left += 1,
            _ => self.open.push_back((seq, 1)),
        }
    }

    /// Nothing that was not expected is to be taken up to `end`.
    pub(crate) fn read_to(&mut self, end: i64) {
        self.read_to = self.read_to.max(end);
    }

    /// An event of transition `seq` is taken.
    pub(crate) fn take(&mut self, seq: i64) {
        if let Ok(index) = self.open.binary_search_by_key(&seq, |(seq, _)| *seq) {
            self.open[index].1 = self.open[index].1.saturating_sub(1);
        }
        while self.open.front().is_some_and(|(_, left)| *left == 0) {
            self.open.pop_front();
        }
    }

    /// Everything up to here is taken.
    pub(crate) fn position(&self) -> i64 {
        self.open.front().map_or(self.read_to, |(first, _)| first - 1)
    }

    /// Where to go on reading.
    pub(crate) fn end(&self) -> i64 {
        self.read_to
    }

    /// How many transitions lie between the position and the end of what was read, as far as they were expected.
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever is taken in whatever order, between reads or after them: nothing up to the position is open, and
        /// the position is as far as it can be.
        #[test]
        fn the_position_is_the_end_of_the_contiguous_part_that_is_taken(
            reads in prop::collection::vec(prop::collection::vec((1_i64..4, 1_usize..3), 0..6), 1..6),
            order in prop::collection::vec(any::<prop::sample::Index>(), 60),
            pace in 0_usize..8,
        ) {
            let mut window = Window::at(0);
            let (mut open, mut seq, mut before) = (Vec::new(), 0, 0);
            let mut choices = order.iter();
            for (round, read) in reads.iter().enumerate() {
                for (gap, events) in read {
                    seq += gap;
                    for _ in 0..*events {
                        window.expect(seq);
                        open.push(seq);
                    }
                }
                seq += 2;
                window.read_to(seq);
                let some = if round + 1 == reads.len() { open.len() } else { pace.min(open.len()) };
                for _ in 0..some {
                    let choice = choices.next().expect("enough").index(open.len());
                    window.take(open.swap_remove(choice));
                    let expected = open.iter().min().map_or(seq, |first| first - 1);
                    prop_assert_eq!(window.position(), expected);
                    prop_assert!(window.position() >= before, "it does not go back");
                    before = window.position();
                }
            }
            prop_assert_eq!((window.position(), window.len()), (seq, 0));
        }
    }

    #[test]
    fn what_is_not_expected_is_passed_over() {
        let mut window = Window::at(10);
        window.read_to(20);
        assert_eq!(window.position(), 20);
        window.expect(25);
        window.read_to(30);
        assert_eq!(window.position(), 24);
        window.take(25);
        assert_eq!(window.position(), 30);
    }
}
