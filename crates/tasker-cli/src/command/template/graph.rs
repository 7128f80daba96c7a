//! `tasker template graph`: a template as a picture, in text for a program that draws.

use std::path::PathBuf;

use crate::desk::Desk;
use crate::drawing::{dot, mermaid};
use crate::ending::{Ending, Outcome};
use crate::template_file::{self, Reading};

/// Draw a template as a graph.
///
/// For a picture: tasker template graph FILE --format dot | dot -Tsvg > graph.svg
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The template file.
    file: PathBuf,
    /// In which language.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    reading: Reading,
}

/// The languages graphs can be written in.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Format {
    /// A Mermaid flowchart, which many Markdown viewers draw.
    #[default]
    Mermaid,
    /// The language of Graphviz.
    Dot,
}

pub(crate) fn run(args: &Args, desk: &mut Desk) -> Outcome {
    let template = template_file::read(&mut desk.terminal, &args.file, &desk.folder, &args.reading)?;
    desk.terminal.print(match args.format {
        Format::Mermaid => mermaid::draw(&template),
        Format::Dot => dot::draw(&template),
    });
    Ok(Ending::Well)
}
