//! From the text of a file, or a stored definition, to a template.

use std::sync::Arc;

use serde_json::Value;

use super::build;
use super::check::Checker;
use super::document::{self, Node};
use super::keys::TEMPLATE;
use super::model::{Derived, StepTemplate, TaskTemplate};
use super::overlay;
use super::path::Path;
use super::problem::{Problem, TemplateErrors};
use super::report::Report;
use super::rules;
use crate::canonical::canonical_digest;
use crate::name::{Namespace, TaskName};
use crate::schema::ContextSchema;
use crate::version::Version;

/// How a file is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParseOptions {
    /// The file's name, for messages.
    pub file: Option<String>,
    /// The environment whose overlay is applied; none if absent.
    pub environment: Option<String>,
    /// Whether a key that is not known is an error rather than a warning.
    pub strict: bool,
}

/// A template, and what was odd about its file.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The template.
    pub template: TaskTemplate,
    /// Problems that did not stop it from being read, in the order of the file.
    pub warnings: Vec<Problem>,
}

impl TaskTemplate {
    /// Reads a template from YAML or JSON.
    ///
    /// # Errors
    /// Everything that is wrong with it, not only the first.
    pub fn parse(text: &str, options: &ParseOptions) -> Result<Parsed, TemplateErrors> {
        let mut report = Report::new(options.file.as_deref());
        let document = document::read(text, &mut report);
        let template = document.and_then(|document| template(document, options, &mut report));
        finished(template, report)
    }

    /// Reads a template from the definition that an earlier [`TaskTemplate::parse`] gave.
    ///
    /// # Errors
    /// Everything that is wrong with it; no problem has a line.
    pub fn from_definition(definition: &Value) -> Result<Self, TemplateErrors> {
        let mut report = Report::new(None);
        let template = template(Node::from_value(definition), &ParseOptions::default(), &mut report);
        finished(template, report).map(|parsed| parsed.template)
    }
}

fn finished(template: Option<TaskTemplate>, report: Report) -> Result<Parsed, TemplateErrors> {
    let warnings = report.finish()?;
    let template = template.expect("invariant: where there is no template, an error says why");
    Ok(Parsed { template, warnings })
}

fn template(document: Node, options: &ParseOptions, report: &mut Report) -> Option<TaskTemplate> {
    let mut checker = Checker { report: &mut *report, strict: options.strict };
    checker.types(&document, &TEMPLATE, &Path::Root);
    if !document.is_mapping() {
        return None;
    }
    overlay::warn_of_unknown_steps(&document, report);
    let document = overlay::applied(document, options.environment.as_deref());
    let mut checker = Checker { report: &mut *report, strict: options.strict };
    checker.required(&document, &TEMPLATE, &Path::Root);
    assembled(&document, report)
}

fn assembled(document: &Node, report: &mut Report) -> Option<TaskTemplate> {
    let root = Path::Root;
    let name: Option<TaskName> = build::parsed(document, "name", &root, report);
    let namespace: Option<Namespace> = build::parsed(document, "namespace_name", &root, report);
    let version: Option<Version> = build::parsed(document, "version", &root, report);
    let context_schema = context_schema(document, report);
    let custom_events = build::custom_events(document, &root, report);
    let drafts = build::steps(document, report);
    let graph = rules::graph(document, &drafts, report);
    if report.has_errors() {
        return None;
    }
    let (dependencies, ordinals) = graph?;
    let concurrent = build::flag(document, "concurrent").unwrap_or(true);
    let sequence = (!concurrent).then(|| dependencies.sequential());
    let steps = drafts.into_iter().map(|draft| draft.step).collect::<Option<Vec<StepTemplate>>>()?;
    let definition = document.to_value();
    let digest = canonical_digest(&definition);
    Some(TaskTemplate {
        namespace: namespace.unwrap_or_default(),
        name: name?,
        version: version.unwrap_or_default(),
        description: build::text(document, "description"),
        concurrent,
        handler_class: build::text(document, "task_handler_class"),
        module_namespace: build::text(document, "module_namespace"),
        schema: document.get("schema").map(Node::to_value),
        custom_events,
        steps,
        definition,
        derived: Arc::new(Derived { dependencies, sequence, ordinals, context_schema, digest }),
    })
}

fn context_schema(document: &Node, report: &mut Report) -> Option<ContextSchema> {
    let node = document.get("schema").filter(|node| node.is_mapping())?;
    match ContextSchema::compile(&node.to_value()) {
        Ok(schema) => Some(schema),
        Err(error) => {
            let (place, path) = node.at_pointer(&error.pointer);
            report.error(place.mark, format!("schema{path}"), error.message, &error.remedy);
            None
        }
    }
}

#[cfg(test)]
mod tests;
