//! `tasker template register`: stores a template, so that tasks can be made of it by name.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use tasker_engine::EngineError;
use tasker_store::WhenTaken;

use crate::desk::Desk;
use crate::ending::{Ending, Outcome};
use crate::template_file::{self, Reading};

/// Store templates, so that tasks can be made of them by name.
///
/// A version is a promise: the same version with other content is refused, unless --replace lets it take the place of
/// the old one for new tasks. Tasks that exist keep what they were made with.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The template files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Take the place of another content of the same version.
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    reading: Reading,
}

pub(crate) async fn run(args: &Args, desk: &mut Desk) -> Outcome {
    let settings = desk.settings(&[])?.settings;
    let reading = args.reading.or(settings.engine.environment.as_deref());
    let mut templates = Vec::new();
    for file in &args.files {
        templates.push(template_file::read(&mut desk.terminal, file, &desk.folder, &reading)?);
    }
    let engine = desk.engine(&settings).await?;
    let when_taken = if args.replace { WhenTaken::Replace } else { WhenTaken::Refuse };
    for template in templates {
        let key = template.key();
        match engine.register(Arc::new(template), when_taken).await {
            Ok(_) => desk.terminal.print(format!("registered {key}")),
            Err(error @ EngineError::Template(_)) => {
                Err(error).context("write a new version into the file, or repeat with --replace")?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Ending::Well)
}
