//! A list or mapping that is still being read.

use std::collections::HashMap;

use super::node::{Data, Entry, Mark, Node};

/// Something wrong with one value, and what to do about it.
#[derive(Debug)]
pub(super) struct Fault {
    /// Where, if not at the value at hand.
    pub(super) mark: Option<Mark>,
    pub(super) message: String,
    pub(super) remedy: String,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { mark: None, message: message.into(), remedy: remedy.into() }
    }
}

#[derive(Debug)]
pub(super) struct Frame {
    pub(super) mark: Mark,
    pub(super) anchor: usize,
    content: Content,
}

#[derive(Debug)]
enum Content {
    List(Vec<Node>),
    Mapping { entries: Vec<Entry>, lines: HashMap<String, u32>, merged: Vec<Entry>, key: Key },
}

/// What the next node of a mapping is.
#[derive(Debug)]
enum Key {
    /// A key.
    Awaited,
    /// The value of this key.
    Known { name: String, mark: Mark },
    /// A mapping, or a list of mappings, to be merged into this one.
    Merge,
    /// The value of a key that cannot be used.
    Unusable,
}

impl Frame {
    pub(super) fn list(mark: Mark, anchor: usize) -> Self {
        Self { mark, anchor, content: Content::List(Vec::new()) }
    }

    pub(super) fn mapping(mark: Mark, anchor: usize) -> Self {
        let content = Content::Mapping {
            entries: Vec::new(),
            lines: HashMap::new(),
            merged: Vec::new(),
            key: Key::Awaited,
        };
        Self { mark, anchor, content }
    }

    /// Takes the next node.
    pub(super) fn put(&mut self, node: Node) -> Result<(), Fault> {
        let (entries, lines, merged, key) = match &mut self.content {
            Content::List(items) => {
                items.push(node);
                return Ok(());
            }
            Content::Mapping { entries, lines, merged, key } => (entries, lines, merged, key),
        };
        match std::mem::replace(key, Key::Awaited) {
            Key::Awaited => {
                let (next, fault) = key_of(node);
                *key = next;
                fault.map_or(Ok(()), Err)
            }
            Key::Known { name, mark } => {
                if let Some(line) = lines.get(&name) {
                    let message = format!("the key {name:?} is given twice, first on line {line}");
                    return Err(Fault { mark: Some(mark), ..Fault::new(message, "remove one of them") });
                }
                lines.insert(name.clone(), mark.line);
                entries.push(Entry { key: name, mark, value: node });
                Ok(())
            }
            Key::Merge => merge(node, merged),
            Key::Unusable => Ok(()),
        }
    }

    /// The node, all its parts being there. What a mapping says itself wins over what it merges in, and
    /// what it merges first over what it merges later.
    pub(super) fn close(self) -> Node {
        let data = match self.content {
            Content::List(items) => Data::List(items),
            Content::Mapping { mut entries, mut lines, merged, .. } => {
                for entry in merged {
                    if !lines.contains_key(&entry.key) {
                        lines.insert(entry.key.clone(), entry.mark.line);
                        entries.push(entry);
                    }
                }
                Data::Mapping(entries)
            }
        };
        Node { mark: self.mark, data }
    }

    /// This frame's part of the path to what is being read: `.key` or `[index]`.
    pub(super) fn segment(&self) -> String {
        match &self.content {
            Content::List(items) => format!("[{}]", items.len()),
            Content::Mapping { key: Key::Known { name, .. }, .. } => format!(".{name}"),
            Content::Mapping { key: Key::Merge, .. } => ".<<".to_owned(),
            Content::Mapping { key: Key::Awaited | Key::Unusable, .. } => String::new(),
        }
    }
}

fn key_of(node: Node) -> (Key, Option<Fault>) {
    let unusable = |what: &str| {
        let fault = Fault::new(format!("expected a key, found {what}"), "write a text as key");
        (Key::Unusable, Some(fault))
    };
    match node.data {
        Data::Text { text, plain: true } if text == "<<" => (Key::Merge, None),
        Data::Text { text: name, .. } | Data::Number { text: name, .. } => {
            (Key::Known { name, mark: node.mark }, None)
        }
        Data::Bool(flag) => (Key::Known { name: flag.to_string(), mark: node.mark }, None),
        Data::Null => unusable("nothing"),
        Data::List(_) => unusable("a list"),
        Data::Mapping(_) => unusable("a mapping"),
    }
}

fn merge(node: Node, merged: &mut Vec<Entry>) -> Result<(), Fault> {
    let fault = || Fault::new("\"<<\" merges mappings only", "name one mapping, or a list of mappings");
    match node.data {
        Data::Mapping(entries) => merged.extend(entries),
        Data::List(items) => {
            for item in items {
                let Data::Mapping(entries) = item.data else {
                    return Err(fault());
                };
                merged.extend(entries);
            }
        }
        Data::Null | Data::Bool(_) | Data::Number { .. } | Data::Text { .. } => return Err(fault()),
    }
    Ok(())
}
