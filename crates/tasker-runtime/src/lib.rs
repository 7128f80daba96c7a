//! How a process runs: settings, logging, the database behind a URL, supervision, signals, health and exit codes.
//!
//! A binary reads its flags into [`SettingsArgs`], loads its [`Settings`], and hands a future to [`run_program`]. That
//! future starts the parts of a [`Process`] in order and runs until the shutdown; a part that fails brings the
//! others down in order. A store that is away brings nothing down: it is waited for.
//!
//! This crate decides nothing about tasks, and knows no SQL and no HTTP: it puts together what the crates below offer.
//! It is the only one that reads the environment.

mod args;
mod environment;
mod masking;
mod settings;

mod log;
mod logs;

mod handlers;
mod open;
mod templates;

mod health;
mod interface;
mod metrics;

mod telemetry;
mod traces;

mod error;
mod parts;
mod process;
mod program;
mod subscribers;
mod worker;

#[cfg(feature = "testing")]
pub mod testing;

pub use args::SettingsArgs;
pub use environment::environment;
pub use error::{BoxError, RunError};
pub use handlers::handlers;
pub use health::Health;
pub use interface::interface;
pub use log::{LogControl, LogError, LogLayer, init_logging, log_layer};
pub use logs::TaskLogs;
pub use masking::without_secrets;
pub use metrics::Metrics;
pub use open::{Database, OpenError, open_store};
pub use process::Process;
pub use program::{EXIT_CODES, run_program};
pub use settings::{
    AgentsSection, BackoffSection, Color, DEFAULT_FILE, DatabaseSettings, Durability, EngineSection,
    EventsSection, HttpSettings, IdentityRule, Kind, Loaded, LogFormat, LogSettings, Origin, RouteProblem,
    RouteSetting, Secret, Setting, Settings, SettingsError, SettingsProblem, Sources, SubscriberSetting,
    TemplatesSection, TracesProtocol, TracesSettings, WorkerSettings, print_config, settings_reference,
};
pub use tasker_events::reference as events_reference;
pub use tasker_monitor::{alert_rules, check_query, dashboard, metrics_reference, recording_rules};
pub use tasker_trace::reference as traces_reference;
pub use telemetry::Telemetry;
pub use templates::{TemplateFile, read_templates, register_templates};
pub use traces::{Tracing, connect, read_trace, write_trace};
