//! The reference page of the settings, written from their declarations.

use std::fmt::Write;

use serde_json::Value;

use super::section::Setting;
use super::{print, sections};

/// The text of `docs/reference/settings.md`.
pub fn settings_reference() -> String {
    let mut page = String::from(OPENING);
    for (about, settings) in sections() {
        let section = settings.first().map_or("", |setting| setting.section);
        writeln!(page, "\n## {section}\n\n{about}\n").expect("invariant: a String takes all");
        page.push_str("| Setting | What may be written | Default | Meaning |\n|---|---|---|---|\n");
        for setting in &settings {
            page.push_str(&row(setting));
        }
    }
    page
}

const OPENING: &str = "\
<!-- Written by `cargo xtask gen` from crates/tasker-runtime/src/settings/sections.rs. -->

# Settings

tasker-server, tasker-worker and `tasker dev` read the same settings. Each source overrules those before it:

1. the defaults below;
2. the file `tasker.toml` in the working directory, or the one that `--config` names;
3. environment variables: `worker.concurrency` is `TASKER__WORKER__CONCURRENCY`; lists are written `one,two`;
4. the command line: `--set worker.concurrency=8`.

A name that is no setting, a value of the wrong type and a number out of range are errors: nothing starts. A setting that
may be left out is taken back by an empty variable. `--print-config` shows what holds, and where it came from. Relative
paths are taken from the working directory.
";

fn row(setting: &Setting) -> String {
    let default = match &setting.default {
        Value::Null => "none".to_owned(),
        value => format!("`{}`", print::toml(&setting.key(), value)),
    };
    let range = setting.range.map(|(low, high)| format!(", {low} to {high}")).unwrap_or_default();
    let (name, expected) = (setting.name, setting.kind.expected());
    format!("| `{name}` | {expected}{range} | {default} | {} |\n", setting.doc)
}
