//! What every command works with: the terminal, the folder, who is asking, the settings, the store.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tasker_core::Clock;
use tasker_engine::Engine;
use tasker_runtime::{
    DEFAULT_FILE, Database, Loaded, LogError, LogSettings, RunError, Settings, Sources, Telemetry, Tracing,
    init_logging, without_secrets,
};
use tokio::time::timeout;

use crate::args::Globals;
use crate::ending::{Ending, Outcome, Trouble, usage};
use crate::outside::Outside;
use crate::paint::Colour;
use crate::terminal::{Terminal, Volume};
use crate::words::{one_line, shell_word};

/// A database is given so long to close.
const PATIENCE: Duration = Duration::from_secs(5);

/// What every command works with.
pub(crate) struct Desk {
    /// Where it writes.
    pub(crate) terminal: Terminal,
    /// The current folder, which relative paths begin at.
    pub(crate) folder: PathBuf,
    /// Standard input.
    pub(crate) input: Box<dyn Read + Send>,
    /// Who is asking.
    pub(crate) user: String,
    /// Tells the time.
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) globals: Globals,
    pub(crate) variables: Vec<(String, String)>,
    /// The traces of what this process runs, if the settings want any.
    pub(crate) traces: Option<Arc<Tracing>>,
    /// What is to be closed at the end.
    database: Option<Database>,
}

impl Desk {
    pub(crate) fn new(outside: Outside, globals: Globals) -> Self {
        let user = outside.user();
        let is_dumb = outside.variable("TERM") == Some("dumb");
        let colour = !globals.no_color && !is_dumb && outside.variable("NO_COLOR").is_none();
        let volume = match (globals.quiet, is_dumb || globals.verbose > 0) {
            (true, _) => Volume::Quiet,
            (false, true) => Volume::Lines,
            (false, false) => Volume::Normal,
        };
        Self {
            terminal: Terminal::new(outside.output, outside.errors, volume, colour),
            folder: outside.folder,
            input: outside.input,
            user,
            clock: outside.clock,
            globals,
            variables: outside.variables,
            traces: None,
            database: None,
        }
    }

    /// An environment variable.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.iter().find(|(variable, _)| variable == name).map(|(_, value)| value.as_str())
    }

    /// The settings that hold, with `more` over all others.
    pub(crate) fn settings(&self, more: &[(&str, String)]) -> Result<Loaded, Trouble> {
        let default_file = || Some(self.folder.join(DEFAULT_FILE)).filter(|file| file.exists());
        let file = self.globals.config.as_ref().map(|file| self.folder.join(file)).or_else(default_file);
        let mut overrides = self.globals.set.clone();
        overrides.extend(self.globals.database.clone().map(|url| ("database.url".to_owned(), url)));
        overrides.extend(more.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        let sources = Sources { file, environment: self.variables.clone(), overrides };
        let mut loaded = Settings::load(&sources)?;
        let url = &mut loaded.settings.database.url;
        *url = in_folder(url, &self.folder);
        Ok(loaded)
    }

    /// An engine on the store that the settings name.
    pub(crate) async fn engine(&mut self, settings: &Settings) -> Result<Engine, Trouble> {
        Self::start_log(&self.log_settings())?;
        let database = Database::open(&settings.database).await?;
        let store = database.store();
        self.database = Some(database);
        Ok(Engine::new(store, settings.engine.engine_settings()))
    }

    /// Has what this process runs traced, if the settings want that. It comes before the database, with which the log
    /// begins.
    pub(crate) fn trace(&mut self, settings: &Settings) -> Result<(), Trouble> {
        if settings.traces.enabled {
            let settings = Settings { log: self.log_settings(), ..settings.clone() };
            self.traces = Self::telemetry(&settings)?.traces;
        }
        Ok(())
    }

    /// Sets up log and traces, unless they are already.
    pub(crate) fn telemetry(settings: &Settings) -> Result<Telemetry, Trouble> {
        match Telemetry::begin(settings) {
            Ok(telemetry) => Ok(telemetry),
            // As in `start_log`.
            Err(RunError::Log(LogError::Taken)) => Ok(Telemetry::default()),
            Err(error) => Err(error.into()),
        }
    }

    /// How this command logs. The setting `log.level` is meant for servers.
    fn log_settings(&self) -> LogSettings {
        let level = match self.globals.verbose {
            0 => "off",
            1 => "info",
            _ => "debug",
        };
        LogSettings { level: level.to_owned(), ..LogSettings::default() }
    }

    /// As [`Desk::engine`], for commands that have nothing to do with a database that is not there: none is made.
    pub(crate) async fn existing(&mut self, settings: &Settings) -> Result<Engine, Trouble> {
        match settings.database.missing_file() {
            Some(file) => usage(format!(
                "there is no database at {}: `tasker run` makes one; another is named with --database",
                one_line(&file.display().to_string())
            )),
            None => self.engine(settings).await,
        }
    }

    /// As [`Desk::existing`], for commands that need no more of the settings.
    pub(crate) async fn open(&mut self) -> Result<Engine, Trouble> {
        let settings = self.settings(&[])?.settings;
        self.existing(&settings).await
    }

    /// A command line that goes on from here, for a message: `tasker resume 2e6b1c8`.
    pub(crate) fn command_line(&self, words: &str) -> String {
        let config = self.globals.config.as_ref();
        let config = config.map(|file| format!(" --config {}", shell_word(&file.display().to_string())));
        let database = self.globals.database.as_ref().map(|url| match without_secrets(url) {
            shown if shown == *url => format!(" --database {}", shell_word(url)),
            _ => " --database …".to_owned(),
        });
        format!("tasker {words}{}{}", config.unwrap_or_default(), database.unwrap_or_default())
    }

    /// Tells what went wrong, if anything did, and how the command ended.
    pub(crate) fn conclude(&mut self, outcome: Outcome) -> Ending {
        if let Some(error) = self.terminal.failure() {
            let message = format!("standard output cannot be written: {error}");
            self.complain(&message);
            return Ending::Badly;
        }
        match outcome {
            Ok(ending) => ending,
            Err(trouble) => {
                self.complain(&trouble.message());
                trouble.ending()
            }
        }
    }

    fn complain(&mut self, message: &str) {
        let word = self.terminal.paint_notes().colour(Colour::Red, "error:");
        self.terminal.complain(format!("{word} {message}"));
    }

    /// Sets up the log, unless it is already.
    fn start_log(settings: &LogSettings) -> Result<(), Trouble> {
        match init_logging(settings) {
            // A process that runs several commands, as tests do, sets up its log once.
            Ok(_) | Err(LogError::Taken) => Ok(()),
            Err(error) => Err(Trouble::Failed(error.into())),
        }
    }

    /// Closes the database.
    pub(crate) async fn close(&mut self) {
        if let Some(database) = self.database.take() {
            // Nothing that was answered is lost if it cannot be brought into order.
            let _ = timeout(PATIENCE, database.close()).await;
        }
    }
}

