//! SPDX licence expressions, as far as crates use them: `OR`, `AND`, `WITH`, brackets, and the old `/` for `OR`.

/// Whether the expression can be met with the allowed licences. `A WITH B` is one licence of that name.
pub(super) fn is_met(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { words: &words, allowed };
    reader.any() == Some(true) && reader.words.is_empty()
}

/// What is left to read. Terms are `None` if they cannot be read.
struct Reader<'a> {
    words: &'a [&'a str],
    allowed: &'a [String],
}

impl<'a> Reader<'a> {
    /// Terms joined by `OR`, which binds weakest.
    fn any(&mut self) -> Option<bool> {
        let mut met = self.all()?;
        while self.takes("OR") {
            met |= self.all()?;
        }
        Some(met)
    }

    /// Terms joined by `AND`.
    fn all(&mut self) -> Option<bool> {
        let mut met = self.one()?;
        while self.takes("AND") {
            met &= self.one()?;
        }
        Some(met)
    }

    fn one(&mut self) -> Option<bool> {
        if self.takes("(") {
            let met = self.any();
            return if self.takes(")") { met } else { None };
        }
        let name = self.word()?;
        if self.takes("WITH") {
            let exception = self.word()?;
            return Some(self.allows(&format!("{name} WITH {exception}")));
        }
        Some(self.allows(name))
    }

    fn word(&mut self) -> Option<&'a str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    fn allows(&self, name: &str) -> bool {
        self.allowed.iter().any(|allowed| allowed == name)
    }

    fn takes(&mut self, word: &str) -> bool {
        match self.words.split_first() {
            Some((first, rest)) if *first == word => {
                self.words = rest;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(expression: &str) -> bool {
        let allowed = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
        is_met(expression, &allowed)
    }

    #[test]
    fn one_of_several_is_enough_where_the_author_says_or() {
        assert!(met("MIT"));
        assert!(met("GPL-3.0 OR MIT"));
        assert!(met("MIT/Apache-2.0"));
        assert!(!met("GPL-3.0 OR LGPL-3.0"));
    }

    #[test]
    fn all_are_needed_where_the_author_says_and() {
        assert!(met("MIT AND ISC"));
        assert!(!met("MIT AND OpenSSL"));
        assert!(met("ISC AND (GPL-3.0 OR MIT)"));
        assert!(!met("(MIT OR ISC) AND OpenSSL"));
    }

    #[test]
    fn and_binds_more_strongly_than_or() {
        assert!(met("MIT OR GPL-3.0 AND OpenSSL"));
        assert!(!met("OpenSSL OR GPL-3.0 AND MIT"));
    }

    #[test]
    fn an_exception_is_part_of_the_name() {
        assert!(met("Apache-2.0 WITH LLVM-exception"));
        assert!(!met("Apache-2.0"));
        assert!(!met("MIT WITH Classpath-exception-2.0"));
    }

    #[test]
    fn what_cannot_be_read_is_not_met() {
        assert!(!met(""));
        assert!(!met("(MIT"));
        assert!(!met("MIT ISC"));
        assert!(!met("MIT OR"), "a dangling OR");
    }
}
