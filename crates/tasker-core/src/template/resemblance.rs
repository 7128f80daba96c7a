//! "Did you mean …?"

/// The candidate that `word` was likely meant to be; of several as likely, the first.
pub(super) fn closest<'c>(word: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    candidates
        .map(|candidate| (similarity(word, candidate), candidate))
        .filter(|(similarity, _)| *similarity > 0.0)
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, candidate)| candidate)
}

/// How alike two words are, from 0.0 (not at all, or too little to say so) to 1.0.
///
/// They are alike where their letters agree but for case, `_` and `-`; where one is at least half of the
/// other, its beginning or its end; where few letters are changed or swapped (Damerau-Levenshtein); or
/// where few differ and the beginning agrees (Jaro-Winkler).
fn similarity(word: &str, candidate: &str) -> f64 {
    const MIN_DAMERAU: f64 = 0.8;
    const MIN_JARO: f64 = 0.9;
    let (word, candidate) = (letters(word), letters(candidate));
    let damerau = strsim::normalized_damerau_levenshtein(&word, &candidate);
    let is_half = 2 * word.len() >= candidate.len();
    if is_half && candidate.starts_with(&word) {
        damerau.max(0.96)
    } else if is_half && candidate.ends_with(&word) {
        damerau.max(0.95)
    } else if damerau >= MIN_DAMERAU || strsim::jaro_winkler(&word, &candidate) >= MIN_JARO {
        damerau
    } else {
        0.0
    }
}

fn letters(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 7] = [
        "default_retry_limit",
        "depends_on_step",
        "depends_on_steps",
        "handler_class",
        "handler_config",
        "retry",
        "timeout_seconds",
    ];

    #[test]
    fn a_slip_of_the_keyboard_is_recognised() {
        for (word, meant) in [
            ("dependsOnStep", "depends_on_step"),
            ("depends-on-steps", "depends_on_steps"),
            ("depend_on_step", "depends_on_step"),
            ("handler_calss", "handler_class"),
            ("handlerclass", "handler_class"),
            ("Retry", "retry"),
            ("timeout", "timeout_seconds"),
            ("retry_limit", "default_retry_limit"),
            ("depends_on", "depends_on_step"),
        ] {
            assert_eq!(closest(word, KEYS.into_iter()), Some(meant), "{word}");
        }
    }

    #[test]
    fn a_word_of_its_own_is_left_alone() {
        for word in ["owner", "labels", "annotations", "x", "", "team", "step", "inputs"] {
            assert_eq!(closest(word, KEYS.into_iter()), None, "{word}");
        }
    }
}
