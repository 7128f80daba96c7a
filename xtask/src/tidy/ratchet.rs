//! Sizes that are over their limit for now: numbers that only shrink.

use std::collections::BTreeMap;

use super::finding::Finding;

/// Where the numbers stand.
pub(super) const PATH: &str = "xtask/tidy-ratchet.txt";

/// Something with a size that is over its limit.
#[derive(Debug, Clone)]
pub(super) struct Excess {
    /// What the ratchet calls it.
    pub(super) key: String,
    pub(super) path: String,
    pub(super) line: usize,
    /// What it is, as the subject of a sentence.
    pub(super) what: String,
    pub(super) size: usize,
    pub(super) limit: usize,
    pub(super) remedy: &'static str,
}

/// The entries of the ratchet: line and allowed number by key.
#[derive(Debug, Default)]
pub(super) struct Ratchet {
    entries: BTreeMap<String, (usize, usize)>,
    unreadable: Vec<Finding>,
}

impl Ratchet {
    /// Reads lines of `key number`; `#` begins a comment.
    pub(super) fn new(text: &str) -> Self {
        let mut ratchet = Self::default();
        for (number, line) in (1..).zip(text.lines().map(str::trim)) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let entry = line.rsplit_once(' ').and_then(|(key, allowed)| Some((key, allowed.parse().ok()?)));
            if let Some((key, allowed)) = entry {
                ratchet.entries.insert(key.trim().to_owned(), (number, allowed));
            } else {
                let remedy = "write the path and the number it may have";
                ratchet.unreadable.push(Finding::new(PATH, number, "the entry is not `path number`", remedy));
            }
        }
        ratchet
    }

    /// What is over its limit and not allowed to be, and which entries are no longer true.
    pub(super) fn judge(&self, excesses: Vec<Excess>) -> Vec<Finding> {
        let mut largest: BTreeMap<String, Excess> = BTreeMap::new();
        for excess in excesses {
            let known = largest.entry(excess.key.clone()).or_insert_with(|| excess.clone());
            if known.size < excess.size {
                *known = excess;
            }
        }
        let over = largest.values().filter_map(|excess| self.judge_one(excess));
        let unneeded = self.entries.iter().filter(|(key, _)| !largest.contains_key(*key));
        let unneeded = unneeded.map(|(key, (line, _))| {
            Finding::new(PATH, *line, format!("`{key}` is not over its limit"), "remove the entry")
        });
        over.chain(unneeded).chain(self.unreadable.iter().cloned()).collect()
    }

    fn judge_one(&self, excess: &Excess) -> Option<Finding> {
        let Excess { key, path, line, what, size, limit, remedy } = excess;
        match self.entries.get(key) {
            None => {
                Some(Finding::new(path, *line, format!("{what} has {size} lines, over {limit}"), *remedy))
            }
            Some((_, allowed)) if size > allowed => Some(Finding::new(
                path,
                *line,
                format!("{what} grew to {size} lines; {PATH} allows {allowed}"),
                *remedy,
            )),
            Some((entry, allowed)) if size < allowed => Some(Finding::new(
                PATH,
                *entry,
                format!("`{key}` shrank to {size} lines"),
                format!("write {size} instead of {allowed}"),
            )),
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::lines;

    fn judged(ratchet: &str, size: usize) -> Vec<String> {
        let excess = Excess {
            key: "a.rs".to_owned(),
            path: "a.rs".to_owned(),
            line: 1,
            what: "the file".to_owned(),
            size,
            limit: 400,
            remedy: "split it",
        };
        lines(&Ratchet::new(ratchet).judge(if size > 400 { vec![excess] } else { vec![] }))
    }

    #[test]
    fn an_entry_allows_exactly_its_number() {
        assert_eq!(judged("# reason\na.rs 450\n", 450), Vec::<String>::new());
        assert_eq!(judged("", 450), ["a.rs:1: the file has 450 lines, over 400; split it"]);
        let grown = judged("a.rs 450\n", 451);
        assert_eq!(
            grown,
            ["a.rs:1: the file grew to 451 lines; xtask/tidy-ratchet.txt allows 450; split it"]
        );
    }

    #[test]
    fn an_entry_shrinks_with_what_it_allows_and_goes_with_it() {
        let shrunk = judged("a.rs 450\n", 449);
        assert_eq!(
            shrunk,
            ["xtask/tidy-ratchet.txt:1: `a.rs` shrank to 449 lines; write 449 instead of 450"]
        );
        let unneeded = judged("\na.rs 450\n", 400);
        assert_eq!(unneeded, ["xtask/tidy-ratchet.txt:2: `a.rs` is not over its limit; remove the entry"]);
    }

    #[test]
    fn an_entry_without_a_number_is_told_so() {
        assert!(judged("a.rs\n", 1)[0].contains("the entry is not `path number`"));
    }
}
