//! The `tasker` command.

use std::process::ExitCode;

use tasker_cli::Outside;

fn main() -> ExitCode {
    match Outside::of_process() {
        Ok(outside) => tasker_cli::run(std::env::args_os(), outside),
        Err(error) => {
            eprintln!("error: the current folder cannot be read: {error}");
            ExitCode::FAILURE
        }
    }
}
