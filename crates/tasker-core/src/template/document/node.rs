//! A JSON value that knows where it stood in the text.

use serde_json::{Map, Number, Value};

/// Where something stands: line and column from 1; 0 where that is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::template) struct Mark {
    pub(in crate::template) line: u32,
    pub(in crate::template) column: u32,
}

impl From<saphyr_parser::Marker> for Mark {
    fn from(marker: saphyr_parser::Marker) -> Self {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Self { line: number(marker.line()), column: number(marker.col().saturating_add(1)) }
    }
}

#[derive(Debug, Clone)]
pub(in crate::template) struct Node {
    pub(in crate::template) mark: Mark,
    pub(in crate::template) data: Data,
}

#[derive(Debug, Clone)]
pub(in crate::template) enum Data {
    Null,
    Bool(bool),
    /// A number, and the text it was written as.
    Number {
        value: Number,
        text: String,
    },
    /// A text, and whether it was written without quotes.
    Text {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    Mapping(Vec<Entry>),
}

#[derive(Debug, Clone)]
pub(in crate::template) struct Entry {
    pub(in crate::template) key: String,
    pub(in crate::template) mark: Mark,
    pub(in crate::template) value: Node,
}

impl Node {
    /// A node that stands nowhere.
    pub(in crate::template) fn from_value(value: &Value) -> Self {
        let data = match value {
            Value::Null => Data::Null,
            Value::Bool(flag) => Data::Bool(*flag),
            Value::Number(number) => Data::Number { value: number.clone(), text: number.to_string() },
            Value::String(text) => Data::Text { text: text.clone(), plain: false },
            Value::Array(items) => Data::List(items.iter().map(Self::from_value).collect()),
            Value::Object(members) => {
                let entry = |(key, value): (&String, &Value)| Entry {
                    key: key.clone(),
                    mark: Mark::default(),
                    value: Self::from_value(value),
                };
                Data::Mapping(members.iter().map(entry).collect())
            }
        };
        Self { mark: Mark::default(), data }
    }

    pub(in crate::template) fn to_value(&self) -> Value {
        match &self.data {
            Data::Null => Value::Null,
            Data::Bool(flag) => Value::Bool(*flag),
            Data::Number { value, .. } => Value::Number(value.clone()),
            Data::Text { text, .. } => Value::String(text.clone()),
            Data::List(items) => Value::Array(items.iter().map(Self::to_value).collect()),
            Data::Mapping(entries) => {
                let members = entries.iter().map(|entry| (entry.key.clone(), entry.value.to_value()));
                Value::Object(members.collect::<Map<String, Value>>())
            }
        }
    }

    /// The entries of a mapping; none of anything else.
    pub(in crate::template) fn entries(&self) -> &[Entry] {
        match &self.data {
            Data::Mapping(entries) => entries,
            Data::Null | Data::Bool(_) | Data::Number { .. } | Data::Text { .. } | Data::List(_) => &[],
        }
    }

    /// The items of a list; none of anything else.
    pub(in crate::template) fn items(&self) -> &[Node] {
        match &self.data {
            Data::List(items) => items,
            Data::Null | Data::Bool(_) | Data::Number { .. } | Data::Text { .. } | Data::Mapping(_) => &[],
        }
    }

    /// The entry of a mapping under `key`; an entry whose value is null counts as absent.
    pub(in crate::template) fn get(&self, key: &str) -> Option<&Node> {
        let entry = self.entries().iter().find(|entry| entry.key == key)?;
        (!entry.value.is_null()).then_some(&entry.value)
    }

    pub(in crate::template) fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Text { text, .. } => Some(text),
            Data::Null | Data::Bool(_) | Data::Number { .. } | Data::List(_) | Data::Mapping(_) => None,
        }
    }

    /// A flag, also in the words of YAML 1.1 (<https://yaml.org/type/bool.html>), in which templates of the Rails
    /// engine may be written.
    pub(in crate::template) fn flag(&self) -> Option<bool> {
        match &self.data {
            Data::Bool(flag) => Some(*flag),
            Data::Text { text, .. } => match text.as_str() {
                "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
                "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
                _ => None,
            },
            Data::Null | Data::Number { .. } | Data::List(_) | Data::Mapping(_) => None,
        }
    }

    pub(in crate::template) fn is_mapping(&self) -> bool {
        matches!(self.data, Data::Mapping(_))
    }

    pub(in crate::template) fn is_list(&self) -> bool {
        matches!(self.data, Data::List(_))
    }

    pub(in crate::template) fn is_null(&self) -> bool {
        matches!(self.data, Data::Null)
    }

    /// The node at a JSON Pointer (RFC 6901), as near as it leads, and the way there as a path.
    pub(in crate::template) fn at_pointer(&self, pointer: &str) -> (&Node, String) {
        let mut node = self;
        let mut path = String::new();
        for token in pointer.split('/').skip(1) {
            let token = token.replace("~1", "/").replace("~0", "~");
            let index = token.parse::<usize>().ok().filter(|_| node.is_list());
            path.push_str(&index.map_or_else(|| format!(".{token}"), |index| format!("[{index}]")));
            let entry = || node.entries().iter().find(|entry| entry.key == token).map(|entry| &entry.value);
            let next = index.map_or_else(entry, |index| node.items().get(index));
            node = next.unwrap_or(node);
        }
        (node, path)
    }

    /// How many nodes this is, itself included.
    pub(super) fn count(&self) -> usize {
        let items: usize = self.items().iter().map(Self::count).sum();
        let entries: usize = self.entries().iter().map(|entry| entry.value.count()).sum();
        1 + items + entries
    }

    /// How many lists and mappings nest in this, itself included: 0 for a scalar.
    pub(super) fn depth(&self) -> usize {
        match &self.data {
            Data::Null | Data::Bool(_) | Data::Number { .. } | Data::Text { .. } => 0,
            Data::List(items) => 1 + items.iter().map(Self::depth).max().unwrap_or(0),
            Data::Mapping(entries) => 1 + entries.iter().map(|entry| entry.value.depth()).max().unwrap_or(0),
        }
    }
}
