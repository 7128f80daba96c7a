//! `tasker task submit`: makes a task of a registered template, for workers to run.

use tasker_core::TemplateRequest;

use crate::desk::Desk;
use crate::ending::{Ending, Outcome};
use crate::request::Wishes;
use crate::{ids, request};

/// Make a task of a registered template, for workers to run.
///
/// `tasker template register FILE` registers a template, `tasker dev` runs a worker; `tasker run FILE` does it all.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The template: [NAMESPACE.]NAME[@VERSION], where the version is exact, `latest` or a range such as ^1.2.
    #[arg(value_name = "NAME[@VERSION]")]
    template: TemplateRequest,
    #[command(flatten)]
    wishes: Wishes,
    /// Print only the id of the task.
    #[arg(long)]
    id_only: bool,
}

pub(crate) async fn run(args: &Args, desk: &mut Desk) -> Outcome {
    let request = request::task(args.template.clone(), &args.wishes, desk)?;
    let engine = desk.open().await?;
    let submitted = engine.submit(request).await?;
    let id = submitted.id();
    if args.id_only {
        desk.terminal.print(id);
        return Ok(Ending::Well);
    }
    let template = ids::view(&engine, id).await?.template.key();
    desk.terminal.print(format!("{}: task {id} of {template}", request::told(submitted)));
    let show = desk.command_line(&format!("task show {}", ids::short(id)));
    desk.terminal.note(format!("to see how it goes: {show}"));
    Ok(Ending::Well)
}
