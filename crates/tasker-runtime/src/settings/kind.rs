//! What may be written for a setting, in a file and in a text such as an environment variable.

use std::collections::BTreeMap;
use std::path::PathBuf;

use config::ValueKind;

use super::routes::{self, RouteSetting};
use super::secret::Secret;
use super::subscribers::{self, SubscriberSetting};

/// What may be written for a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A text, or nothing.
    MaybeText,
    /// A path, or nothing.
    MaybePath,
    /// A whole number.
    Whole,
    /// A number, with or without a fraction.
    Number,
    /// `true` or `false`.
    Flag,
    /// A list of texts.
    Texts,
    /// A list of whole numbers.
    Wholes,
    /// A table of routes, by event.
    Routes,
    /// A table of subscribers, by name.
    Subscribers,
    /// One of these words.
    Choice(&'static [&'static str]),
}

/// A type that a setting can have.
pub(crate) trait Typed {
    const KIND: Kind;
}

impl Typed for String {
    const KIND: Kind = Kind::Text;
}

impl Typed for Option<String> {
    const KIND: Kind = Kind::MaybeText;
}

impl Typed for Option<PathBuf> {
    const KIND: Kind = Kind::MaybePath;
}

impl Typed for u32 {
    const KIND: Kind = Kind::Whole;
}

impl Typed for f64 {
    const KIND: Kind = Kind::Number;
}

impl Typed for bool {
    const KIND: Kind = Kind::Flag;
}

impl Typed for Vec<String> {
    const KIND: Kind = Kind::Texts;
}

impl Typed for Vec<PathBuf> {
    const KIND: Kind = Kind::Texts;
}

impl Typed for Option<Secret> {
    const KIND: Kind = Kind::MaybeText;
}

impl Typed for BTreeMap<String, RouteSetting> {
    const KIND: Kind = Kind::Routes;
}

impl Typed for BTreeMap<String, SubscriberSetting> {
    const KIND: Kind = Kind::Subscribers;
}

impl Typed for Vec<u32> {
    const KIND: Kind = Kind::Wholes;
}

/// Declares an enum of words and makes it a type that a setting can have.
macro_rules! choice {
    (
        $(#[$about:meta])+
        $Choice:ident { $( $(#[$doc:meta])+ $Word:ident = $word:literal, )+ }
    ) => {
        $(#[$about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
        pub enum $Choice {
            $( $(#[$doc])+ #[serde(rename = $word)] $Word, )+
        }

        impl $crate::settings::kind::Typed for $Choice {
            const KIND: $crate::settings::kind::Kind = $crate::settings::kind::Kind::Choice(&[$($word),+]);
        }
    };
}

pub(crate) use choice;

impl Kind {
    /// In words, to go after "write".
    pub fn expected(self) -> String {
        match self {
            Self::Text => "a text".to_owned(),
            Self::MaybeText => "a text, or leave it out".to_owned(),
            Self::MaybePath => "a path, or leave it out".to_owned(),
            Self::Whole => "a whole number".to_owned(),
            Self::Number => "a number".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Texts => "a list of texts such as [\"one\", \"two\"]".to_owned(),
            Self::Wholes => "a list of whole numbers such as [1, 2, 4]".to_owned(),
            Self::Routes => {
                "routes such as { \"task.completed\" = { backends = [\"metrics\", \"logs\"], sampling = 0.5 } }".to_owned()
            }
            Self::Subscribers => {
                "subscribers such as { shop = { type = \"webhook\", url = \"https://…\", events = [\"task.*\"] } }"
                    .to_owned()
            }
            Self::Choice(words) => format!("one of {}", words.join(", ")),
        }
    }

    /// What one number of this kind is called.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Wholes => "whole numbers",
            Self::Whole
            | Self::Text
            | Self::MaybeText
            | Self::MaybePath
            | Self::Flag
            | Self::Texts
            | Self::Routes
            | Self::Subscribers
            | Self::Choice(_) => "a whole number",
        }
    }

    /// Whether a value, as it was read from a file, is of this kind.
    pub(super) fn accepts(self, value: &ValueKind) -> bool {
        match self {
            Self::Text | Self::MaybeText | Self::MaybePath => matches!(value, ValueKind::String(_)),
            Self::Whole => is_whole(value),
            Self::Number => is_whole(value) || matches!(value, ValueKind::Float(_)),
            Self::Flag => matches!(value, ValueKind::Boolean(_)),
            Self::Texts => all(value, |item| matches!(item, ValueKind::String(_))),
            Self::Wholes => all(value, is_whole),
            Self::Routes => routes::is_table(value),
            Self::Subscribers => subscribers::is_table(value),
            Self::Choice(words) => {
                matches!(value, ValueKind::String(word) if words.contains(&word.as_str()))
            }
        }
    }

    /// The value itself; nothing, if it is an empty text for what may be left out.
    pub(super) fn or_nothing(self, value: ValueKind) -> ValueKind {
        match (self, value) {
            (Self::MaybeText | Self::MaybePath, ValueKind::String(text)) if text.is_empty() => ValueKind::Nil,
            (_, value) => value,
        }
    }

    /// The value that a text stands for; a text that is of no use stays what it is. In lists, commas part the items.
    pub(super) fn read(self, text: &str) -> ValueKind {
        let plain = || ValueKind::from(text);
        match self {
            Self::Text | Self::MaybeText | Self::MaybePath | Self::Choice(_) => plain(),
            Self::Routes | Self::Subscribers => routes::read(text).unwrap_or_else(plain),
            Self::Whole => text.parse::<i64>().map_or_else(|_| plain(), ValueKind::from),
            Self::Number => text.parse::<f64>().map_or_else(|_| plain(), ValueKind::from),
            Self::Flag => text.parse::<bool>().map_or_else(|_| plain(), ValueKind::from),
            Self::Texts => ValueKind::from(items(text).map(ValueKind::from).collect::<Vec<_>>()),
            Self::Wholes => {
                let numbers: Result<Vec<i64>, _> = items(text).map(str::parse).collect();
                numbers.map_or_else(|_| plain(), ValueKind::from)
            }
        }
    }
}

fn is_whole(value: &ValueKind) -> bool {
    matches!(value, ValueKind::I64(_) | ValueKind::U64(_) | ValueKind::I128(_) | ValueKind::U128(_))
}

fn all(value: &ValueKind, is_good: fn(&ValueKind) -> bool) -> bool {
    matches!(value, ValueKind::Array(items) if items.iter().all(|item| is_good(&item.kind)))
}

/// The items of `a, b`, of `[a, b]` and of `["a", "b"]`.
fn items(text: &str) -> impl Iterator<Item = &str> {
    let text = text.trim();
    let text = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    text.split(',').map(str::trim).map(unquoted).filter(|item| !item.is_empty())
}

fn unquoted(item: &str) -> &str {
    let inner = |quote| item.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(item)
}
