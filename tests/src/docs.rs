//! Runs the commands that the documentation shows, and holds what they print against what it says.
//!
//! In a fenced block marked `console`, a line that begins with `$ ` is a command and the lines after it are
//! what it prints; a line `…` stands for any number of lines, and a block without output lines only has to
//! succeed. `# exit N` at the end of a command line says that it ends with that code. A block marked
//! `LANGUAGE file=PATH` is a file that is written first. One page is one session in one temporary folder
//! that has the repository's `docs/examples`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use regex::Regex;

/// What a page tells the reader to do, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passage {
    /// Write a file.
    File {
        /// Where, relative to the session's folder.
        path: String,
        /// What.
        text: String,
    },
    /// Run a command.
    Command {
        /// For the shell.
        line: String,
        /// The exit code.
        code: i32,
        /// What it prints, if the page says.
        output: Vec<String>,
    },
}

/// What `page` tells the reader to do.
pub fn passages(page: &str) -> Vec<Passage> {
    let mut passages = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(mark) = line.trim_start().strip_prefix("```") else { continue };
        let block: Vec<&str> =
            lines.by_ref().take_while(|line| !line.trim_start().starts_with("```")).collect();
        if let Some((_, path)) = mark.split_once("file=") {
            passages.push(Passage::File { path: path.trim().to_owned(), text: block.join("\n") + "\n" });
        } else if mark.trim() == "console" {
            passages.extend(commands(&block));
        }
    }
    passages
}

fn commands(block: &[&str]) -> Vec<Passage> {
    let mut commands: Vec<Passage> = Vec::new();
    for line in block {
        if let Some(command) = line.strip_prefix("$ ") {
            let (line, code) = match command.rsplit_once("# exit ") {
                Some((line, code)) => (line.trim(), code.trim().parse().unwrap_or(-1)),
                None => (command, 0),
            };
            commands.push(Passage::Command { line: line.to_owned(), code, output: Vec::new() });
        } else if let Some(Passage::Command { output, .. }) = commands.last_mut() {
            output.push((*line).to_owned());
        }
    }
    commands
}

/// Does in `folder` what a page says, with the binaries in `binaries` on the path.
///
/// # Errors
///
/// The first command that ends or prints otherwise than the page says.
pub fn follow(page: &str, folder: &Path, binaries: &Path) -> Result<usize> {
    let passages = passages(page);
    for passage in &passages {
        match passage {
            Passage::File { path, text } => {
                let path = folder.join(path);
                fs::create_dir_all(path.parent().context("a file has a folder")?)?;
                fs::write(&path, text)?;
            }
            Passage::Command { line, code, output } => run(line, *code, output, folder, binaries)?,
        }
    }
    Ok(passages.len())
}

/// The page with what its commands really print, where it shows output without a gap.
///
/// # Errors
///
/// The first command that ends otherwise than the page says.
pub fn renew(page: &str, folder: &Path, binaries: &Path) -> Result<String> {
    let mut renewed = String::new();
    let mut passages = passages(page).into_iter();
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        writeln!(renewed, "{line}")?;
        let Some(mark) = line.trim_start().strip_prefix("```") else { continue };
        let is_console = mark.trim() == "console";
        let is_file = mark.contains("file=");
        if is_file && let Some(Passage::File { path, text }) = passages.next() {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().context("a file has a folder")?)?;
            fs::write(&path, text)?;
        }
        while let Some(line) = lines.next_if(|line| !line.trim_start().starts_with("```")) {
            let is_command = line.starts_with("$ ");
            if !is_console || is_command {
                writeln!(renewed, "{line}")?;
            }
            if !(is_console && is_command) {
                continue;
            }
            let Some(Passage::Command { line, code, output }) = passages.next() else {
                bail!("passages differ")
            };
            let printed = execute(&line, code, folder, binaries)?;
            let keeps_its_gaps = output.iter().any(|line| line.trim() == "…");
            let shown = match output.iter().all(|line| line.trim().is_empty()) {
                true => String::new(),
                false if keeps_its_gaps => output.join("\n") + "\n",
                false => printed.lines().map(|line| line.trim_end().to_owned() + "\n").collect(),
            };
            renewed += &shown;
        }
        if let Some(end) = lines.next() {
            writeln!(renewed, "{end}")?;
        }
    }
    Ok(renewed)
}

