//! The command line of the binary.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tasker_runtime::{EXIT_CODES, Loaded, RunError, SettingsArgs, Telemetry, print_config, run_program};

use crate::ready::Ready;
use crate::worker::Worker;

/// A Tasker worker: runs steps with the built-in handlers and those that a file of bindings names.
#[derive(Debug, Parser)]
#[command(name = "tasker-worker", version, max_term_width = 100, after_help = EXIT_CODES)]
struct Args {
    #[command(flatten)]
    settings: SettingsArgs,
    /// A queue to serve; may be given many times.
    #[arg(long, value_name = "NAME")]
    queue: Vec<String>,
    /// How many steps to run at once.
    #[arg(long, value_name = "STEPS")]
    concurrency: Option<u32>,
    /// A YAML or JSON file that binds names of handler classes to built-in handlers.
    #[arg(long, value_name = "FILE")]
    bindings: Option<PathBuf>,
    /// The address at which to answer health checks and scrapers; port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    health_listen: Option<String>,
}

/// Runs the binary, and says how it ended.
pub fn main() -> ExitCode {
    let args = Args::parse();
    match prepare(&args) {
        Ok(Some(loaded)) => run_program("tasker-worker", async |shutdown| {
            let telemetry = Telemetry::begin(&loaded.settings)?;
            Worker::new(loaded.settings).telemetry(telemetry).when_ready(announce).run(shutdown).await
        }),
        Ok(None) => ExitCode::SUCCESS,
        Err(error) => error.conclude("tasker-worker"),
    }
}

/// The settings to run with, or none if they were only to be printed.
fn prepare(args: &Args) -> Result<Option<Loaded>, RunError> {
    let loaded = args.settings.load(overrides(args))?;
    if args.settings.print_config {
        // Whoever closed standard output does not want to read on.
        let _ = std::io::stdout().write_all(print_config(&loaded).as_bytes());
        return Ok(None);
    }
    Ok(Some(loaded))
}

fn overrides(args: &Args) -> Vec<(String, String)> {
    let queues = (!args.queue.is_empty()).then(|| args.queue.join(","));
    let given = [
        ("worker.queues", queues),
        ("worker.concurrency", args.concurrency.map(|steps| steps.to_string())),
        ("worker.bindings", args.bindings.as_ref().map(|file| file.display().to_string())),
        ("worker.health_listen", args.health_listen.clone()),
    ];
    given.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

fn announce(ready: &Ready) {
    let _ = writeln!(std::io::stdout(), "tasker-worker {} ready: {ready}", env!("CARGO_PKG_VERSION"));
}
