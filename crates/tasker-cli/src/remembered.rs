//! What a run leaves behind for `tasker resume`: what the store does not know of a task, since it is of this machine.
//!
//! One small JSON file for each task that was run here and has not ended: `run/TASK.json` beside the database file, or
//! `.tasker/run/TASK.json` where the database is elsewhere. It goes when its task ends.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use tasker_core::TaskId;

/// Where tasks are remembered if the database has no folder of its own.
const FOLDER: &str = ".tasker";

/// What is remembered of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remembered {
    /// The template file it was made from.
    pub(crate) template: PathBuf,
    /// The folder its commands run in.
    pub(crate) base_dir: PathBuf,
    /// The bindings of its handlers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bindings: Option<PathBuf>,
}

/// The folder of what is remembered.
///
/// A database in memory has none: there is nothing to go on with.
#[derive(Debug, Clone)]
pub(crate) struct Memory(Option<PathBuf>);

impl Memory {
    /// The one that belongs to a database. `folder` is the current one.
    pub(crate) fn of(database_url: &str, folder: &Path) -> Self {
        if database_url == "memory:" {
            return Self(None);
        }
        let file = database_url.strip_prefix("sqlite:").map(|path| path.trim_start_matches("//"));
        let file = file.or_else(|| Some(database_url).filter(|url| !url.contains(':')));
        let beside = file.and_then(|path| Some(folder.join(path).parent()?.join("run")));
        Self(Some(beside.unwrap_or_else(|| folder.join(FOLDER).join("run"))))
    }

    /// Writes down what is to be remembered of a task.
    pub(crate) fn keep(&self, task: TaskId, remembered: &Remembered) -> anyhow::Result<()> {
        let Some(file) = self.file(task) else { return Ok(()) };
        let text = serde_json::to_string_pretty(remembered).context("what is to be remembered is no JSON")?;
        // A file that is there is a whole one, whenever the process is killed.
        let draft = file.with_extension("draft");
        let folder = self.0.as_deref().unwrap_or(Path::new(FOLDER));
        let written = fs::create_dir_all(folder)
            .and_then(|()| fs::write(&draft, text))
            .and_then(|()| fs::rename(&draft, &file));
        written.with_context(|| format!("cannot write {}, which `tasker resume` would need", file.display()))
    }

    /// What is remembered of a task, if anything is.
    pub(crate) fn recall(&self, task: TaskId) -> anyhow::Result<Option<Remembered>> {
        let Some(file) = self.file(task) else { return Ok(None) };
        match fs::read_to_string(&file) {
            Ok(text) => {
                let remembered = serde_json::from_str(&text);
                remembered.map(Some).with_context(|| format!("{} cannot be read: remove it", file.display()))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("{} cannot be read", file.display())),
        }
    }

    /// Forgets a task that has ended.
    pub(crate) fn forget(&self, task: TaskId) {
        if let Some(file) = self.file(task) {
            // What stays behind does no harm.
            let _ = fs::remove_file(file);
        }
    }

    /// Whether a task can be gone on with by another process.
    pub(crate) fn is_lasting(&self) -> bool {
        self.0.is_some()
    }

    fn file(&self, task: TaskId) -> Option<PathBuf> {
        Some(self.0.as_ref()?.join(format!("{task}.json")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lies_beside_the_database_file() {
        let of = |url| Memory::of(url, Path::new("/here")).0.unwrap_or_default();
        assert_eq!(of("sqlite:.tasker/tasker.db"), Path::new("/here/.tasker/run"));
        assert_eq!(of("sqlite:/there/a.db"), Path::new("/there/run"));
        assert_eq!(of("b.db"), Path::new("/here/run"));
        assert_eq!(of("postgres://somewhere/tasks"), Path::new("/here/.tasker/run"));
        assert!(!Memory::of("memory:", Path::new("/here")).is_lasting());
    }

    #[test]
    fn what_is_kept_is_recalled_until_it_is_forgotten() {
        let folder = tempfile::tempdir().expect("a folder");
        let memory = Memory::of("sqlite:.tasker/tasker.db", folder.path());
        let task = "0199c2a4-5b1e-7c3d-9a4f-2e6b1c800000".parse().expect("an id");
        let kept = Remembered { template: "a.yaml".into(), base_dir: "/b".into(), bindings: None };
        assert_eq!(memory.recall(task).expect("readable"), None);
        memory.keep(task, &kept).expect("writable");
        assert_eq!(memory.recall(task).expect("readable"), Some(kept));
        memory.forget(task);
        assert_eq!(memory.recall(task).expect("readable"), None);
    }
}