fn run(line: &str, code: i32, expected: &[String], folder: &Path, binaries: &Path) -> Result<()> {
    let printed = execute(line, code, folder, binaries)?;
    if expected.iter().all(|line| line.trim().is_empty()) {
        return Ok(());
    }
    let printed_lines: Vec<_> = printed.lines().map(plain).collect();
    let expected_lines: Vec<_> = expected.iter().map(|line| plain(line)).collect();
    if !matches(&expected_lines, &printed_lines) {
        let mut message = format!("{line:?} prints otherwise than the page says; it prints:\n");
        for line in printed.lines() {
            writeln!(message, "    {line}")?;
        }
        bail!(message);
    }
    Ok(())
}

/// Runs a command in the shell and returns what it prints.
#[expect(clippy::disallowed_methods, reason = "the commands of a page run in the environment of the test")]
fn execute(line: &str, code: i32, folder: &Path, binaries: &Path) -> Result<String> {
    // A reader builds with cargo; here the binaries are built already.
    let command =
        line.replace("cargo tasker ", "tasker ").replace("cargo run -q -p example-orders", "shop-stub");
    let path = format!("{}:{}", binaries.display(), std::env::var("PATH").unwrap_or_default());
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1; {command}")])
        .current_dir(folder)
        .env("PATH", path)
        .env("NO_COLOR", "1")
        .output()
        .with_context(|| format!("cannot run {line:?}"))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.code() == Some(code),
        "{line:?} ended with {} and not with {code}:\n{printed}",
        output.status
    );
    Ok(printed)
}

/// A line without what differs from run to run: times, durations, ids, runs of spaces, where it is cut.
fn plain(line: &str) -> String {
    const RULES: [(&str, &str); 6] = [
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "ID"),
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?", "TIME"),
        (r"\b\d\d:\d\d:\d\d(\.\d+)?", "TIME"),
        (r"\b\d+(\.\d+)? ?(µs|ms|s)\b", "DURATION"),
        (r"\b[0-9a-f]{7}\b", "ID"),
        (r" +", " "),
    ];
    let mut plain = line.trim_end().to_owned();
    for (pattern, word) in RULES {
        let pattern = Regex::new(pattern).expect("invariant: the patterns are constant");
        plain = pattern.replace_all(&plain, word).into_owned();
    }
    if plain.ends_with('…') && plain.trim() != "…" {
        // Where a line is cut depends on the widths of what stands before.
        plain = plain.chars().take(40).collect();
    }
    plain
}

fn matches(expected: &[String], printed: &[String]) -> bool {
    match expected.split_first() {
        None => printed.iter().all(String::is_empty),
        Some((gap, rest)) if gap.trim() == "…" => {
            (0..=printed.len()).any(|skipped| matches(rest, &printed[skipped..]))
        }
        Some((line, rest)) => match printed.split_first() {
            Some((first, others)) => first == line && matches(rest, others),
            None => line.is_empty() && matches(rest, printed),
        },
    }
}

/// Copies a folder with everything in it, except what was made by running it.
///
/// # Errors
///
/// Those of the file system.
pub fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target: PathBuf = to.join(entry.file_name());
        if entry.file_name() == ".tasker" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(plain).collect()
    }

    #[test]
    fn a_page_is_files_and_commands() {
        let page = "x\n```yaml file=a.yaml\nname: a\n```\n```console\n$ tasker run a.yaml\ndone\n$ false # exit 1\n```\n";
        let expected = vec![
            Passage::File { path: "a.yaml".into(), text: "name: a\n".into() },
            Passage::Command { line: "tasker run a.yaml".into(), code: 0, output: vec!["done".into()] },
            Passage::Command { line: "false".into(), code: 1, output: vec![] },
        ];
        assert_eq!(passages(page), expected);
    }

    #[test]
    fn times_and_ids_may_differ_and_words_may_not() {
        let page = lines("12:00:01.123 extract complete 1.2 s\n…\ndone 0199c2a4-5b1e-7c3d-9a4f-2e6b1c800000");
        let printed =
            "13:10:09.003 extract  complete  40 ms\na\nb\ndone 0199c2a4-5b1e-7c3d-9a4f-2e6b1c800001";
        assert!(matches(&page, &lines(printed)));
        assert!(!matches(&page, &lines(&printed.replace("complete", "error"))));
        assert!(!matches(&page, &lines("")));
    }
}
