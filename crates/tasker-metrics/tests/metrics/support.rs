//! A reader of the text formats, stricter than a scraper: what it does not expect, it panics about.

use std::collections::{BTreeMap, BTreeSet};

/// A page as it was read.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// What `# TYPE` says, by the names of families.
    pub(crate) types: BTreeMap<String, String>,
    /// What `# HELP` says.
    pub(crate) helps: BTreeMap<String, String>,
    pub(crate) samples: Vec<Sample>,
    pub(crate) is_ended: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: String,
    pub(crate) exemplar: Option<Exemplar>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Exemplar {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: String,
    pub(crate) timestamp: String,
}

impl Sample {
    pub(crate) fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

impl Page {
    /// Reads a page: each family is told of once, and each series there once.
    pub(crate) fn read(text: &str) -> Self {
        let mut page = Self::default();
        let mut seen = BTreeSet::new();
        if text.is_empty() {
            return page;
        }
        for line in text.strip_suffix('\n').expect("the last line ends").split('\n') {
            assert!(!page.is_ended, "something follows # EOF: {line:?}");
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').expect("a kind");
                assert!(page.types.insert(name.into(), kind.into()).is_none(), "two TYPE of {name}");
            } else if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').expect("a help");
                assert!(page.helps.insert(name.into(), help.into()).is_none(), "two HELP of {name}");
            } else if line == "# EOF" {
                page.is_ended = true;
            } else if !line.starts_with("# UNIT ") {
                let sample = sample(line);
                let key = (sample.name.clone(), sample.labels.clone());
                assert!(seen.insert(key), "the series is there twice: {line:?}");
                page.samples.push(sample);
            }
        }
        page
    }

    /// The samples of this name.
    pub(crate) fn of(&self, name: &str) -> Vec<&Sample> {
        self.samples.iter().filter(|sample| sample.name == name).collect()
    }

    /// The value of the one sample with this name and these labels.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> &str {
        let is_it = |sample: &&Sample| {
            sample.name == name
                && sample.labels.values().filter(|value| !value.is_empty()).count() == labels.len()
                && labels.iter().all(|(label, value)| sample.label(label) == *value)
        };
        &self.samples.iter().find(is_it).unwrap_or_else(|| panic!("no {name}{labels:?} in {self:#?}")).value
    }
}

fn sample(line: &str) -> Sample {
    let end = line.find(['{', ' ']).unwrap_or_else(|| panic!("no sample: {line:?}"));
    let (name, rest) = line.split_at(end);
    assert!(is_name(name), "no name: {line:?}");
    let (labels, rest) = if rest.starts_with('{') { labels(rest) } else { (BTreeMap::new(), rest) };
    let rest = rest.strip_prefix(' ').unwrap_or_else(|| panic!("no value: {line:?}"));
    let (value, exemplar) = match rest.split_once(" # ") {
        None => (rest, None),
        Some((value, exemplar)) => (value, Some(self::exemplar(exemplar))),
    };
    assert!(!value.contains(' '), "more than a value: {line:?}");
    Sample { name: name.into(), labels, value: value.into(), exemplar }
}

fn exemplar(text: &str) -> Exemplar {
    let (labels, rest) = labels(text);
    let length: usize = labels.iter().map(|(name, value)| name.chars().count() + value.chars().count()).sum();
    assert!(length <= 128, "labels of an exemplar are too long: {text:?}");
    let (value, timestamp) = rest.trim_start().split_once(' ').expect("a value and a timestamp");
    Exemplar { labels, value: value.into(), timestamp: timestamp.into() }
}

/// Labels between braces, and what follows.
fn labels(text: &str) -> (BTreeMap<String, String>, &str) {
    let mut labels = BTreeMap::new();
    let mut rest = text.strip_prefix('{').expect("a brace");
    loop {
        let (name, quoted) = rest.split_once("=\"").unwrap_or_else(|| panic!("no label: {rest:?}"));
        assert!(is_name(name), "no label: {name:?}");
        let (value, after) = unquoted(quoted);
        assert!(labels.insert(name.to_owned(), value).is_none(), "two labels {name}");
        match after.split_at(1) {
            (",", after) => rest = after,
            ("}", after) => return (labels, after),
            (other, _) => panic!("neither comma nor brace: {other:?}"),
        }
    }
}

/// A text up to its closing quote, and what follows.
fn unquoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.push(match chars.next().expect("an escape").1 {
                'n' => '\n',
                c @ ('\\' | '"') => c,
                other => panic!("no escape: {other:?}"),
            }),
            c => value.push(c),
        }
    }
    panic!("no closing quote in {text:?}")
}

fn is_name(name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(is_word) && name.starts_with(|c: char| !c.is_ascii_digit())
}
