//! Every setting there is: its name, type, default, range and meaning.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::kind::choice;
use super::routes::RouteSetting;
use super::secret::Secret;
use super::section::section;
use super::subscribers::SubscriberSetting;

section! {
    /// Where the work is kept.
    "database" DatabaseSettings {
        /// `sqlite:PATH` for one machine, `postgres://USER:PASSWORD@HOST/DATABASE` for many, or `memory:` for a
        /// trial that forgets everything at its end. A bare path that ends in .db or .sqlite is SQLite.
        url: String = "sqlite:.tasker/tasker.db".to_owned(),
        /// What a commit to SQLite means: `full` survives a loss of power, `normal` survives a crash of the process
        /// and may lose the last moments before a loss of power. PostgreSQL goes by its own `synchronous_commit`.
        durability: Durability = Durability::Full,
        /// How many connections the process opens at most, besides one that waits for news. To SQLite it opens one
        /// that writes, and up to four that read.
        max_connections: u32 = 10 => 1..=1_000,
        /// How many seconds a process that starts waits for a database that cannot be reached, before it
        /// gives up with exit code 75.
        wait_seconds: u32 = 30 => 0..=86_400,
    }
}

choice! {
    /// What a commit means.
    Durability {
        /// It survives a loss of power.
        #[default]
        Full = "full",
        /// It survives a crash of the process.
        Normal = "normal",
    }
}

section! {
    /// How submissions are taken.
    "engine" EngineSection {
        /// When two submissions that bear no key are the same task: `default` is never; `hash` is when template,
        /// context and origin are equal and the earlier one is younger than `identity_window_seconds`.
        identity: IdentityRule = IdentityRule::Default,
        /// For how many seconds after a task was made an equal submission is a duplicate of it, where
        /// `identity` is `hash`.
        identity_window_seconds: u32 = 60 => 1..=31_536_000,
        /// A worker that was not seen for so many seconds is taken for gone.
        worker_gone_after_seconds: u32 = 60 => 1..=86_400,
        /// The environment whose overlay (`environments:` in a template) is applied when templates are read;
        /// none if absent.
        environment: Option<String> = None,
    }
}

choice! {
    /// When two submissions that bear no key are the same task.
    IdentityRule {
        /// Never.
        #[default]
        Default = "default",
        /// When they are equal and close in time.
        Hash = "hash",
    }
}

section! {
    /// How steps are run. tasker-worker always runs a worker; tasker-server does if `enabled`.
    "worker" WorkerSettings {
        /// Whether tasker-server runs a worker in its own process.
        enabled: bool = false,
        /// The name that people see; host and process id if absent.
        name: Option<String> = None,
        /// The queues it serves.
        queues: Vec<String> = vec!["default".to_owned()],
        /// How many steps it runs at once.
        concurrency: u32 = 64 => 1..=10_000,
        /// A step whose worker was not heard of for so many seconds is given to another. Workers renew at a third
        /// of it.
        lease_seconds: u32 = 30 => 1..=3_600,
        /// How many seconds running steps are given to end when the worker stops.
        drain_timeout_seconds: u32 = 30 => 0..=86_400,
        /// A YAML or JSON file that says which built-in handler, with which configuration, answers to the name of
        /// a handler class.
        bindings: Option<PathBuf> = None,
        /// The environment variables that a step's configuration may name as `${NAME}`.
        allow_env: Vec<String> = Vec::new(),
        /// The directory in which commands run and from which relative paths in steps are taken; the working
        /// directory of the process if absent.
        base_dir: Option<PathBuf> = None,
        /// Whether the lines that steps log are kept with their tasks, for `tasker task logs`; at most 64 kB of an attempt.
        keep_logs: bool = true,
        /// The address, such as 127.0.0.1:8485, at which tasker-worker answers health checks and scrapers; none if absent.
        health_listen: Option<String> = None,
    }
}

section! {
    /// The agents, which rescue the work of lost workers, tell workers of what is due, and in servers remove old tasks.
    /// Any number of processes may run them on one database.
    "agents" AgentsSection {
        /// Whether this process runs them; at least one process on a database has to.
        enabled: bool = true,
        /// For how many days complete, cancelled and resolved tasks are kept; 0 is for ever.
        retention_days: u32 = 30 => 0..=36_500,
        /// For how many days tasks in error are kept; 0 is for ever.
        failed_retention_days: u32 = 90 => 0..=36_500,
        /// How many seconds lie between two searches for old tasks.
        prune_interval_seconds: u32 = 3_600 => 1..=86_400,
        /// Within how many seconds the loss of a worker is noticed, while there is work.
        rescue_interval_seconds: u32 = 5 => 1..=3_600,
        /// How many seconds lie between two looks at the database while nothing happens.
        idle_interval_seconds: u32 = 60 => 1..=3_600,
    }
}

