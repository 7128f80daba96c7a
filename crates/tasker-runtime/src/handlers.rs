//! The handlers of a worker: the built-in ones, those of the program, and the bound ones.

use std::path::Path;

use tasker_core::read_document;
use tasker_handler::{Bindings, Registration, Registry, Surroundings};

use crate::error::RunError;
use crate::settings::{VARIABLE_PREFIX, WorkerSettings};

/// The handlers that a worker offers: the built-in ones, `own`, and those that the file of bindings names.
/// `environment` is what commands get to see, without Tasker's own settings, which may hold a password.
///
/// # Errors
///
/// [`RunError::Refused`] if the file of bindings or the base directory cannot be used, or two handlers want the same
/// name.
pub fn handlers(
    settings: &WorkerSettings,
    environment: Vec<(String, String)>,
    own: Vec<Registration>,
) -> Result<Registry, RunError> {
    if let Some(directory) = settings.base_dir.as_ref().filter(|directory| !directory.is_dir()) {
        let directory = directory.display();
        let what = format!("worker.base_dir is {directory}, which is no directory: make it, or name another");
        return Err(RunError::Refused { what });
    }
    let is_foreign = |(name, _): &(String, String)| !name.starts_with(VARIABLE_PREFIX);
    let surroundings = Surroundings::default()
        .environment(environment.into_iter().filter(is_foreign))
        .expose(settings.allow_env.iter().cloned())
        .base_dir(settings.base_dir.clone().unwrap_or_default());
    let mut registry = Registry::new(surroundings);
    for registration in own {
        registry.register(registration).map_err(|error| RunError::Refused { what: error.to_string() })?;
    }
    if let Some(file) = &settings.bindings {
        bind(&mut registry, file).map_err(|what| RunError::Refused { what })?;
    }
    Ok(registry)
}

fn bind(registry: &mut Registry, file: &Path) -> Result<(), String> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|error| {
        format!("the bindings {name} cannot be read: {error}; see the setting worker.bindings")
    })?;
    let document = read_document(&text, Some(&name)).map_err(|errors| {
        format!("the bindings cannot be used:\n  {}", errors.to_string().replace('\n', "\n  "))
    })?;
    let bindings = Bindings::read(&document)
        .map_err(|error| format!("the bindings cannot be used:\n  {name}: {error}"))?;
    registry.bind(bindings).map_err(|error| format!("the bindings cannot be used:\n  {name}: {error}"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tasker_core::HandlerName;
    use tasker_handler::testing::NoopHandler;
    use tempfile::TempDir;

    use super::*;

    /// A worker whose file of bindings holds this.
    fn bound(text: &str) -> (TempDir, WorkerSettings) {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("bindings.yaml");
        fs::write(&file, text).expect("written");
        (directory, WorkerSettings { bindings: Some(file), ..WorkerSettings::default() })
    }

    fn complaint(text: &str) -> String {
        let (directory, settings) = bound(text);
        let own = vec![Registration::new("mine", NoopHandler)];
        let error = handlers(&settings, Vec::new(), own).expect_err("refused");
        assert_eq!(error.code(), 2);
        error.to_string().replace(&format!("{}/", directory.path().display()), "")
    }

    #[test]
    fn a_worker_offers_the_built_in_its_own_and_the_bound_handlers() {
        let (_directory, settings) = bound("\"Orders::Ship\": {type: noop}\n");
        let own = vec![Registration::new("mine", NoopHandler)];
        let registry = handlers(&settings, Vec::new(), own).expect("valid");
        let names: Vec<&str> = registry.handlers().map(HandlerName::as_str).collect();
        assert_eq!(names, ["Orders::Ship", "api", "command", "http", "mine", "noop", "transform", "wait"]);
    }

    #[test]
    fn a_file_of_bindings_that_is_wrong_is_refused_with_the_place() {
        insta::assert_snapshot!(complaint("A: {type: noop\nB: ["), @r"
        the bindings cannot be used:
          bindings.yaml:2: this is not valid YAML: while parsing a flow mapping, did not find expected ',' or '}'
        ");
        insta::assert_snapshot!(complaint("A: {type: nope}"), @r#"
        the bindings cannot be used:
          bindings.yaml: binding "A": type: unknown type "nope"; write one of http, api, command, transform, wait, noop
        "#);
        insta::assert_snapshot!(complaint("mine: {type: noop}"), @r#"
        the bindings cannot be used:
          bindings.yaml: binding "mine": a handler is registered under this name; remove the binding, or rename one of them
        "#);
    }

    #[test]
    fn a_file_of_bindings_must_be_there() {
        let settings = WorkerSettings { bindings: Some("nowhere.yaml".into()), ..WorkerSettings::default() };
        insta::assert_snapshot!(handlers(&settings, Vec::new(), Vec::new()).expect_err("refused"), @"the bindings nowhere.yaml cannot be read: No such file or directory (os error 2); see the setting worker.bindings");
    }

    #[test]
    fn the_base_directory_must_be_there() {
        let settings = WorkerSettings { base_dir: Some("nowhere".into()), ..WorkerSettings::default() };
        let error = handlers(&settings, Vec::new(), Vec::new()).expect_err("refused");
        insta::assert_snapshot!(error, @"worker.base_dir is nowhere, which is no directory: make it, or name another");
    }

    #[test]
    fn two_handlers_cannot_share_a_name() {
        let own = vec![Registration::new("http", NoopHandler)];
        let error = handlers(&WorkerSettings::default(), Vec::new(), own).expect_err("refused");
        insta::assert_snapshot!(error, @r#"a handler is already registered as "http"; register under another name, or use `replace`"#);
    }
}
