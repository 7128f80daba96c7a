//! The frame of a binary: its runtime, its signals, its exit code.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::num::NonZero;
use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::error::RunError;

/// One thread for each core, within these bounds. A thread that idles costs some 60 kB of memory and no time; more than
/// a few wait for the database anyway.
const FEWEST_THREADS: usize = 2;
const MOST_THREADS: usize = 8;

/// What still runs is dropped at the end, which ends the programs that commands have started; that takes no longer.
const FAREWELL: Duration = Duration::from_millis(500);

/// What the exit codes of the binaries mean, as their help tells it.
pub const EXIT_CODES: &str = "\
Exit codes:
  0    stopped in order, by SIGTERM or Ctrl-C
  1    failed at run time: an address in use, a database that refuses
  2    wrong flags, settings, bindings or templates
  70   a part of the process failed, and all else was stopped in order: please report it
  75   the database could not be reached; trying again later may help
  130  stopped at once by a second Ctrl-C";

/// Runs a program until it ends, and says how. SIGTERM and Ctrl-C cancel its token, so that it can stop in order; a
/// further Ctrl-C stops it at once.
///
/// Whatever is wrong is told on standard error, after the program's name.
pub fn run_program<F>(name: &str, program: impl FnOnce(CancellationToken) -> F) -> ExitCode
where
    F: Future<Output = Result<(), RunError>>,
{
    log_panics();
    let result = runtime().and_then(|runtime| {
        let result = runtime.block_on(until_interrupted(program));
        runtime.shutdown_timeout(FAREWELL);
        result
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.conclude(name),
    }
}

/// Lets panics be lines of the log, in its form. Those of handlers are caught and told of as failures as well.
fn log_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !tracing::enabled!(tracing::Level::ERROR) {
            return usual(panic);
        }
        let message = panic.payload_as_str().unwrap_or("without words");
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            tracing::error!(place, %backtrace, "a panic: {message}");
        } else {
            tracing::error!(place, "a panic: {message}");
        }
    }));
}

fn runtime() -> Result<tokio::runtime::Runtime, RunError> {
    let cores = std::thread::available_parallelism().map_or(FEWEST_THREADS, NonZero::get);
    let threads = cores.clamp(FEWEST_THREADS, MOST_THREADS);
    let built = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build();
    built.map_err(|source| RunError::Start { action: "start the runtime".to_owned(), source: source.into() })
}

async fn until_interrupted<F>(program: impl FnOnce(CancellationToken) -> F) -> Result<(), RunError>
where
    F: Future<Output = Result<(), RunError>>,
{
    let mut signals = Signals::listen()?;
    let shutdown = CancellationToken::new();
    tokio::select! {
        result = program(shutdown.clone()) => result,
        () = signals.second_interrupt(&shutdown) => Err(RunError::Interrupted),
    }
}

/// The signals that ask a process to stop.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> Result<Self, RunError> {
        let listen = |kind| {
            let failed = |source: std::io::Error| {
                let action = "listen for signals".to_owned();
                RunError::Start { action, source: source.into() }
            };
            signal(kind).map_err(failed)
        };
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// Cancels `shutdown` on the first signal, and returns on a Ctrl-C after that.
    async fn second_interrupt(&mut self, shutdown: &CancellationToken) {
        loop {
            let is_interrupt = tokio::select! {
                _ = self.terminate.recv() => false,
                _ = self.interrupt.recv() => true,
            };
            if is_interrupt && shutdown.is_cancelled() {
                return;
            }
            if !shutdown.is_cancelled() {
                let how = if is_interrupt { "Ctrl-C; a second one stops at once" } else { "SIGTERM" };
                tracing::info!("stopping in order after {how}");
                shutdown.cancel();
            }
        }
    }
}
