//! Holds keys and types against the tables of [`keys`](super::keys), whatever the values mean.

use super::document::{Data, Entry, Node};
use super::keys::{Key, Kind, Required, Section, TEMPLATE, U32_MAX};
use super::path::Path;
use super::report::Report;
use super::resemblance::closest;
use crate::name::shortened;

/// Checks one document.
#[derive(Debug)]
pub(super) struct Checker<'r> {
    pub(super) report: &'r mut Report,
    /// Whether a key that is not known is an error.
    pub(super) strict: bool,
}

impl Checker<'_> {
    /// Checks the keys of `node`, and the type of each value. What is absent is not missed.
    pub(super) fn types(&mut self, node: &Node, section: &Section, path: &Path<'_>) {
        if !node.is_mapping() {
            let message = format!("expected {}, found {}", section.noun, found(node));
            return self.report.error(node.mark, path, message, "write a mapping of \"key: value\" lines");
        }
        for entry in node.entries() {
            let path = path.key(&entry.key);
            match section.key(&entry.key) {
                Some(key) if !entry.value.is_null() => self.value(&entry.value, key, &path),
                Some(_) => {}
                None => self.unknown_key(entry, section, &path),
            }
        }
    }

    /// Checks that all required keys are there.
    pub(super) fn required(&mut self, node: &Node, section: &Section, path: &Path<'_>) {
        for key in section.keys {
            match (node.get(key.name), key.required, &key.kind) {
                (None, Required::Yes, _) if node.is_mapping() => {
                    let message = format!("{} needs {:?}", section.noun, key.name);
                    self.report.error(node.mark, path, message, key.hint);
                }
                (Some(value), _, Kind::Sections(section)) => {
                    let path = path.key(key.name);
                    for (index, item) in value.items().iter().enumerate() {
                        self.required(item, section, &path.index(index));
                    }
                }
                _ => {}
            }
        }
    }

    fn unknown_key(&mut self, entry: &Entry, section: &Section, path: &Path<'_>) {
        if entry.key.starts_with("x-") {
            return;
        }
        let known = section.keys.iter().map(|key| key.name);
        let message = format!("{} has no key {:?}", section.noun, shortened(&entry.key));
        match closest(&entry.key, known) {
            Some(meant) => self.report.error(entry.mark, path, message, &format!("did you mean {meant:?}?")),
            None if self.strict => self.report.error(entry.mark, path, message, "remove it"),
            None => self.report.warning(entry.mark, path, message, "it is kept, and has no effect"),
        }
    }

    fn value(&mut self, node: &Node, key: &Key, path: &Path<'_>) {
        match key.kind {
            Kind::Text => self.text(node, key, path),
            Kind::Version => self.version(node, key, path),
            Kind::Boolean => self.boolean(node, key, path),
            Kind::Whole { min, max } => self.whole(node, (min, max), key, path),
            Kind::Number { min, max } => self.number(node, (min, max), key, path),
            Kind::Free => {
                self.mapping(node, key, path);
            }
            Kind::Texts => {
                self.items(node, key, path, |checker, item, path| {
                    checker.text(item, key, path);
                });
            }
            Kind::Wholes { min, max } => self.items(node, key, path, |checker, item, path| {
                checker.whole(item, (min, max), key, path);
            }),
            Kind::Section(section) => {
                if self.mapping(node, key, path) {
                    self.types(node, section, path);
                }
            }
            Kind::Sections(section) => {
                self.items(node, key, path, |checker, item, path| {
                    checker.types(item, section, path);
                });
            }
            Kind::Environments => {
                if self.mapping(node, key, path) {
                    self.environments(node, path);
                }
            }
        }
    }

    fn text(&mut self, node: &Node, key: &Key, path: &Path<'_>) {
        match &node.data {
            Data::Text { .. } => {}
            Data::Bool(_) | Data::Number { .. } => {
                let remedy = format!("put it in quotes: \"{}\"", scalar(node));
                self.wrong_type(node, "a text", &remedy, path);
            }
            Data::Null | Data::List(_) | Data::Mapping(_) => self.wrong_type(node, "a text", key.hint, path),
        }
    }

    fn version(&mut self, node: &Node, key: &Key, path: &Path<'_>) {
        let Data::Number { text, .. } = &node.data else {
            return self.text(node, key, path);
        };
        let missing = 3usize.saturating_sub(text.split('.').count());
        let remedy = format!("write it in quotes, as \"{text}{}\"", ".0".repeat(missing));
        self.wrong_type(node, "a version of three numbers", &remedy, path);
    }

    fn boolean(&mut self, node: &Node, key: &Key, path: &Path<'_>) {
        if node.flag().is_some() {
            return;
        }
        let word = node.text().unwrap_or_default().to_lowercase();
        let remedy = match word.as_str() {
            "true" | "y" => "write true",
            "false" | "n" => "write false",
            _ => key.hint,
        };
        self.wrong_type(node, "true or false", remedy, path);
    }

    fn whole(&mut self, node: &Node, (min, max): (i64, i64), key: &Key, path: &Path<'_>) {
        let Data::Number { value, text } = &node.data else {
            return self.no_number(node, "a whole number", key, path);
        };
        let message = match value.as_i64() {
            Some(number) if (min..=max).contains(&number) => return,
            Some(_) if max == U32_MAX => format!("expected a whole number of at least {min}, found {text}"),
            Some(_) => format!("expected a whole number from {min} to {max}, found {text}"),
            None => format!("expected a whole number, found {text}"),
        };
        self.report.error(node.mark, path, message, key.hint);
    }

    fn number(&mut self, node: &Node, (min, max): (f64, f64), key: &Key, path: &Path<'_>) {
        let Data::Number { value, text } = &node.data else {
            return self.no_number(node, "a number", key, path);
        };
        if !value.as_f64().is_some_and(|number| (min..=max).contains(&number)) {
            let message = format!("expected a number from {min} to {max}, found {text}");
            self.report.error(node.mark, path, message, key.hint);
        }
    }

    fn no_number(&mut self, node: &Node, expected: &str, key: &Key, path: &Path<'_>) {
        let is_quoted_number = node.text().is_some_and(|text| text.parse::<f64>().is_ok());
        let remedy = if is_quoted_number { "remove the quotes" } else { key.hint };
        self.wrong_type(node, expected, remedy, path);
    }

    /// Whether `node` is a mapping; if not, an error says so.
    fn mapping(&mut self, node: &Node, key: &Key, path: &Path<'_>) -> bool {
        if !node.is_mapping() {
            self.wrong_type(node, "a mapping", key.hint, path);
        }
        node.is_mapping()
    }

    fn items(
        &mut self,
        node: &Node,
        key: &Key,
        path: &Path<'_>,
        mut check: impl FnMut(&mut Self, &Node, &Path<'_>),
    ) {
        if !node.is_list() {
            return self.wrong_type(node, "a list", key.hint, path);
        }
        for (index, item) in node.items().iter().enumerate() {
            check(self, item, &path.index(index));
        }
    }

    fn environments(&mut self, node: &Node, path: &Path<'_>) {
        for environment in node.entries().iter().filter(|entry| !entry.value.is_null()) {
            let path = path.key(&environment.key);
            self.types(&environment.value, &TEMPLATE, &path);
            let path = path.key("step_templates");
            let steps = environment.value.get("step_templates").map(Node::items).unwrap_or_default();
            for (index, step) in steps.iter().enumerate() {
                if step.is_mapping() && step.get("name").is_none() {
                    let message = "a step of an overlay needs the name of the step it changes";
                    self.report.error(step.mark, path.index(index), message, "add \"name: NAME\"");
                }
            }
        }
    }

    fn wrong_type(&mut self, node: &Node, expected: &str, remedy: &str, path: &Path<'_>) {
        let message = format!("expected {expected}, found {}", found(node));
        self.report.error(node.mark, path, message, remedy);
    }
}

/// What a value is, in words.
fn found(node: &Node) -> String {
    match &node.data {
        Data::Null => "nothing".to_owned(),
        Data::Bool(_) => scalar(node),
        Data::Number { .. } => format!("the number {}", scalar(node)),
        Data::Text { text, .. } => format!("the text {:?}", shortened(text)),
        Data::List(_) => "a list".to_owned(),
        Data::Mapping(_) => "a mapping".to_owned(),
    }
}

fn scalar(node: &Node) -> String {
    match &node.data {
        Data::Bool(flag) => flag.to_string(),
        Data::Number { text, .. } | Data::Text { text, .. } => shortened(text),
        Data::Null | Data::List(_) | Data::Mapping(_) => String::new(),
    }
}
