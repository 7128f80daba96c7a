//! The HTTP interface of a process, as the settings want it.

use std::path::Path;
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};
use tasker_api::{Access, Api, Scraping, Token};
use tasker_core::SystemClock;

use crate::error::RunError;
use crate::health::{Fares, Health};
use crate::log::LogControl;
use crate::logs::TaskLogs;
use crate::metrics::Metrics;
use crate::settings::{HttpSettings, Secret};

/// The HTTP interface of a process, which tells of its health, its metrics and its events, and lets operators change the
/// level of `log` and where events go, and read what attempts logged.
///
/// # Errors
///
/// [`RunError::Refused`] if a token, or the file in which one stands, is of no use.
pub fn interface(
    settings: &HttpSettings,
    health: &Arc<Health>,
    metrics: &Arc<Metrics>,
    (log, logs): (Option<LogControl>, &Arc<TaskLogs>),
) -> Result<Api, RunError> {
    let clock = Arc::new(SystemClock);
    let scraping = if settings.metrics_enabled { Scraping::Enabled } else { Scraping::Disabled };
    let mut api =
        Api::new(Arc::clone(health) as Arc<_>, Arc::clone(metrics) as Arc<_>, Arc::clone(&clock) as Arc<_>)
            .status(Arc::new(Fares::of(Arc::clone(metrics) as Arc<_>, clock)))
            .events(metrics.events().clone())
            .logs(Arc::clone(logs) as Arc<_>)
            .scraping(scraping)
            .seed(StdRng::from_os_rng().next_u64());
    let reader =
        ("http.metrics_token", settings.metrics_token.as_ref(), settings.metrics_token_file.as_deref());
    if let Some(token) = token(reader)? {
        api = api.readers(Access::Bearer(token));
    }
    let operator = ("http.admin_token", settings.admin_token.as_ref(), settings.admin_token_file.as_deref());
    if let Some(token) = token(operator)? {
        api = api.operators(token);
    }
    Ok(match log {
        Some(log) => api.log(Arc::new(log)),
        None => api,
    })
}

/// The token that a setting names, itself or by its file.
fn token((setting, text, file): (&str, Option<&Secret>, Option<&Path>)) -> Result<Option<Token>, RunError> {
    let refused = |what: String| RunError::Refused { what };
    if let Some(text) = text {
        return Token::of(text.reveal()).map(Some).map_err(|error| refused(format!("{setting}: {error}")));
    }
    let Some(path) = file else { return Ok(None) };
    let (setting, shown) = (format!("{setting}_file"), path.display());
    let text = std::fs::read_to_string(path)
        .map_err(|error| refused(format!("{setting} is {shown}, which cannot be read: {error}")))?;
    Token::of(&text).map(Some).map_err(|error| refused(format!("{setting} is {shown}: {error}")))
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::*;

    fn refusal(settings: &HttpSettings) -> String {
        let health = Health::new(CancellationToken::new(), tasker_events::Events::default());
        interface(settings, &health, &Metrics::new(), (None, &Arc::default())).expect_err("refused").told()
    }

    #[test]
    fn a_token_may_stand_in_a_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("token");
        std::fs::write(&file, "0123456789abcdef\n").expect("written");
        let settings = HttpSettings { metrics_token_file: Some(file.clone()), ..HttpSettings::default() };
        let health = Health::new(CancellationToken::new(), tasker_events::Events::default());
        assert!(interface(&settings, &health, &Metrics::new(), (None, &Arc::default())).is_ok());
        std::fs::write(&file, "hunter2").expect("written");
        let told = refusal(&settings).replace(&directory.path().display().to_string(), "DIRECTORY");
        insta::assert_snapshot!(told, @"http.metrics_token_file is DIRECTORY/token: the token has 7 characters: give at least 16, such as `openssl rand -hex 32` makes");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let settings = HttpSettings { admin_token_file: Some("nowhere".into()), ..HttpSettings::default() };
        insta::assert_snapshot!(refusal(&settings), @"http.admin_token_file is nowhere, which cannot be read: No such file or directory (os error 2)");
    }
}
