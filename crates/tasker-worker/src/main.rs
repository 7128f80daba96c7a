//! The worker binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    tasker_worker::main()
}
