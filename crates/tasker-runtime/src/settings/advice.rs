//! What to write instead of a name that is no setting.

use super::Origin;
use super::section::Setting;

/// How alike an unknown name and a setting must be for "did you mean".
const ALIKE: f64 = 0.75;

/// What to do about a name that is no setting.
pub(super) fn on_unknown(name: &str, origin: &Origin, known: &[Setting]) -> String {
    let spelling = match origin {
        Origin::Variable(_) => Setting::variable,
        Origin::Default | Origin::File(_) | Origin::CommandLine => Setting::key,
    };
    if let Some(setting) = known.iter().find(|setting| spelling(setting) == name) {
        return format!("write {} below [{}]", setting.name, setting.section);
    }
    let meant = nearest(name, known.iter().map(spelling)).or_else(|| elsewhere(name, known, spelling));
    if let Some(meant) = meant {
        return format!("did you mean {meant}?");
    }
    let section = name.split_once('.').map(|(section, _)| section);
    let names: Vec<&str> =
        known.iter().filter(|setting| Some(setting.section) == section).map(|setting| setting.name).collect();
    if !names.is_empty() {
        return format!("{} has {}", section.unwrap_or_default(), names.join(", "));
    }
    let mut sections: Vec<&str> = known.iter().map(|setting| setting.section).collect();
    sections.dedup();
    format!("the sections are {}", sections.join(", "))
}

/// The candidate that `word` was likely meant to be.
pub(super) fn nearest(word: &str, candidates: impl Iterator<Item = String>) -> Option<String> {
    let letters = |word: &str| word.to_lowercase().replace('-', "_");
    let scored = candidates.map(|candidate| {
        let alike = strsim::normalized_damerau_levenshtein(&letters(word), &letters(&candidate));
        (alike, candidate)
    });
    let best = scored.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    (best.0 >= ALIKE).then_some(best.1)
}

/// The one setting of that name in another section.
fn elsewhere(name: &str, known: &[Setting], spelling: fn(&Setting) -> String) -> Option<String> {
    let last = name.rsplit(['.', '_']).next().filter(|last| !last.is_empty())?;
    let bare = name.rsplit_once('.').map_or(name, |(_, bare)| bare);
    let mut same =
        known.iter().filter(|setting| setting.name == bare || setting.name.eq_ignore_ascii_case(last));
    let first = same.next()?;
    same.next().is_none().then(|| spelling(first))
}
