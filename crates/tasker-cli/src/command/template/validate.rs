//! `tasker template validate`: everything that is wrong with template files.

use std::path::PathBuf;

use tasker_core::{Problem, TaskTemplate};

use crate::desk::Desk;
use crate::ending::Ending;
use crate::template_file::{self, Reading};
use crate::words::count;

/// Check template files.
///
/// Every problem is told with its file, its line and what to do about it. Warnings do not fail the check, unless
/// --strict makes errors of them.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The template files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    reading: Reading,
}

pub(crate) fn run(args: &Args, desk: &mut Desk) -> Ending {
    let paint = desk.terminal.paint();
    let mut refused = 0;
    for file in &args.files {
        let (problems, verdict) = match template_file::parse(file, &desk.folder, &args.reading) {
            Ok(parsed) => (parsed.warnings, Some(summary(&parsed.template))),
            Err(problems) => (problems, None),
        };
        for problem in &problems {
            desk.terminal.print(template_file::line(problem, paint));
        }
        match verdict {
            Some(summary) => {
                desk.terminal.print(format!("{}: {summary}{}", file.display(), warnings(&problems)));
            }
            None => refused += 1,
        }
    }
    if refused == 0 {
        return Ending::Well;
    }
    let files = count(args.files.len(), "file");
    desk.terminal.complain(format!("{refused} of {files} cannot be used as a template"));
    Ending::Usage
}

fn summary(template: &TaskTemplate) -> String {
    let (steps, edges) = (template.steps.len(), template.dependencies().edge_count());
    let dependencies = if edges == 1 { "dependency" } else { "dependencies" };
    format!("{} is a template of {}, {edges} {dependencies}", template.key(), count(steps, "step"))
}

fn warnings(problems: &[Problem]) -> String {
    if problems.is_empty() { String::new() } else { format!(" ({})", count(problems.len(), "warning")) }
}
