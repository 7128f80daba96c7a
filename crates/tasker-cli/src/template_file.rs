//! Template files as they are given on a command line.

use std::fs;
use std::path::Path;

use tasker_core::{ParseOptions, Parsed, Problem, Severity, TaskTemplate};

use crate::ending::{Trouble, usage};
use crate::paint::{Colour, Paint};
use crate::terminal::Terminal;

/// How a template file is read.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Reading {
    /// Apply the overlay of this environment; without it, run and register take the setting engine.environment.
    #[arg(long, value_name = "ENV")]
    pub(crate) environment: Option<String>,
    /// Refuse keys that are not known instead of warning of them.
    #[arg(long)]
    pub(crate) strict: bool,
}

impl Reading {
    /// The same, with the environment of the settings if none is named.
    pub(crate) fn or(&self, environment: Option<&str>) -> Self {
        let environment = self.environment.clone().or_else(|| environment.map(str::to_owned));
        Self { environment, strict: self.strict }
    }
}

/// Reads a template from a file of `folder`. Problems name the file as it was given.
pub(crate) fn parse(file: &Path, folder: &Path, reading: &Reading) -> Result<Parsed, Vec<Problem>> {
    let name = file.display().to_string();
    let text = fs::read_to_string(folder.join(file)).map_err(|error| vec![unreadable(&name, &error)])?;
    let options =
        ParseOptions { file: Some(name), environment: reading.environment.clone(), strict: reading.strict };
    TaskTemplate::parse(&text, &options).map_err(|errors| errors.problems)
}

/// Reads a template, telling its warnings as notes.
pub(crate) fn read(
    terminal: &mut Terminal,
    file: &Path,
    folder: &Path,
    reading: &Reading,
) -> Result<TaskTemplate, Trouble> {
    let paint = terminal.paint_notes();
    match parse(file, folder, reading) {
        Ok(parsed) => {
            parsed.warnings.iter().for_each(|problem| terminal.note(line(problem, paint)));
            Ok(parsed.template)
        }
        Err(_) if !folder.join(file).exists() => usage(format!(
            "there is no file {}: check the path; `tasker init demo` makes a template to try",
            file.display()
        )),
        Err(problems) => {
            let lines: Vec<String> = problems.iter().map(|problem| line(problem, paint)).collect();
            usage(format!("{} cannot be used as a template:\n{}", file.display(), lines.join("\n")))
        }
    }
}

/// A problem as it is shown: `orders.yaml:14: step_templates[2].depends_on_step: …; did you mean …?`
pub(crate) fn line(problem: &Problem, paint: Paint) -> String {
    let text = problem.to_string();
    match problem.severity {
        Severity::Error => text,
        Severity::Warning => text.replacen("warning:", &paint.colour(Colour::Yellow, "warning:"), 1),
    }
}

fn unreadable(file: &str, error: &std::io::Error) -> Problem {
    Problem {
        severity: Severity::Error,
        file: Some(file.to_owned()),
        line: None,
        column: None,
        path: String::new(),
        message: format!("the file cannot be read: {error}"),
        remedy: None,
    }
}
