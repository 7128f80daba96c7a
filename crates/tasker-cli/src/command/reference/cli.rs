//! The page of commands and options, from the definitions that also make `--help`.

use clap::{Arg, ArgAction, Command, CommandFactory};

use crate::args::{Cli, ENDING};

const OPENING: &str = "\
<!-- Written by `cargo xtask gen` from crates/tasker-cli. -->

# The `tasker` command
";

/// The page.
pub(super) fn page() -> String {
    let mut root = Cli::command();
    root.build();
    let mut page = String::from(OPENING);
    push(&mut page, &about(&root));
    push(&mut page, "## Options of every command");
    push(&mut page, &options(root.get_arguments().filter(|arg| arg.is_global_set() && !is_built_in(arg))));
    let codes = ENDING.split_once("Exit codes:\n").map_or("", |(_, codes)| codes);
    push(&mut page, "## Exit codes");
    push(&mut page, &codes.lines().map(exit_code).collect::<Vec<_>>().join("\n"));
    for command in visible(&root) {
        describe(&mut page, command);
    }
    page
}

fn describe(page: &mut String, command: &Command) {
    let name = command.get_bin_name().unwrap_or(command.get_name());
    let children: Vec<&Command> = visible(command).collect();
    push(page, &format!("## `{name}`"));
    push(page, &about(command));
    if children.is_empty() {
        let usage = command.clone().render_usage().to_string();
        push(page, &format!("```\n{}\n```", usage.trim_start_matches("Usage: ")));
        let own = command.get_arguments().filter(|arg| !arg.is_global_set() && !is_built_in(arg));
        push(page, &options(own));
    }
    for child in children {
        describe(page, child);
    }
}

fn options<'a>(args: impl Iterator<Item = &'a Arg>) -> String {
    let rows: Vec<String> = args.filter(|arg| !arg.is_hide_set()).map(row).collect();
    if rows.is_empty() { String::new() } else { format!("| | |\n|---|---|\n{}", rows.join("\n")) }
}

fn row(arg: &Arg) -> String {
    let value = arg.get_value_names().unwrap_or_default().first().map(|name| format!("<{name}>"));
    let value = value.filter(|_| arg.get_action().takes_values());
    let flag = match (arg.get_short(), arg.get_long()) {
        (Some(short), Some(long)) => format!("-{short}, --{long}"),
        (Some(short), None) => format!("-{short}"),
        (None, Some(long)) => format!("--{long}"),
        (None, None) => String::new(),
    };
    let name = format!("{flag} {}", value.unwrap_or_default());
    let help = arg.get_long_help().or_else(|| arg.get_help()).map(ToString::to_string).unwrap_or_default();
    let choices: Vec<String> =
        arg.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
    let choices = match arg.get_action() {
        ArgAction::Set | ArgAction::Append if !choices.is_empty() => {
            format!(" One of {}.", choices.join(", "))
        }
        _ => String::new(),
    };
    let default: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    let default = if default.is_empty() || !arg.get_action().takes_values() {
        String::new()
    } else {
        format!(" Default: `{}`.", default.join(","))
    };
    let help = format!("{}{choices}{default}", ended(&help))
        .replace('|', "\\|")
        .replace("\n\n", " ")
        .replace('\n', " ");
    format!("| `{}` | {help} |", name.trim().replace('|', "\\|"))
}

/// `  0    it is done` as an item of a list.
fn exit_code(line: &str) -> String {
    let (code, meaning) = line.trim().split_once(' ').unwrap_or((line, ""));
    format!("- `{code}`: {}", meaning.trim())
}

fn about(command: &Command) -> String {
    let about = command.get_long_about().or_else(|| command.get_about());
    about.map(|text| ended(&text.to_string())).unwrap_or_default()
}

/// clap leaves out the full stop at the end of a short help.
fn ended(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() || text.ends_with(['.', ':', '`']) { text.to_owned() } else { format!("{text}.") }
}

fn visible(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|command| !command.is_hide_set() && command.get_name() != "help")
}

fn is_built_in(arg: &Arg) -> bool {
    matches!(arg.get_id().as_str(), "help" | "version")
}

fn push(page: &mut String, paragraph: &str) {
    if !paragraph.is_empty() {
        page.push('\n');
        page.push_str(paragraph);
        page.push('\n');
    }
}
