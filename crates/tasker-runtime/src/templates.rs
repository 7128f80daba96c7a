//! Templates that stand in directories: read and checked all at once, then registered.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tasker_core::{ParseOptions, TaskTemplate, TemplateKey};
use tasker_engine::{Engine, EngineError};
use tasker_store::WhenTaken;

use crate::error::RunError;

/// Directories lie no deeper below one another.
const MAX_DEPTH: usize = 16;
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];

/// A template and the file it stands in.
#[derive(Debug, Clone)]
pub struct TemplateFile {
    /// The file.
    pub path: PathBuf,
    /// The template.
    pub template: Arc<TaskTemplate>,
}

/// Reads every template in these directories and those below them; `environment` is the overlay to apply.
///
/// # Errors
///
/// [`RunError::Refused`] with everything that is wrong in any of the files, by file and line.
pub fn read_templates(
    directories: &[PathBuf],
    environment: Option<&str>,
) -> Result<Vec<TemplateFile>, RunError> {
    let mut reading = Reading::default();
    for directory in directories {
        if let Err(error) = find(directory, 0, &mut reading.paths) {
            reading.complain(&format!("{}: it cannot be read: {error}", directory.display()));
        }
    }
    reading.paths.sort();
    reading.paths.dedup();
    for path in std::mem::take(&mut reading.paths) {
        reading.read(path, environment);
    }
    reading.finished()
}

/// Registers templates. One that is registered already, with the same content, is left as it is.
///
/// # Errors
///
/// [`RunError::Refused`] names every template whose version is taken by another content; the others are registered.
pub async fn register_templates(engine: &Engine, files: &[TemplateFile]) -> Result<(), RunError> {
    let mut complaints = String::new();
    for TemplateFile { path, template } in files {
        match engine.register(Arc::clone(template), WhenTaken::Refuse).await {
            Ok(_) => {
                tracing::debug!(template = %template.key(), file = %path.display(), "a template is registered");
            }
            Err(EngineError::Template(conflict)) => {
                let key = conflict.key;
                write!(
                    complaints,
                    "\n  {}: {key} is registered already with other content: raise its version",
                    path.display()
                )
                .expect("invariant: a String takes all");
            }
            Err(error) => {
                let action = format!("register the template {}", path.display());
                return Err(RunError::Start { action, source: error.into() });
            }
        }
    }
    refused(&complaints)
}

#[derive(Default)]
struct Reading {
    paths: Vec<PathBuf>,
    files: Vec<TemplateFile>,
    seen: BTreeMap<TemplateKey, PathBuf>,
    complaints: String,
}

impl Reading {
    fn read(&mut self, path: PathBuf, environment: Option<&str>) {
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => return self.complain(&format!("{}: it cannot be read: {error}", path.display())),
        };
        let file = Some(path.display().to_string());
        let options = ParseOptions { file, environment: environment.map(str::to_owned), strict: false };
        match TaskTemplate::parse(&text, &options) {
            Err(errors) => errors.problems.iter().for_each(|problem| self.complain(&problem.to_string())),
            Ok(parsed) => {
                for warning in &parsed.warnings {
                    tracing::warn!("{warning}");
                }
                self.keep(path, parsed.template);
            }
        }
    }

    fn keep(&mut self, path: PathBuf, template: TaskTemplate) {
        let key = template.key();
        if let Some(first) = self.seen.get(&key) {
            let (path, first) = (path.display(), first.display());
            let complaint =
                format!("{path}: {key} stands in {first} already: remove one, or raise its version");
            return self.complain(&complaint);
        }
        self.seen.insert(key, path.clone());
        self.files.push(TemplateFile { path, template: Arc::new(template) });
    }

    fn complain(&mut self, complaint: &str) {
        write!(self.complaints, "\n  {complaint}").expect("invariant: a String takes all");
    }

    fn finished(self) -> Result<Vec<TemplateFile>, RunError> {
        refused(&self.complaints).map(|()| self.files)
    }
}

/// The files in `directory` and below it that are templates by their ending. What begins with a dot is passed over, so
/// that a directory that an orchestrator mounts, with its hidden copies, holds each file once.
fn find(directory: &Path, depth: usize, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let is_template = path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known));
        if is_hidden {
            continue;
        }
        if path.is_dir() {
            if depth < MAX_DEPTH {
                find(&path, depth + 1, found)?;
            }
        } else if is_template {
            found.push(path);
        }
    }
    Ok(())
}

fn refused(complaints: &str) -> Result<(), RunError> {
    if complaints.is_empty() {
        return Ok(());
    }
    Err(RunError::Refused { what: format!("the templates cannot be used:{complaints}") })
}

#[cfg(test)]
mod tests;
