//! `tasker dev`: a server with a worker, in this process, for development.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tasker_core::TemplateKey;
use tasker_engine::Engine;
use tasker_runtime::{Loaded, Settings, TemplatesSection, print_config, read_templates};
use tasker_server::{Ready, Server};
use tasker_store::WhenTaken;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::desk::Desk;
use crate::ending::{Ending, Outcome, Trouble};
use crate::interrupts::Interrupts;
use crate::template_file::{self, Reading};

/// Run a server with a worker, in this process, until Ctrl-C.
///
/// It registers the templates it is given, a changed one in the place of what was registered before, and runs every task
/// of the database that is ready. Files are read once, when it starts.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Template files, and folders of them [the setting templates.directories].
    #[arg(value_name = "FILE|DIR")]
    templates: Vec<PathBuf>,
    /// The address to listen at; port 0 takes a free one [the setting http.listen].
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Print the settings that hold and where each came from, and end.
    #[arg(long)]
    print_config: bool,
}

const STOPPING: &str = "stopping: waiting for the steps at work; Ctrl-C again stops at once";

pub(crate) async fn run(args: &Args, desk: &mut Desk) -> Outcome {
    let mut interrupts = Interrupts::listen().map_err(anyhow::Error::from)?;
    let loaded = settings(args, desk)?;
    if args.print_config {
        desk.terminal.print(print_config(&loaded).trim_end());
        return Ok(Ending::Well);
    }
    let settings = loaded.settings;
    let telemetry = Desk::telemetry(&settings)?;
    let engine = desk.engine(&settings).await?;
    let registered = register(args, desk, &settings, &engine).await?;
    let (ready, is_ready) = oneshot::channel();
    let shutdown = CancellationToken::new();
    // The templates are registered already, so that changed ones take the place of what was there.
    let serving = Settings { templates: TemplatesSection::default(), ..settings };
    let server = Server::new(serving).telemetry(telemetry).on(Arc::clone(engine.store()));
    let server = server.when_ready(|state| {
        // Nobody listens any more when the command is on its way out.
        let _ = ready.send(state.clone());
    });
    let mut running = Box::pin(server.run(shutdown.clone()));
    let mut is_ready = Box::pin(is_ready);
    let mut has_told = false;
    loop {
        tokio::select! {
            result = &mut running => return result.map(|()| Ending::Well).map_err(Trouble::from),
            state = &mut is_ready, if !has_told => {
                has_told = true;
                if let Ok(state) = state {
                    announce(desk, &state, &registered);
                }
            }
            () = interrupts.next() => {
                if shutdown.is_cancelled() {
                    return Ok(Ending::Interrupted);
                }
                // Over the `^C` that a terminal shows.
                let begin = if desk.terminal.canvas().is_some() { "\r" } else { "" };
                desk.terminal.note(format!("{begin}{STOPPING}"));
                shutdown.cancel();
            }
        }
    }
}

fn settings(args: &Args, desk: &Desk) -> Result<Loaded, Trouble> {
    let mut more = vec![("worker.enabled", "true".to_owned())];
    more.extend(args.listen.clone().map(|address| ("http.listen", address)));
    let mut loaded = desk.settings(&more)?;
    let worker = &mut loaded.settings.worker;
    worker.bindings = worker.bindings.take().map(|file| desk.folder.join(file));
    worker.base_dir =
        Some(worker.base_dir.take().map_or_else(|| desk.folder.clone(), |folder| desk.folder.join(folder)));
    if desk.globals.verbose == 0 {
        "warn".clone_into(&mut loaded.settings.log.level);
    }
    Ok(loaded)
}

/// Registers the files and folders that are named, or else those of the settings.
async fn register(
    args: &Args,
    desk: &mut Desk,
    settings: &Settings,
    engine: &Engine,
) -> Result<Vec<TemplateKey>, Trouble> {
    let named = if args.templates.is_empty() { &settings.templates.directories } else { &args.templates };
    let here = |path: &PathBuf| desk.folder.join(path);
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) =
        named.iter().map(here).partition(|path| path.is_dir());
    let environment = settings.engine.environment.clone();
    let read = read_templates(&folders, environment.as_deref())?;
    let mut templates: Vec<_> = read.into_iter().map(|file| file.template).collect();
    let reading = Reading { environment, strict: false };
    for file in &files {
        let shown = file.strip_prefix(&desk.folder).map_or_else(|_| file.clone(), Path::to_path_buf);
        templates.push(Arc::new(template_file::read(&mut desk.terminal, &shown, &desk.folder, &reading)?));
    }
    let mut keys = Vec::new();
    for template in templates {
        keys.push(template.key());
        engine.register(template, WhenTaken::Replace).await?;
    }
    Ok(keys)
}

fn announce(desk: &mut Desk, ready: &Ready, templates: &[TemplateKey]) {
    let http = ready.http.map_or_else(|| "off".to_owned(), |address| format!("http://{address}"));
    let worker = ready.worker.map_or_else(|| "off".to_owned(), |steps| format!("{steps} steps at once"));
    let submit = templates
        .first()
        .map(|key| desk.command_line(&format!("task submit {}.{}", key.namespace, key.name)));
    let templates: Vec<String> = templates.iter().map(ToString::to_string).collect();
    let templates = if templates.is_empty() {
        "none; name files or folders of them".to_owned()
    } else {
        templates.join(", ")
    };
    desk.terminal.print(format!(
        "tasker dev is ready\n  database   {}\n  http       {http}\n  worker     {worker}\n  templates  {templates}",
        ready.database
    ));
    // Nobody else can see a database in memory.
    if let Some(submit) = submit.filter(|_| ready.database != "memory:") {
        desk.terminal.note(format!("to make a task, elsewhere:  {submit}"));
    }
    desk.terminal.note("Ctrl-C stops");
}
