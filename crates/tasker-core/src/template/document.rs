//! From text to nodes that know where they stand.
//!
//! YAML 1.2 with its core schema, of which JSON is a part, and the merge key `<<`. One document, no deeper
//! than [`MAX_DEPTH`], with at most [`MAX_COPIED`] nodes copied by anchors and aliases, so that a small file
//! cannot grow without bound ("billion laughs"). Built from parser events on a stack of our own: depth is
//! known before anything recurses.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScanError, Span, StrInput};
use serde_json::Value;

use super::problem::TemplateErrors;
use super::report::Report;
use frame::{Fault, Frame};
pub(super) use node::{Data, Entry, Mark, Node};

mod frame;
mod node;
mod scalar;

/// The deepest nesting of lists and mappings.
const MAX_DEPTH: usize = 64;
/// What the scanner says where brackets nest too deeply for itself, which may be before an event says so.
const SCANNER_TOO_DEEP: &str = "recursion limit exceeded";
/// The most nodes that anchors and aliases may copy.
const MAX_COPIED: usize = 100_000;

/// Reads one YAML or JSON document as a JSON value. `file` is named in messages.
///
/// # Errors
/// Everything that is wrong with it, by line.
pub fn read_document(text: &str, file: Option<&str>) -> Result<Value, TemplateErrors> {
    let mut report = Report::new(file);
    let node = read(text, &mut report);
    report.finish()?;
    Ok(node.map_or(Value::Null, |node| node.to_value()))
}

/// Reads the one document of `text`; where there is none, an error in the report says why.
pub(super) fn read(text: &str, report: &mut Report) -> Option<Node> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match Reader::new(text, report).run() {
        Ok(root) => root,
        Err(error) => read_as_json(text).or_else(|| {
            let mark = Mark::from(*error.marker());
            match error.info() {
                SCANNER_TOO_DEEP => tell_too_deep(mark, report),
                info => report.error(mark, "", format!("this is not valid YAML: {info}"), ""),
            }
            None
        }),
    }
}

/// JSON that is not quite YAML, such as a text with an escaped surrogate pair; its lines are not known.
fn read_as_json(text: &str) -> Option<Node> {
    let looks_like_json = text.trim_start().starts_with('{');
    let value: Value = looks_like_json.then(|| serde_json::from_str(text).ok()).flatten()?;
    let node = Node::from_value(&value);
    (node.depth() <= MAX_DEPTH).then_some(node)
}

fn tell_too_deep(mark: Mark, report: &mut Report) {
    let message = format!("lists and mappings nest deeper than {MAX_DEPTH}");
    report.error(mark, "", message, "nest less deeply");
}

struct Reader<'t, 'r> {
    parser: Parser<'t, StrInput<'t>>,
    report: &'r mut Report,
    open: Vec<Frame>,
    anchors: HashMap<usize, Node>,
    copied: usize,
    documents: usize,
    root: Option<Node>,
}

/// Reading ends before the text does; the report has the reason.
struct Stop;

impl<'t, 'r> Reader<'t, 'r> {
    fn new(text: &'t str, report: &'r mut Report) -> Self {
        Self {
            parser: Parser::new_from_str(text),
            report,
            open: Vec::new(),
            anchors: HashMap::new(),
            copied: 0,
            documents: 0,
            root: None,
        }
    }

    fn run(mut self) -> Result<Option<Node>, ScanError> {
        while let Some(event) = self.parser.next_event() {
            let (event, span) = event?;
            if self.on_event(event, span).is_err() {
                return Ok(None);
            }
        }
        if self.documents == 0 {
            let remedy = "write a mapping of \"key: value\" lines";
            self.report.error(Mark::default(), "", "the document is empty", remedy);
        }
        Ok(self.root)
    }

    fn on_event(&mut self, event: Event<'t>, span: Span) -> Result<(), Stop> {
        let mark = Mark::from(span.start);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => self.start_document(mark),
            Event::SequenceStart(anchor, _) => self.start(Frame::list(mark, anchor)),
            Event::MappingStart(anchor, _) => self.start(Frame::mapping(mark, anchor)),
            Event::SequenceEnd | Event::MappingEnd => {
                let frame = self.open.pop().expect("invariant: the parser ends only what it has started");
                let anchor = frame.anchor;
                self.place(frame.close(), anchor)
            }
            Event::Alias(anchor) => self.alias(anchor, mark),
            Event::Scalar(text, style, anchor, tag) => {
                let data = scalar::resolve(&text, style, tag.as_deref()).unwrap_or_else(|fault| {
                    self.complain(mark, fault);
                    Data::Null
                });
                self.place(Node { mark, data }, anchor)
            }
        }
    }

    fn start_document(&mut self, mark: Mark) -> Result<(), Stop> {
        self.documents += 1;
        if self.documents == 1 {
            return Ok(());
        }
        self.report.error(mark, "", "there is more than one document", "write each to a file of its own");
        Err(Stop)
    }

    fn start(&mut self, frame: Frame) -> Result<(), Stop> {
        self.check_depth(1, frame.mark)?;
        self.open.push(frame);
        Ok(())
    }

    fn alias(&mut self, anchor: usize, mark: Mark) -> Result<(), Stop> {
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            let fault = Fault::new("the alias stands inside the value it names", "write the value out");
            self.complain(mark, fault);
            return Err(Stop);
        };
        self.check_depth(node.depth(), mark)?;
        self.check_copied(&node)?;
        self.place(node, 0)
    }

    /// Puts a finished node where it belongs.
    fn place(&mut self, node: Node, anchor: usize) -> Result<(), Stop> {
        if anchor > 0 {
            self.check_copied(&node)?;
            self.anchors.insert(anchor, node.clone());
        }
        let mark = node.mark;
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(frame) => {
                if let Err(fault) = frame.put(node) {
                    self.complain(mark, fault);
                }
            }
        }
        Ok(())
    }

    fn check_depth(&mut self, further: usize, mark: Mark) -> Result<(), Stop> {
        if self.open.len() + further <= MAX_DEPTH {
            return Ok(());
        }
        tell_too_deep(mark, self.report);
        Err(Stop)
    }

    fn check_copied(&mut self, node: &Node) -> Result<(), Stop> {
        self.copied = self.copied.saturating_add(node.count());
        if self.copied <= MAX_COPIED {
            return Ok(());
        }
        let message = format!("anchors and aliases copy more than {MAX_COPIED} values");
        self.report.error(node.mark, "", message, "use fewer aliases");
        Err(Stop)
    }

    fn complain(&mut self, mark: Mark, fault: Fault) {
        let mut path: String = self.open.iter().map(Frame::segment).collect();
        if path.starts_with('.') {
            path.remove(0);
        }
        self.report.error(fault.mark.unwrap_or(mark), path, fault.message, &fault.remedy);
    }
}

#[cfg(test)]
mod tests;
