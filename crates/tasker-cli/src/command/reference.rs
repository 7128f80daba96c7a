//! `tasker reference`: what follows from the program itself, for readers and for what watches it.

mod cli;
mod transitions;

use crate::desk::Desk;
use crate::ending::Ending;

/// Print a page of the reference, as Markdown, or what Prometheus or Grafana loads.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The page.
    #[arg(value_enum)]
    page: Page,
}

/// The pages.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Page {
    /// Alerts for Prometheus.
    Alerts,
    /// Every command and its options.
    Cli,
    /// A dashboard for Grafana.
    Dashboard,
    /// Every event.
    Events,
    /// Every metric.
    Metrics,
    /// Recording rules for Prometheus.
    Recordings,
    /// Every setting.
    Settings,
    /// Every span and attribute of a trace.
    Traces,
    /// Every state, and what may follow it.
    Transitions,
}

pub(crate) fn run(args: &Args, desk: &mut Desk) -> Ending {
    let page = match args.page {
        Page::Alerts => tasker_runtime::alert_rules(),
        Page::Cli => cli::page(),
        Page::Dashboard => tasker_runtime::dashboard(),
        Page::Events => tasker_runtime::events_reference(),
        Page::Metrics => tasker_runtime::metrics_reference(),
        Page::Recordings => tasker_runtime::recording_rules(),
        Page::Settings => tasker_runtime::settings_reference(),
        Page::Traces => tasker_runtime::traces_reference(),
        Page::Transitions => transitions::page(),
    };
    desk.terminal.print(page.trim_end());
    Ending::Well
}
