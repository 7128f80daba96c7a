//! From the sources, one over the other, to settings.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use config::builder::DefaultState;
use config::{Config, ConfigBuilder, ConfigError, File, FileFormat, Map, Source, Value, ValueKind};

use super::problem::{SettingsError, SettingsProblem};
use super::section::Setting;
use super::{DEFAULT_FILE, Loaded, Origin, Settings, Sources, advice, checks, print};

/// What the names of environment variables that are settings begin with.
pub(crate) const PREFIX: &str = "TASKER__";

/// Reads all sources, and checks what they say.
pub(super) fn load(sources: &Sources) -> Result<Loaded, SettingsError> {
    let mut reader = Reader { known: Settings::all(), problems: Vec::new(), origins: BTreeMap::new() };
    let layers = [
        reader.file(sources.file.as_deref()),
        reader.environment(&sources.environment),
        reader.overrides(&sources.overrides),
    ];
    let Reader { mut problems, origins, .. } = reader;
    let merged = merged(layers);
    let loaded = merged.map(|settings| Loaded { settings, origins }).map_err(|error| unmerged(&error))?;
    problems.extend(checks::check(&loaded));
    if problems.is_empty() { Ok(loaded) } else { Err(SettingsError { problems }) }
}

/// The types were checked before: that they do not fit can only be a bug, which is told of all the same.
fn unmerged(error: &ConfigError) -> SettingsError {
    let problem = SettingsProblem::File { file: "settings".to_owned(), reason: error.to_string() };
    SettingsError { problems: vec![problem] }
}

/// What one source says, every name and type checked.
#[derive(Debug, Clone, Default)]
struct Layer(Vec<(String, ValueKind)>);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        // The keys are paths such as `worker.concurrency`; `config` spreads them over its tree.
        Ok(self.0.iter().map(|(key, value)| (key.clone(), Value::new(None, value.clone()))).collect())
    }
}

/// The defaults stand in the types, so that only what someone wrote is merged.
fn merged(layers: [Layer; 3]) -> Result<Settings, ConfigError> {
    let add = ConfigBuilder::<DefaultState>::add_source;
    let builder = layers.into_iter().fold(Config::builder(), add);
    builder.build()?.try_deserialize()
}

struct Reader {
    known: Vec<Setting>,
    problems: Vec<SettingsProblem>,
    origins: BTreeMap<String, Origin>,
}

impl Reader {
    fn file(&mut self, named: Option<&Path>) -> Layer {
        let path = named.unwrap_or(Path::new(DEFAULT_FILE));
        let tree = match read(path) {
            Ok(Some(tree)) => tree,
            Ok(None) if named.is_none() => return Layer::default(),
            Ok(None) => {
                let reason = "there is no such file: name one that exists, or leave --config out".to_owned();
                return self.unreadable(path, reason);
            }
            Err(reason) => return self.unreadable(path, reason),
        };
        let origin = Origin::File(path.to_owned());
        let mut layer = Layer::default();
        for (section, content) in in_order(tree) {
            match content.kind {
                ValueKind::Table(settings) => {
                    for (name, value) in in_order(settings) {
                        self.place(&mut layer, (&format!("{section}.{name}"), &origin), value.kind);
                    }
                }
                _ => self.unknown(&section, &origin),
            }
        }
        layer
    }

    fn environment(&mut self, variables: &[(String, String)]) -> Layer {
        let mut layer = Layer::default();
        for (variable, text) in variables.iter().filter(|(variable, _)| variable.starts_with(PREFIX)) {
            let origin = Origin::Variable(variable.clone());
            match self.known.iter().find(|setting| setting.variable() == *variable) {
                Some(setting) => {
                    let (key, value) = (setting.key(), setting.kind.read(text));
                    self.place(&mut layer, (&key, &origin), value);
                }
                None => self.unknown(variable, &origin),
            }
        }
        layer
    }

    fn overrides(&mut self, overrides: &[(String, String)]) -> Layer {
        let mut layer = Layer::default();
        for (key, text) in overrides {
            match self.known.iter().find(|setting| setting.key() == *key) {
                Some(setting) => {
                    let value = setting.kind.read(text);
                    self.place(&mut layer, (key, &Origin::CommandLine), value);
                }
                None => self.unknown(key, &Origin::CommandLine),
            }
        }
        layer
    }

    /// Puts a value into its layer, if there is such a setting and the type is right.
    fn place(&mut self, layer: &mut Layer, (key, origin): (&str, &Origin), value: ValueKind) {
        let Some(setting) = self.known.iter().find(|setting| setting.key() == key) else {
            return self.unknown(key, origin);
        };
        let value = setting.kind.or_nothing(value);
        if !matches!(value, ValueKind::Nil) && !setting.kind.accepts(&value) {
            let (key, expected) = (key.to_owned(), setting.kind.expected());
            let value = print::shown(&key, &value);
            self.problems.push(SettingsProblem::WrongType { key, value, expected, origin: origin.clone() });
            return;
        }
        if let Some(problem) = checks::out_of_range(setting, &value, origin) {
            self.problems.push(problem);
            return;
        }
        self.origins.insert(key.to_owned(), origin.clone());
        layer.0.retain(|(earlier, _)| earlier != key);
        layer.0.push((key.to_owned(), value));
    }

    fn unknown(&mut self, name: &str, origin: &Origin) {
        let remedy = advice::on_unknown(name, origin, &self.known);
        let problem = SettingsProblem::Unknown { name: name.to_owned(), origin: origin.clone(), remedy };
        self.problems.push(problem);
    }

    fn unreadable(&mut self, path: &Path, reason: String) -> Layer {
        self.problems.push(SettingsProblem::File { file: path.display().to_string(), reason });
        Layer::default()
    }
}

/// The content of a settings file; `None` if there is none.
fn read(path: &Path) -> Result<Option<Map<String, Value>>, String> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("it cannot be read: {error}")),
    };
    let file = File::from_str(&text, FileFormat::Toml);
    let tree = Source::collect(&file).map_err(|error| format!("this is not TOML: {}", bare(&error)))?;
    Ok(Some(tree))
}

/// The place and the reason, without the line itself, in which a password may stand.
fn bare(error: &ConfigError) -> String {
    let ConfigError::FileParse { cause, .. } = error else { return error.to_string() };
    let is_excerpt =
        |line: &str| line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ').starts_with('|');
    let text = cause.to_string();
    let lines: Vec<&str> = text.lines().filter(|line| !is_excerpt(line)).collect();
    lines.join(": ").trim_start_matches("TOML parse error at ").to_owned()
}

/// The file's own order is not kept; this one is at least the same each time.
fn in_order(map: Map<String, Value>) -> BTreeMap<String, Value> {
    map.into_iter().collect()
}
