//! The command as a function of its arguments and of what is outside.

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tasker_runtime::without_secrets;

use crate::args::{Cli, Globals};
use crate::desk::Desk;
use crate::ending::Ending;
use crate::outside::Outside;
use crate::paint::Paint;

/// What still runs in the background when a command has ended gets so long to end as well.
const FAREWELL: Duration = Duration::from_secs(1);

/// Runs the command that `args` name; the first of them is the name of the program.
pub fn run(args: impl IntoIterator<Item = OsString>, outside: Outside) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    match Cli::try_parse_from(&args) {
        Ok(cli) => carry_out(&cli, outside).into(),
        Err(error) => {
            let no_color = args.iter().any(|arg| arg == "--no-color");
            tell(&error, &args, outside, Globals { no_color, ..Globals::default() }).into()
        }
    }
}

fn carry_out(cli: &Cli, outside: Outside) -> Ending {
    let mut desk = Desk::new(outside, cli.globals.clone());
    let outcome = match tokio::runtime::Runtime::new() {
        Ok(runtime) => {
            let outcome = runtime.block_on(async {
                let outcome = cli.command.run(&mut desk).await;
                desk.close().await;
                outcome
            });
            runtime.shutdown_timeout(FAREWELL);
            outcome
        }
        Err(error) => Err(anyhow::Error::new(error).context("the runtime cannot be started").into()),
    };
    desk.conclude(outcome)
}

/// Tells what is wrong with the arguments, or the help that was asked for.
fn tell(error: &clap::Error, args: &[OsString], outside: Outside, globals: Globals) -> Ending {
    let mut terminal = Desk::new(outside, globals).terminal;
    let text = error.render();
    let drawn = |paint| {
        let text = if paint == Paint::PLAIN { text.to_string() } else { text.ansi().to_string() };
        masked(text, args)
    };
    if error.use_stderr() {
        let text = drawn(terminal.paint_notes());
        terminal.complain(text.trim_end());
        Ending::Usage
    } else {
        let text = drawn(terminal.paint());
        terminal.print(text.trim_end());
        Ending::Well
    }
}

/// A complaint about arguments, which repeats them, without the secrets in them.
fn masked(text: String, args: &[OsString]) -> String {
    let words = args.iter().filter_map(|arg| arg.to_str());
    let words = words.flat_map(|arg| [Some(arg), arg.split_once('=').map(|(_, value)| value)]).flatten();
    words.fold(text, |text, word| match without_secrets(word) {
        shown if shown == word => text,
        shown => text.replace(word, &shown),
    })
}
