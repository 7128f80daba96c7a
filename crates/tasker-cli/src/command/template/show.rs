//! `tasker template show`: what a template says, of a file or as it is registered.

use std::path::Path;
use std::sync::Arc;

use tasker_core::{StepTemplate, TaskTemplate, TemplateRequest};

use crate::desk::Desk;
use crate::ending::{Ending, Outcome, Trouble, usage};
use crate::table::Table;
use crate::template_file::{self, Reading};
use crate::words::{count, one_line};

/// Show what a template says: its steps, their handlers, how they may fail.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A file, or the name of a registered template: [NAMESPACE.]NAME[@VERSION].
    #[arg(value_name = "FILE|NAME")]
    template: String,
    /// Print the definition as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reading: Reading,
}

pub(crate) async fn run(args: &Args, desk: &mut Desk) -> Outcome {
    let template = find(args, desk).await?;
    if args.json {
        desk.terminal.print(format!("{:#}", template.definition));
        return Ok(Ending::Well);
    }
    let (paint, columns) = (desk.terminal.paint(), desk.terminal.width());
    desk.terminal.print(format!("{}: {}", paint.bold(template.key()), count(template.steps.len(), "step")));
    if let Some(description) = &template.description {
        desk.terminal.print(one_line(description));
    }
    desk.terminal.print("");
    desk.terminal.print_all(table(&template).lines(paint, columns));
    if let Some(schema) = &template.schema {
        desk.terminal.print(format!("\ncontext: {schema:#}"));
    }
    Ok(Ending::Well)
}

async fn find(args: &Args, desk: &mut Desk) -> Result<Arc<TaskTemplate>, Trouble> {
    let file = Path::new(&args.template);
    let is_named_as_file =
        file.extension().is_some_and(|end| ["yaml", "yml", "json"].iter().any(|known| end == *known));
    if is_named_as_file || desk.folder.join(file).is_file() {
        let template = template_file::read(&mut desk.terminal, file, &desk.folder, &args.reading)?;
        return Ok(Arc::new(template));
    }
    let request = args.template.parse::<TemplateRequest>().or_else(|error| usage(error.to_string()))?;
    let engine = desk.open().await?;
    Ok(engine.resolve(&request).await?.template)
}

fn table(template: &TaskTemplate) -> Table {
    let mut table = Table::new(["STEP", "HANDLER", "ATTEMPTS", "TIMEOUT", "DEPENDS ON", "DESCRIPTION"]);
    for step in &template.steps {
        table.row(row(step));
    }
    table
}

fn row(step: &StepTemplate) -> [String; 6] {
    let depends_on: Vec<&str> = step.depends_on.iter().map(tasker_core::StepName::as_str).collect();
    [
        step.name.to_string(),
        step.handler.to_string(),
        step.retry.max_attempts().to_string(),
        step.timeout_seconds.map(|seconds| format!("{seconds} s")).unwrap_or_default(),
        depends_on.join(", "),
        step.description.as_deref().map(one_line).unwrap_or_default(),
    ]
}
