//! `tasker template analyze`: what the shape of a template says before anything runs.

use std::path::PathBuf;

use tasker_core::{GraphAnalysis, TaskTemplate, analyze};

use crate::desk::Desk;
use crate::ending::{Ending, Outcome};
use crate::template_file::{self, Reading};
use crate::words::{count, cut};

/// Show what the shape of a template says: levels, roots, leaves, the longest path.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The template file.
    file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reading: Reading,
}

pub(crate) fn run(args: &Args, desk: &mut Desk) -> Outcome {
    let template = template_file::read(&mut desk.terminal, &args.file, &desk.folder, &args.reading)?;
    let analysis = analyze(&template);
    if args.json {
        desk.terminal.print(format!("{:#}", serde_json::json!(analysis)));
        return Ok(Ending::Well);
    }
    let columns = desk.terminal.width();
    for line in lines(&template, &analysis.graph) {
        desk.terminal.print(cut(&line, columns));
    }
    Ok(Ending::Well)
}

fn lines(template: &TaskTemplate, graph: &GraphAnalysis) -> Vec<String> {
    let summary = graph.summary;
    let path = &graph.critical_path;
    let mut lines = vec![
        format!("{}: {}", template.key(), count(summary.total_steps, "step")),
        format!("  dependencies  {}", summary.total_dependencies),
        format!("  roots         {}", graph.roots.join(", ")),
        format!("  leaves        {}", graph.leaves.join(", ")),
        format!("  widest level  {}", count(graph.widest_level, "step")),
        format!("  paths         {}", graph.paths),
        format!("  longest path  {} ({})", path.join(" → "), count(path.len(), "step")),
    ];
    for level in 0..=summary.max_depth {
        let of_level = graph.topology.iter().filter(|step| graph.levels.get(*step) == Some(&level));
        let names: Vec<&str> = of_level.map(String::as_str).collect();
        lines.push(format!("  level {level:<7} {}", names.join(", ")));
    }
    lines
}
