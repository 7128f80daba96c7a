//! Whether settings make sense: ranges, and texts that must be of a form.

use config::ValueKind;
use tasker_api::Token;
use tasker_core::{Backoff, QueueName};

use crate::log::{LEVELS, filter};
use crate::masking::MASK;
use crate::open::{OpenError, check_url};

use super::problem::SettingsProblem;
use super::routes::RouteProblem;
use super::section::Setting;
use super::{BackoffSection, EventsSection, HttpSettings, Loaded, Origin, Settings, print};

/// The problem with a number that is out of its setting's range.
pub(super) fn out_of_range(setting: &Setting, value: &ValueKind, origin: &Origin) -> Option<SettingsProblem> {
    let is_whole = |number: f64| (0.0..=f64::from(u32::MAX)).contains(&number);
    let (numbers, range) = match value {
        ValueKind::Array(items) => (items.iter().map(|item| number(&item.kind)).collect(), None),
        single => (vec![number(single)], setting.range),
    };
    let is_good = |number: f64| match range {
        Some((low, high)) => (low..=high).contains(&number),
        None if matches!(value, ValueKind::Float(_)) => true,
        None => is_whole(number),
    };
    if numbers.into_iter().flatten().all(is_good) {
        return None;
    }
    let (low, high) = range.unwrap_or((0.0, f64::from(u32::MAX)));
    let key = setting.key();
    let value = print::shown(&key, value);
    let remedy = format!("write {} from {low} to {high}", setting.kind.noun());
    Some(SettingsProblem::Refused { key, value, remedy, origin: origin.clone() })
}

/// What only the settings as a whole can show to be wrong.
pub(super) fn check(loaded: &Loaded) -> Vec<SettingsProblem> {
    let mut findings = Findings { loaded, problems: Vec::new() };
    findings.texts(&loaded.settings);
    findings.backoff(&loaded.settings.backoff);
    findings.routes(&loaded.settings.events);
    findings.tokens(&loaded.settings.http);
    findings.problems
}

struct Findings<'l> {
    loaded: &'l Loaded,
    problems: Vec<SettingsProblem>,
}

impl Findings<'_> {
    fn texts(&mut self, settings: &Settings) {
        if let Err(OpenError::Url { url, remedy }) = check_url(&settings.database.url) {
            self.refuse("database.url", &format!("{url:?}"), remedy);
        }
        let worker = &settings.worker;
        if worker.queues.is_empty() {
            self.refuse("worker.queues", "[]", "name at least one queue, such as [\"default\"]");
        }
        for queue in &worker.queues {
            if let Err(error) = QueueName::new(queue) {
                self.refuse("worker.queues", &format!("{:?}", worker.queues), &error.to_string());
            }
        }
        if filter(&settings.log.level).is_err() {
            self.refuse("log.level", &format!("{:?}", settings.log.level), &format!("write {LEVELS}"));
        }
        if let Err(error) = settings.log.redaction() {
            self.refuse("log.redact", &format!("{:?}", settings.log.redact), &error.to_string());
        }
        let listen = [
            ("http.listen", Some(&settings.http.listen)),
            ("worker.health_listen", worker.health_listen.as_ref()),
        ];
        for (key, address) in listen {
            if let Some(address) = address.filter(|address| !is_address(address)) {
                let remedy = "write an address with its port, such as 127.0.0.1:8484 or [::]:8484";
                self.refuse(key, &format!("{address:?}"), remedy);
            }
        }
    }

    fn tokens(&mut self, http: &HttpSettings) {
        let tokens = [
            ("http.metrics_token", &http.metrics_token, &http.metrics_token_file),
            ("http.admin_token", &http.admin_token, &http.admin_token_file),
        ];
        for (key, token, file) in tokens {
            let Some(token) = token else { continue };
            if let Err(error) = Token::of(token.reveal()) {
                self.refuse(key, MASK, &error.to_string());
            }
            if file.is_some() {
                self.refuse(key, MASK, &format!("{key}_file is set as well; leave one of the two out"));
            }
        }
    }

    fn routes(&mut self, section: &EventsSection) {
        for problem in section.problems() {
            let origin = self.loaded.origin("events.routes").clone();
            let RouteProblem { key, value, remedy } = problem;
            self.problems.push(SettingsProblem::Refused { key, value, remedy, origin });
        }
    }

    fn backoff(&mut self, section: &BackoffSection) {
        if let Err(error) = Backoff::try_from(section) {
            self.refuse(&format!("backoff.{}", error.field), &error.value, error.reason);
        }
    }

    fn refuse(&mut self, key: &str, value: &str, remedy: &str) {
        let origin = self.loaded.origin(key).clone();
        let (key, value, remedy) = (key.to_owned(), value.to_owned(), remedy.to_owned());
        self.problems.push(SettingsProblem::Refused { key, value, remedy, origin });
    }
}

/// Whether a text is `HOST:PORT`, with brackets around a host that has colons.
fn is_address(text: &str) -> bool {
    let is_host = |host: &str| {
        !host.is_empty() && (!host.contains(':') || host.starts_with('[') && host.ends_with(']'))
    };
    text.rsplit_once(':').is_some_and(|(host, port)| is_host(host) && port.parse::<u16>().is_ok())
}

fn number(value: &ValueKind) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a number that large is out of every range")]
    match value {
        ValueKind::I64(number) => Some(*number as f64),
        ValueKind::U64(number) => Some(*number as f64),
        ValueKind::I128(number) => Some(*number as f64),
        ValueKind::U128(number) => Some(*number as f64),
        ValueKind::Float(number) => Some(*number),
        ValueKind::Nil
        | ValueKind::Boolean(_)
        | ValueKind::String(_)
        | ValueKind::Table(_)
        | ValueKind::Array(_) => None,
    }
}
