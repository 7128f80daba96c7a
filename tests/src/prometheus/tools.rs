//! Programs that `cargo xtask test` finds for the tests.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, ensure};

/// Reads standard input with one of the parsers of Python's `prometheus_client`, and prints how many samples there were.
const PARSE: &str = "\
import sys
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics
parse = {'text': parser, 'openmetrics': openmetrics}[sys.argv[1]].text_string_to_metric_families
print(sum(len(family.samples) for family in parse(sys.stdin.read())))
";

/// The path that a variable names.
///
/// # Errors
///
/// If it is not set; the message says how to get the tool.
#[expect(clippy::disallowed_methods, reason = "set by cargo xtask test")]
pub fn tool(variable: &str) -> Result<PathBuf> {
    let path = std::env::var(variable);
    let remedy =
        || format!("{variable} is not set: run `cargo xtask test`, which says what is missing if it is");
    Ok(path.with_context(remedy)?.into())
}

/// Runs promtool with `input` as its standard input, and returns what it prints.
///
/// # Errors
///
/// What promtool complains of.
pub fn promtool(arguments: &[&str], input: &str) -> Result<String> {
    let mut command = Command::new(tool("TASKER_TEST_PROMTOOL")?);
    command.args(arguments);
    let output = fed(&mut command, input)?;
    let printed = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    ensure!(output.status.success(), "promtool {arguments:?} ended with {}: {printed}", output.status);
    Ok(printed)
}

/// How many samples Python's parser of a format, `text` or `openmetrics`, finds in a page.
///
/// # Errors
///
/// What the parser complains of.
pub fn parse_with_python(format: &str, page: &str) -> Result<usize> {
    let mut command = Command::new("python3");
    command.args(["-c", PARSE, format]).env("PYTHONPATH", tool("TASKER_TEST_PROMETHEUS_CLIENT")?);
    let output = fed(&mut command, page)?;
    ensure!(output.status.success(), "{format}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

fn fed(command: &mut Command, input: &str) -> Result<Output> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child =
        command.spawn().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let mut pipe = child.stdin.take().context("it has a standard input")?;
    // One that does not read to the end says why when it ends.
    let _ = pipe.write_all(input.as_bytes());
    drop(pipe);
    Ok(child.wait_with_output()?)
}
