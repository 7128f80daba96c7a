//! `tasker reference`: the pages of docs/reference that follow from the program itself.

mod cli;
mod transitions;

use crate::desk::Desk;
use crate::ending::Ending;

/// Print a page of the reference, as Markdown.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The page.
    #[arg(value_enum)]
    page: Page,
}

/// The pages.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Page {
    /// Every command and its options.
    Cli,
    /// Every event.
    Events,
    /// Every metric.
    Metrics,
    /// Every setting.
    Settings,
    /// Every state, and what may follow it.
    Transitions,
}

pub(crate) fn run(args: &Args, desk: &mut Desk) -> Ending {
    let page = match args.page {
        Page::Cli => cli::page(),
        Page::Events => tasker_runtime::events_reference(),
        Page::Metrics => tasker_runtime::metrics_reference(),
        Page::Settings => tasker_runtime::settings_reference(),
        Page::Transitions => transitions::page(),
    };
    desk.terminal.print(page.trim_end());
    Ending::Well
}
