//! What is wrong with a template file, where, and what to do about it.

use std::fmt;

use serde::Serialize;

/// Whether a problem stops a template from being used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The template cannot be used.
    Error,
    /// The template can be used; something in it is likely not meant so.
    Warning,
}

/// One thing that is wrong with a template.
///
/// Displayed as `orders.yaml:14: step_templates[2].depends_on_step: step "validat" is not defined; did you
/// mean "validate"?`, with only the parts that are known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Whether the template can be used all the same.
    pub severity: Severity,
    /// The file, as named by the caller.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: Option<u32>,
    /// The column in characters, from 1.
    pub column: Option<u32>,
    /// The place in the document, such as `step_templates[2].depends_on_step`; empty for the whole.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, "{file}:{line}: ")?,
            (Some(file), None) => write!(f, "{file}: ")?,
            (None, Some(line)) => write!(f, "line {line}: ")?,
            (None, None) => {}
        }
        match self.severity {
            Severity::Error => {}
            Severity::Warning => f.write_str("warning: ")?,
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        match &self.remedy {
            Some(remedy) => write!(f, "; {remedy}"),
            None => Ok(()),
        }
    }
}

/// All that is wrong with a template: at least one error, and the warnings met on the way, by line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TemplateErrors {
    /// The problems, in the order of the file.
    pub problems: Vec<Problem>,
}

impl TemplateErrors {
    /// The problems that stop the template from being used.
    pub fn errors(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error)
    }
}

impl fmt::Display for TemplateErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for TemplateErrors {}
