//! The command line of the binary.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use tasker_runtime::{EXIT_CODES, Loaded, RunError, SettingsArgs, Telemetry, print_config, run_program};

use crate::ready::Ready;
use crate::server::Server;

/// The Tasker server: agents, health over HTTP and, if asked for, a worker.
#[derive(Debug, Parser)]
#[command(name = "tasker-server", version, max_term_width = 100, after_help = EXIT_CODES)]
struct Args {
    #[command(flatten)]
    settings: SettingsArgs,
    /// The address to listen at; port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Runs a worker in this process as well.
    #[arg(long)]
    worker: bool,
}

/// Runs the binary, and says how it ended.
pub fn main() -> ExitCode {
    let args = Args::parse();
    match prepare(&args) {
        Ok(Some(loaded)) => run_program("tasker-server", async |shutdown| {
            let telemetry = Telemetry::begin(&loaded.settings)?;
            Server::new(loaded.settings).telemetry(telemetry).when_ready(announce).run(shutdown).await
        }),
        Ok(None) => ExitCode::SUCCESS,
        Err(error) => error.conclude("tasker-server"),
    }
}

/// The settings to run with, or none if they were only to be printed.
fn prepare(args: &Args) -> Result<Option<Loaded>, RunError> {
    let mut more = Vec::new();
    more.extend(args.listen.clone().map(|address| ("http.listen".to_owned(), address)));
    more.extend(args.worker.then(|| ("worker.enabled".to_owned(), "true".to_owned())));
    let loaded = args.settings.load(more)?;
    if args.settings.print_config {
        // Whoever closed standard output does not want to read on.
        let _ = std::io::stdout().write_all(print_config(&loaded).as_bytes());
        return Ok(None);
    }
    Ok(Some(loaded))
}

fn announce(ready: &Ready) {
    let _ = writeln!(std::io::stdout(), "tasker-server {} ready: {ready}", env!("CARGO_PKG_VERSION"));
}
