//! `tasker template list`: the registered templates.

use crate::desk::Desk;
use crate::ending::{Ending, Outcome};
use crate::table::Table;
use crate::words::ago;

/// List the registered templates.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print JSON, one template a line.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: &Args, desk: &mut Desk) -> Outcome {
    let engine = desk.open().await?;
    let store = engine.store();
    let keys = store.template_keys().await?;
    if keys.is_empty() {
        desk.terminal.note("no template is registered; `tasker template register FILE` registers one");
    }
    let now = store.deadlines().await?.now;
    let mut table = Table::new(["TEMPLATE", "VERSION", "STEPS", "REGISTERED", "DESCRIPTION"]);
    for key in &keys {
        let Some(stored) = store.template(key).await? else { continue };
        if args.json {
            let steps = stored.template.steps.len();
            let digest = stored.template.digest_hex();
            desk.terminal.print(serde_json::json!({
                "namespace": key.namespace, "name": key.name, "version": key.version, "steps": steps,
                "description": stored.template.description, "digest": digest, "created_at": stored.created_at,
            }));
            continue;
        }
        table.row([
            format!("{}.{}", key.namespace, key.name),
            key.version.to_string(),
            stored.template.steps.len().to_string(),
            ago(stored.created_at, now),
            stored.template.description.clone().unwrap_or_default(),
        ]);
    }
    if !args.json && !keys.is_empty() {
        let (paint, columns) = (desk.terminal.paint(), desk.terminal.width());
        desk.terminal.print_all(table.lines(paint, columns));
    }
    Ok(Ending::Well)
}