section! {
    /// How long a failed attempt waits before the next, where its template does not say.
    "backoff" BackoffSection {
        /// The seconds after the first, second, … attempt.
        default_backoff_seconds: Vec<u32> = vec![1, 2, 4, 8, 16, 32],
        /// The longest wait, in seconds.
        max_backoff_seconds: u32 = 300 => 1..=31_536_000,
        /// Past the end of the list, the wait after attempt n is n to the power of this, in seconds.
        backoff_multiplier: f64 = 2.0 => 0.01..=10.0,
        /// Whether waits are spread by chance, so that steps that failed together do not return together.
        jitter_enabled: bool = true,
        /// How far they are spread: 0.1 is ±10 %.
        jitter_max_percentage: f64 = 0.1 => 0.0..=1.0,
    }
}

section! {
    /// What the process says, on its standard error.
    "log" LogSettings {
        /// How much is said: error, warn, info, debug or trace; or by part, such as
        /// `info,tasker_engine=debug`.
        level: String = "info".to_owned(),
        /// For people (`pretty`), or for programs (`json`, `logfmt`).
        format: LogFormat = LogFormat::Pretty,
        /// Whether `pretty` is coloured: `auto` is if it goes to a terminal and `NO_COLOR` is not set.
        color: Color = Color::Auto,
        /// What is written as `[redacted]`, besides what is called like passwords, tokens, keys, cookies and credentials:
        /// names such as `iban`, ends of paths such as `card.number`, stars such as `*_pin`.
        redact: Vec<String> = Vec::new(),
    }
}

choice! {
    /// The form of a line of the log.
    LogFormat {
        /// For people.
        #[default]
        Pretty = "pretty",
        /// One JSON object a line.
        Json = "json",
        /// `key=value` pairs.
        Logfmt = "logfmt",
    }
}

choice! {
    /// Whether what is said is coloured.
    Color {
        /// If it goes to a terminal.
        #[default]
        Auto = "auto",
        /// Always.
        Always = "always",
        /// Never.
        Never = "never",
    }
}

section! {
    /// Where events go, besides what the catalog says.
    "events" EventsSection {
        /// By event, such as `[events.routes."task.completed"]`: its `backends` (`metrics`, `traces`, `logs`; no others get
        /// it), its `sampling`, which part of it goes to traces and logs, and its `priority` (`low`, `normal`, `high`,
        /// `critical`). Metrics always count every event. In a variable it is a JSON object.
        routes: BTreeMap<String, RouteSetting> = BTreeMap::new(),
        /// By name, such as `[events.subscribers.shop]`: webhooks, commands and files that get every event they want, in
        /// servers, as guides/events.md says. In texts `${NAME}` is a variable of the server's environment.
        subscribers: BTreeMap<String, SubscriberSetting> = BTreeMap::new(),
    }
}

section! {
    /// Traces: where the time of tasks goes, sent to a collector by the OpenTelemetry protocol.
    "traces" TracesSettings {
        /// Whether traces are sent.
        enabled: bool = false,
        /// The collector.
        endpoint: String = "http://127.0.0.1:4317".to_owned(),
        /// How to speak to it: gRPC mostly listens at port 4317, HTTP at 4318.
        protocol: TracesProtocol = TracesProtocol::Grpc,
        /// What each request carries besides, such as `api-key=…, tenant=…`.
        headers: Option<Secret> = None,
        /// A PEM file of the authorities to trust in place of the machine's, for `https`.
        ca_file: Option<PathBuf> = None,
        /// Which part of all tasks has a trace, from 0 to 1. Those that fail or are slow always have one, without what
        /// their handlers asked of others.
        ratio: f64 = 1.0 => 0.0..=1.0,
        /// A task that took so many seconds is slow; 0 is never.
        slow_seconds: u32 = 60 => 0..=31_536_000,
        /// What the process is called in traces; the name of the program if absent.
        service_name: Option<String> = None,
    }
}

choice! {
    /// How traces travel.
    TracesProtocol {
        /// Protocol buffers over gRPC.
        #[default]
        Grpc = "grpc",
        /// Protocol buffers over HTTP.
        Http = "http/protobuf",
    }
}

section! {
    /// The HTTP interface of tasker-server. What it says of tokens holds for `worker.health_listen` as well.
    "http" HttpSettings {
        /// Whether there is one.
        enabled: bool = true,
        /// The address it listens at; port 0 takes a free one.
        listen: String = "127.0.0.1:8484".to_owned(),
        /// Whether `/metrics` answers with values.
        metrics_enabled: bool = true,
        /// What whoever reads `/metrics`, `/events` and `/health/status` has to show, as the header
        /// `Authorization: Bearer …`: at least 16 characters. Everybody may read them if absent.
        metrics_token: Option<Secret> = None,
        /// The file in which that token stands.
        metrics_token_file: Option<PathBuf> = None,
        /// What whoever changes `/log/level` and `/events/{name}/route` has to show in the same way. Nobody may if
        /// absent.
        admin_token: Option<Secret> = None,
        /// The file in which that token stands.
        admin_token_file: Option<PathBuf> = None,
    }
}

section! {
    /// Templates that tasker-server registers when it starts.
    "templates" TemplatesSection {
        /// Directories whose *.yaml, *.yml and *.json files are templates, with those below them.
        directories: Vec<PathBuf> = Vec::new(),
    }
}
