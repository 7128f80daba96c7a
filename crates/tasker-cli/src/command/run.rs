//! `tasker run`: runs a template once, here and now, to its end.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tasker_engine::Engine;
use tasker_runtime::{Settings, read_templates};
use tasker_store::{Submitted, WhenTaken};

use crate::desk::Desk;
use crate::drive::{self, Journey};
use crate::embedded::Setup;
use crate::ending::{Outcome, Trouble, usage};
use crate::progress::Manner;
use crate::remembered::{Memory, Remembered};
use crate::request::{self, Wishes};
use crate::template_file::{self, Reading};
use crate::words::shell_word;
use crate::{ids, verdict};

/// Run a template once, here and now, to its end.
///
/// No server is needed: this process is the worker, and the task is kept in the database at every step. If it is
/// interrupted or killed, `tasker resume` goes on where it was.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The template file; without it the only one in the folders that the setting templates.directories names.
    file: Option<PathBuf>,
    #[command(flatten)]
    wishes: Wishes,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    work: Work,
    /// Print every transition as a line of JSON, and last the whole task.
    #[arg(long)]
    json: bool,
}

/// How steps are run in this process.
#[derive(Debug, clap::Args)]
pub(crate) struct Work {
    /// What answers to the handler classes that are not built in: a YAML or JSON file [the setting worker.bindings].
    #[arg(long, value_name = "FILE")]
    pub(crate) bindings: Option<PathBuf>,
    /// The folder in which commands run [the setting worker.base_dir, or else the folder of the template file].
    #[arg(long, value_name = "DIR")]
    pub(crate) base_dir: Option<PathBuf>,
    /// How many steps run at once [the setting worker.concurrency].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) concurrency: Option<u32>,
    /// Tell also what steps log: for commands, what they write to their standard error.
    #[arg(long)]
    pub(crate) logs: bool,
    /// Give up waiting after so many seconds, with exit code 124; the task stays, and can be resumed.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) timeout: Option<u64>,
}

impl Work {
    pub(crate) fn time_limit(&self) -> Option<Duration> {
        self.timeout.map(Duration::from_secs)
    }
}

pub(crate) async fn run(args: &Args, desk: &mut Desk) -> Outcome {
    let settings = desk.settings(&[])?.settings;
    let file = match &args.file {
        Some(file) => file.clone(),
        None => only_template(desk, &settings)?,
    };
    let reading = args.reading.or(settings.engine.environment.as_deref());
    let template = Arc::new(template_file::read(&mut desk.terminal, &file, &desk.folder, &reading)?);
    let remembered = remembered(args, desk, &settings, &file);
    let setup = Setup::of(desk, &settings, &args.work, &remembered)?;
    let request = request::task(template.key().into(), &args.wishes, desk)?;

    desk.trace(&settings)?;
    let engine = desk.engine(&settings).await?;
    engine.register(Arc::clone(&template), WhenTaken::Replace).await?;
    let cursor = engine.relay().end().await?;
    let submitted = engine.submit(request).await?;
    let task = submitted.id();
    let memory = Memory::of(&settings.database.url, &desk.folder);
    let manner = if args.json { Manner::Json } else { Manner::People };
    let notes = notes(desk, &engine, submitted).await?;
    if matches!(submitted, Submitted::Created(_)) {
        memory.keep(task, &remembered)?;
    }
    let journey = Journey {
        task,
        cursor,
        user: desk.user.clone(),
        manner,
        time_limit: args.work.time_limit(),
        notes,
        tells_logs: args.work.logs,
    };
    let setup = setup.for_template(&template);
    let stop = drive::to_its_end(desk, &engine, &journey, setup).await?;
    verdict::pronounce(desk, &engine, (task, stop), manner, &memory).await
}

/// What `tasker resume` will need of this run.
fn remembered(args: &Args, desk: &Desk, settings: &Settings, file: &Path) -> Remembered {
    let template = desk.folder.join(file);
    let here = |path: &PathBuf| desk.folder.join(path);
    let beside = template.parent().map_or_else(|| desk.folder.clone(), Path::to_path_buf);
    let base_dir = args.work.base_dir.as_ref().or(settings.worker.base_dir.as_ref()).map_or(beside, here);
    let bindings = args.work.bindings.as_ref().or(settings.worker.bindings.as_ref()).map(here);
    Remembered { template, base_dir, bindings }
}

/// The template to run if none is named.
fn only_template(desk: &Desk, settings: &Settings) -> Result<PathBuf, Trouble> {
    let folders: Vec<PathBuf> =
        settings.templates.directories.iter().map(|folder| desk.folder.join(folder)).collect();
    let templates = read_templates(&folders, settings.engine.environment.as_deref());
    let templates = templates.or_else(|error| usage(error.told()))?;
    let shown = |path: &Path| path.strip_prefix(&desk.folder).unwrap_or(path).to_path_buf();
    match templates.as_slice() {
        [] => usage("name a template file: tasker run FILE; `tasker init demo` makes one to try"),
        [only] => Ok(shown(&only.path)),
        several => {
            let lines = several.iter().map(|file| {
                format!("\n  tasker run {}", shell_word(&shown(&file.path).display().to_string()))
            });
            usage(format!("there are several templates, name one:{}", lines.collect::<String>()))
        }
    }
}

async fn notes(desk: &Desk, engine: &Engine, submitted: Submitted) -> Result<Vec<String>, Trouble> {
    let Submitted::Existing(id) = submitted else { return Ok(Vec::new()) };
    let view = ids::view(engine, id).await?;
    let show = desk.command_line(&format!("task show {}", ids::short(id)));
    Ok(vec![format!("a task with this key exists and is {}: {show}", crate::tree::words(view.task.state))])
}
