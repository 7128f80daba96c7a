//! `tasker init`: a folder with a workflow that runs at once.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::desk::Desk;
use crate::ending::{Ending, Outcome, usage};
use crate::words::shell_word;

/// Make a project: a folder with a workflow that runs at once.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder; made if it is not there.
    #[arg(default_value = ".")]
    dir: PathBuf,
}

/// The files of a project.
const FILES: [(&str, &str); 4] = [
    ("templates/order.yaml", include_str!("init/order.yaml")),
    ("bindings.yaml", include_str!("init/bindings.yaml")),
    ("tasker.toml", include_str!("init/tasker.toml")),
    ("README.md", include_str!("init/README.md")),
];
/// Written if there is none.
const GITIGNORE: (&str, &str) = (".gitignore", ".tasker/\n");

pub(crate) fn run(args: &Args, desk: &mut Desk) -> Outcome {
    let folder = desk.folder.join(&args.dir);
    let taken: Vec<&str> =
        FILES.iter().map(|(file, _)| *file).filter(|file| folder.join(file).exists()).collect();
    if !taken.is_empty() {
        let dir = args.dir.display();
        let files = taken.join(", ");
        return usage(format!(
            "{files} would be overwritten in {dir}: name a folder that is new or empty, as in tasker init demo"
        ));
    }
    let ignored = Some(GITIGNORE).filter(|(file, _)| !folder.join(file).exists());
    for (file, text) in FILES.into_iter().chain(ignored) {
        write(&folder.join(file), text)
            .with_context(|| format!("cannot write {}", args.dir.join(file).display()))?;
        desk.terminal.print(format!("wrote {}", args.dir.join(file).display()));
    }
    let enter = if args.dir == Path::new(".") {
        String::new()
    } else {
        format!("cd {} && ", shell_word(&args.dir.display().to_string()))
    };
    desk.terminal.note(format!("\nnow run it: {enter}tasker run"));
    Ok(Ending::Well)
}

fn write(file: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    // `create_new` so that nothing is overwritten, whatever happened since the look.
    io::Write::write_all(&mut fs::File::create_new(file)?, text.as_bytes())
}