/// The URL of a database whose file, if it is one, is taken from a folder.
fn in_folder(url: &str, folder: &Path) -> String {
    match url.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path)) {
        Some("" | ":memory:") => url.to_owned(),
        Some(path) => format!("sqlite:{}", folder.join(path).display()),
        None if url.contains(':') => url.to_owned(),
        None => folder.join(url).display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use tasker_core::SystemClock;

    use super::*;
    use crate::terminal::Stream;

    /// The command line to go on with after one that named this database.
    fn resume(database: &str) -> String {
        let outside = Outside {
            variables: Vec::new(),
            folder: PathBuf::from("/here"),
            input: Box::new(std::io::empty()),
            output: Stream::new(std::io::sink()),
            errors: Stream::new(std::io::sink()),
            clock: Arc::new(SystemClock),
        };
        let globals = Globals { database: Some(database.to_owned()), ..Globals::default() };
        Desk::new(outside, globals).command_line("resume 2e6b1c8")
    }

    #[test]
    fn a_command_line_can_be_pasted_into_a_shell() {
        assert_eq!(resume("a.db"), "tasker resume 2e6b1c8 --database a.db");
        assert_eq!(
            resume("sqlite:my work's.db"),
            r"tasker resume 2e6b1c8 --database 'sqlite:my work'\''s.db'"
        );
        assert_eq!(resume("postgres://u@h/d"), "tasker resume 2e6b1c8 --database postgres://u@h/d");
    }

    #[test]
    fn a_command_line_holds_no_password() {
        for url in ["postgres://u:hunter2@h/d", "postgres://h/d?password=hunter2&user=x", "u:hunter2@h/d"] {
            assert_eq!(resume(url), "tasker resume 2e6b1c8 --database …");
        }
    }

    #[test]
    fn a_database_file_is_taken_from_the_current_folder() {
        let of = |url| in_folder(url, Path::new("/here"));
        assert_eq!(of("sqlite:.tasker/tasker.db"), "sqlite:/here/.tasker/tasker.db");
        assert_eq!(of("sqlite://a.db"), "sqlite:/here/a.db");
        assert_eq!(of("sqlite:///there/a.db"), "sqlite:/there/a.db");
        assert_eq!(of("a.db"), "/here/a.db");
        for url in ["memory:", "postgres://you@there/tasks", "sqlite:"] {
            assert_eq!(of(url), url);
        }
    }
}
