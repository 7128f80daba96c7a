//! Where problems are gathered while a template is read.

use std::fmt::Display;

use super::document::Mark;
use super::problem::{Problem, Severity, TemplateErrors};

/// The most problems that are told of one file.
const MAX_PROBLEMS: usize = 1_000;

#[derive(Debug)]
pub(super) struct Report {
    file: Option<String>,
    problems: Vec<Problem>,
    left_out: usize,
}

impl Report {
    pub(super) fn new(file: Option<&str>) -> Self {
        Self { file: file.map(str::to_owned), problems: Vec::new(), left_out: 0 }
    }

    /// Notes an error. An empty `remedy` is none.
    pub(super) fn error(&mut self, mark: Mark, path: impl Display, message: impl Into<String>, remedy: &str) {
        self.note(Severity::Error, mark, path.to_string(), (message.into(), remedy));
    }

    /// Notes a warning. An empty `remedy` is none.
    pub(super) fn warning(
        &mut self,
        mark: Mark,
        path: impl Display,
        message: impl Into<String>,
        remedy: &str,
    ) {
        self.note(Severity::Warning, mark, path.to_string(), (message.into(), remedy));
    }

    /// Whether there is an error yet.
    pub(super) fn has_errors(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// The warnings, if there is no error.
    pub(super) fn finish(mut self) -> Result<Vec<Problem>, TemplateErrors> {
        let is_failed = self.has_errors();
        let place = |problem: &Problem| (problem.line.unwrap_or(u32::MAX), problem.column);
        self.problems.sort_by_key(place);
        if self.left_out > 0 {
            let message = format!("{} more problems are not shown", self.left_out);
            self.problems.push(self.problem(
                Severity::Warning,
                Mark::default(),
                String::new(),
                (message, ""),
            ));
        }
        if is_failed { Err(TemplateErrors { problems: self.problems }) } else { Ok(self.problems) }
    }

    fn note(&mut self, severity: Severity, mark: Mark, path: String, words: (String, &str)) {
        // An error is never dropped in favour of warnings alone: what stops a template must be told.
        if self.problems.len() >= MAX_PROBLEMS && (severity == Severity::Warning || self.has_errors()) {
            self.left_out += 1;
        } else {
            self.problems.push(self.problem(severity, mark, path, words));
        }
    }

    fn problem(&self, severity: Severity, mark: Mark, path: String, words: (String, &str)) -> Problem {
        let (message, remedy) = words;
        Problem {
            severity,
            file: self.file.clone(),
            line: (mark.line > 0).then_some(mark.line),
            column: (mark.line > 0).then_some(mark.column),
            path,
            message,
            remedy: (!remedy.is_empty()).then(|| remedy.to_owned()),
        }
    }
}
