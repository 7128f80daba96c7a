//! Sections of settings, declared once: the struct, its defaults and its reference come from one text.

use serde::Serialize;
use serde_json::Value;

use super::kind::{Kind, Typed};

/// One setting, as its reference tells of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The section, such as `worker`.
    pub section: &'static str,
    /// The name within the section, such as `concurrency`.
    pub name: &'static str,
    /// What may be written.
    pub kind: Kind,
    /// The least and the greatest number allowed.
    pub range: Option<(f64, f64)>,
    /// What holds if nothing is written; null if that is nothing.
    pub default: Value,
    /// What it means.
    pub doc: String,
}

impl Setting {
    /// The whole name, such as `worker.concurrency`.
    pub fn key(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// The environment variable, such as `TASKER__WORKER__CONCURRENCY`.
    pub fn variable(&self) -> String {
        format!("TASKER__{}__{}", self.section, self.name).to_uppercase()
    }

    pub(super) fn new<T: Typed + Serialize>(names: (&'static str, &'static str), default: &T) -> Self {
        let default = serde_json::to_value(default).expect("invariant: a setting is plain data");
        let (section, name) = names;
        Self { section, name, kind: T::KIND, range: None, default, doc: String::new() }
    }

    pub(super) fn within(mut self, low: impl Into<f64>, high: impl Into<f64>) -> Self {
        self.range = Some((low.into(), high.into()));
        self
    }

    pub(super) fn told(mut self, lines: &[&str]) -> Self {
        let lines: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
        self.doc = lines.join(" ");
        self
    }
}

/// A section of settings.
pub(crate) trait Section: Default {
    /// What the section is about.
    fn about() -> String;

    /// Its settings, in the order of their declaration.
    fn settings() -> Vec<Setting>;
}

/// Declares a section: a struct whose fields have a doc comment, a type, a default and maybe a range.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        $section:literal $Section:ident {
            $(
                $(#[doc = $doc:literal])+
                $field:ident: $type:ty = $default:expr $(=> $low:literal ..= $high:literal)?,
            )*
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $Section {
            $( $(#[doc = $doc])+ pub $field: $type, )*
        }

        impl Default for $Section {
            fn default() -> Self {
                Self { $( $field: $default, )* }
            }
        }

        impl $crate::settings::section::Section for $Section {
            fn about() -> String {
                [$($about),+].map(str::trim).join(" ")
            }

            fn settings() -> Vec<$crate::settings::section::Setting> {
                let defaults = Self::default();
                vec![$(
                    $crate::settings::section::Setting::new(($section, stringify!($field)), &defaults.$field)
                        $(.within($low, $high))?
                        .told(&[$($doc),+]),
                )*]
            }
        }
    };
}

pub(crate) use section;
