//! The server binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    tasker_server::main()
}
