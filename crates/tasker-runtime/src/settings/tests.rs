//! Where settings come from, and what is said about those that are wrong.

use std::path::Path;

use tempfile::TempDir;

use super::*;

/// A directory with this `tasker.toml`.
struct Place(TempDir);

impl Place {
    fn with(toml: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join(DEFAULT_FILE), toml).expect("written");
        Self(directory)
    }

    fn file(&self) -> PathBuf {
        self.0.path().join(DEFAULT_FILE)
    }

    fn sources(&self) -> Sources {
        Sources { file: Some(self.file()), ..Sources::default() }
    }
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn from_variables(variables: &[(&str, &str)]) -> Result<Loaded, SettingsError> {
    Settings::load(&Sources { environment: pairs(variables), ..Sources::default() })
}

fn from_flags(overrides: &[(&str, &str)]) -> Result<Loaded, SettingsError> {
    Settings::load(&Sources { overrides: pairs(overrides), ..Sources::default() })
}

/// What is said about a wrong `tasker.toml`, its directory left out.
fn complaint(toml: &str) -> String {
    let place = Place::with(toml);
    let error = Settings::load(&place.sources()).expect_err("refused").to_string();
    error.replace(&format!("{}/", place.0.path().display()), "")
}

#[test]
fn without_sources_everything_is_a_default() {
    let loaded = from_variables(&[]).expect("valid");
    assert_eq!(loaded.settings, Settings::default());
    assert_eq!(loaded.origin("worker.concurrency"), &Origin::Default);
}

#[test]
fn each_source_overrules_those_before_it() {
    let place =
        Place::with("[worker]\nconcurrency = 1\nlease_seconds = 10\nqueues = ['a', 'b', 'c']\nname = 'w'\n");
    let environment = pairs(&[("TASKER__WORKER__CONCURRENCY", "2"), ("TASKER__WORKER__QUEUES", "x, y")]);
    let overrides = pairs(&[("worker.concurrency", "3"), ("worker.concurrency", "4")]);
    let loaded = Settings::load(&Sources { environment, overrides, ..place.sources() }).expect("valid");
    let worker = &loaded.settings.worker;
    assert_eq!((worker.concurrency, worker.lease_seconds), (4, 10));
    assert_eq!(worker.queues, ["x", "y"]);
    assert_eq!(loaded.origin("worker.concurrency"), &Origin::CommandLine);
    assert_eq!(loaded.origin("worker.queues").to_string(), "TASKER__WORKER__QUEUES");
    assert_eq!(loaded.origin("worker.name"), &Origin::File(place.file()));
    assert_eq!(loaded.origin("worker.drain_timeout_seconds"), &Origin::Default);
}

#[test]
fn a_text_is_read_as_the_type_of_its_setting() {
    let loaded = from_variables(&[
        ("TASKER__WORKER__ENABLED", "true"),
        ("TASKER__WORKER__NAME", "007"),
        ("TASKER__WORKER__ALLOW_ENV", "[\"HOME\", 'USER']"),
        ("TASKER__BACKOFF__DEFAULT_BACKOFF_SECONDS", "1,3"),
        ("TASKER__BACKOFF__BACKOFF_MULTIPLIER", "3"),
        ("TASKER__WORKER__BINDINGS", ""),
        ("TASKER__TEMPLATES__DIRECTORIES", ""),
    ]);
    let settings = loaded.expect("valid").settings;
    assert!(settings.worker.enabled);
    assert_eq!(settings.worker.name.as_deref(), Some("007"));
    assert_eq!(settings.worker.allow_env, ["HOME", "USER"]);
    assert_eq!(settings.backoff.default_backoff_seconds, [1, 3]);
    assert!((settings.backoff.backoff_multiplier - 3.0).abs() < f64::EPSILON);
    assert_eq!(settings.worker.bindings, None);
    assert!(settings.templates.directories.is_empty());
}

#[test]
fn variables_of_others_are_no_settings() {
    let others =
        [("TASKER_TEST_POSTGRES", "x"), ("TASKER_URL", "x"), ("HOME", "/"), ("tasker__worker__x", "1")];
    assert_eq!(from_variables(&others).expect("valid").settings, Settings::default());
}

#[test]
fn an_empty_variable_takes_back_what_may_be_left_out() {
    let place = Place::with("[worker]\nname = 'w'\n");
    let environment = pairs(&[("TASKER__WORKER__NAME", "")]);
    let loaded = Settings::load(&Sources { environment, ..place.sources() }).expect("valid");
    assert_eq!(loaded.settings.worker.name, None);
}

#[test]
fn an_unknown_key_is_refused_with_the_one_that_was_likely_meant() {
    insta::assert_snapshot!(complaint("[worker]\nconcurency = 8\nqueue = ['a']\n"), @r#"
    the settings cannot be used:
      tasker.toml: there is no setting "worker.concurency"; did you mean worker.concurrency?
      tasker.toml: there is no setting "worker.queue"; did you mean worker.queues?
    "#);
    insta::assert_snapshot!(complaint("[wroker]\nconcurrency = 8\n"), @r#"
    the settings cannot be used:
      tasker.toml: there is no setting "wroker.concurrency"; did you mean worker.concurrency?
    "#);
    insta::assert_snapshot!(complaint("concurrency = 8\n[weather]\nsun = true\n[worker]\nzeal = 9\n[server]\nlisten = ''\n"), @r#"
    the settings cannot be used:
      tasker.toml: there is no setting "concurrency"; did you mean worker.concurrency?
      tasker.toml: there is no setting "server.listen"; did you mean http.listen?
      tasker.toml: there is no setting "weather.sun"; the sections are database, engine, worker, agents, backoff, log, events, traces, http, templates
      tasker.toml: there is no setting "worker.zeal"; worker has enabled, name, queues, concurrency, lease_seconds, drain_timeout_seconds, bindings, allow_env, base_dir, keep_logs, health_listen
    "#);
    insta::assert_snapshot!(complaint("\"worker.concurrency\" = 8\n"), @r#"
    the settings cannot be used:
      tasker.toml: there is no setting "worker.concurrency"; write concurrency below [worker]
    "#);
    insta::assert_snapshot!(complaint("[worker.concurrency]\nmax = 8\n"), @r"
    the settings cannot be used:
      tasker.toml: worker.concurrency is { max = 8 }: write a whole number
    ");
    insta::assert_snapshot!(complaint("[[worker]]\nconcurrency = 8\n"), @r#"
    the settings cannot be used:
      tasker.toml: there is no setting "worker"; the sections are database, engine, worker, agents, backoff, log, events, traces, http, templates
    "#);
}

#[test]
fn an_unknown_variable_or_flag_is_refused_likewise() {
    let variables = [("TASKER__WORKER__CONCURRENCY_", "8"), ("TASKER__DATABASE_URL", "x"), ("TASKER__", "x")];
    insta::assert_snapshot!(from_variables(&variables).expect_err("refused"), @r#"
    the settings cannot be used:
      TASKER__WORKER__CONCURRENCY_: there is no setting "TASKER__WORKER__CONCURRENCY_"; did you mean TASKER__WORKER__CONCURRENCY?
      TASKER__DATABASE_URL: there is no setting "TASKER__DATABASE_URL"; did you mean TASKER__DATABASE__URL?
      TASKER__: there is no setting "TASKER__"; the sections are database, engine, worker, agents, backoff, log, events, traces, http, templates
    "#);
    insta::assert_snapshot!(from_flags(&[("worker.Concurrency", "8"), ("", "x")]).expect_err("refused"), @r#"
    the settings cannot be used:
      command line: there is no setting "worker.Concurrency"; did you mean worker.concurrency?
      command line: there is no setting ""; the sections are database, engine, worker, agents, backoff, log, events, traces, http, templates
    "#);
}

#[test]
fn a_value_of_the_wrong_type_is_refused_with_what_may_be_written() {
    insta::assert_snapshot!(complaint("[worker]\nconcurrency = '8'\nqueues = 'default'\nenabled = 1\n"), @r#"
    the settings cannot be used:
      tasker.toml: worker.concurrency is "8": write a whole number
      tasker.toml: worker.enabled is 1: write true or false
      tasker.toml: worker.queues is "default": write a list of texts such as ["one", "two"]
    "#);
    insta::assert_snapshot!(complaint("[worker]\nqueues = [1]\nname = 7\n[log]\nformat = 'xml'\n"), @r#"
    the settings cannot be used:
      tasker.toml: log.format is "xml": write one of pretty, json, logfmt
      tasker.toml: worker.name is 7: write a text, or leave it out
      tasker.toml: worker.queues is [1]: write a list of texts such as ["one", "two"]
    "#);
    insta::assert_snapshot!(complaint("[backoff]\ndefault_backoff_seconds = [1, 2.5]\njitter_max_percentage = 'x'\n"), @r#"
    the settings cannot be used:
      tasker.toml: backoff.default_backoff_seconds is [1, 2.5]: write a list of whole numbers such as [1, 2, 4]
      tasker.toml: backoff.jitter_max_percentage is "x": write a number
    "#);
    let variables = [("TASKER__WORKER__CONCURRENCY", "many"), ("TASKER__WORKER__ENABLED", "yes")];
    insta::assert_snapshot!(from_variables(&variables).expect_err("refused"), @r#"
    the settings cannot be used:
      TASKER__WORKER__CONCURRENCY: worker.concurrency is "many": write a whole number
      TASKER__WORKER__ENABLED: worker.enabled is "yes": write true or false
    "#);
    insta::assert_snapshot!(from_flags(&[("log.color", "red")]).expect_err("refused"), @r#"
    the settings cannot be used:
      command line: log.color is "red": write one of auto, always, never
    "#);
}

#[test]
fn a_number_out_of_range_is_refused_with_the_range() {
    insta::assert_snapshot!(complaint("[worker]\nconcurrency = 0\nlease_seconds = -1\n"), @r"
    the settings cannot be used:
      tasker.toml: worker.concurrency is 0: write a whole number from 1 to 10000
      tasker.toml: worker.lease_seconds is -1: write a whole number from 1 to 3600
    ");
    insta::assert_snapshot!(complaint("[worker]\nconcurrency = 99999999999999999\n"), @r"
    the settings cannot be used:
      tasker.toml: worker.concurrency is 99999999999999999: write a whole number from 1 to 10000
    ");
    insta::assert_snapshot!(complaint("[backoff]\ndefault_backoff_seconds = [1, -2]\njitter_max_percentage = 10\n"), @r"
    the settings cannot be used:
      tasker.toml: backoff.default_backoff_seconds is [1, -2]: write whole numbers from 0 to 4294967295
      tasker.toml: backoff.jitter_max_percentage is 10: write a number from 0 to 1
    ");
    insta::assert_snapshot!(complaint("[backoff]\nbackoff_multiplier = -2\n"), @r"
    the settings cannot be used:
      tasker.toml: backoff.backoff_multiplier is -2: write a number from 0.01 to 10
    ");
    insta::assert_snapshot!(complaint("[backoff]\nbackoff_multiplier = 0\n"), @r"
    the settings cannot be used:
      tasker.toml: backoff.backoff_multiplier is 0: write a number from 0.01 to 10
    ");
    insta::assert_snapshot!(complaint("[backoff]\nbackoff_multiplier = nan\njitter_max_percentage = nan\n"), @r"
    the settings cannot be used:
      tasker.toml: backoff.backoff_multiplier is NaN: write a number from 0.01 to 10
      tasker.toml: backoff.jitter_max_percentage is NaN: write a number from 0 to 1
    ");
}

#[test]
fn a_text_of_the_wrong_form_is_refused_with_what_may_be_written() {
    insta::assert_snapshot!(complaint("[worker]\nqueues = ['']\nhealth_listen = '8485'\n"), @r#"
    the settings cannot be used:
      tasker.toml: worker.queues is [""]: invalid queue "": it is blank; give at least one visible character
      tasker.toml: worker.health_listen is "8485": write an address with its port, such as 127.0.0.1:8484 or [::]:8484
    "#);
    insta::assert_snapshot!(complaint("[worker]\nqueues = []\n[http]\nlisten = '127.0.0.1:99999'\n"), @r#"
    the settings cannot be used:
      tasker.toml: worker.queues is []: name at least one queue, such as ["default"]
      tasker.toml: http.listen is "127.0.0.1:99999": write an address with its port, such as 127.0.0.1:8484 or [::]:8484
    "#);
    insta::assert_snapshot!(complaint("[database]\nurl = 'mysql://u:hunter2@h/d'\n"), @r#"
    the settings cannot be used:
      tasker.toml: database.url is "mysql://u:********@h/d": write sqlite:PATH, postgres://USER:PASSWORD@HOST/DATABASE or memory:
    "#);
    insta::assert_snapshot!(complaint("[log]\nlevel = 'inof'\n"), @r#"
    the settings cannot be used:
      tasker.toml: log.level is "inof": write error, warn, info, debug, trace or off, or by part such as info,tasker_engine=debug
    "#);
}

#[test]
fn a_named_file_must_be_there_and_be_toml() {
    let load = |file: &str| {
        Settings::load(&Sources { file: Some(Path::new(file).to_owned()), ..Sources::default() })
            .expect_err("refused")
    };
    insta::assert_snapshot!(load("nowhere/tasker.toml"), @r"
    the settings cannot be used:
      nowhere/tasker.toml: there is no such file: name one that exists, or leave --config out
    ");
    insta::assert_snapshot!(load("/"), @r"
    the settings cannot be used:
      /: it cannot be read: Is a directory (os error 21)
    ");
    insta::assert_snapshot!(complaint("[worker]\nconcurrency = = 8\n"), @r"
    the settings cannot be used:
      tasker.toml: this is not TOML: line 2, column 15: extra `=`, expected nothing
    ");
}

#[test]
fn a_secret_stands_in_no_message() {
    let error = from_flags(&[("database.url", "postgres://u:hunter2@h/d"), ("worker.concurrency", "x")]);
    assert!(!error.expect_err("refused").to_string().contains("hunter2"));
    assert!(!complaint("[database]\nmax_connections = 'postgres://u:hunter2@h/d'\n").contains("hunter2"));
    assert!(!complaint("[database]\npassword = 'hunter2'\n").contains("hunter2"));
    assert!(!complaint("[database]\nurl = 'postgres://u:hunter2@h/d\n").contains("hunter2"));
    assert!(!complaint("[database]\nurl = 'u:hunter2@h/d'\n").contains("hunter2"));
    assert!(!complaint("[database]\nurl = 'host=h password=hunter2'\n").contains("hunter2"));
    assert!(!complaint("[database]\nurl = 'postgres://h/d?passwd=hunter2'\n").contains("hunter2"));
}

#[test]
fn a_token_stands_in_no_message_and_no_print() {
    let file =
        complaint("[http]\nmetrics_token = 1234567\nadmin_token = 'hunter2'\nadmin_token_file = 'x'\n");
    insta::assert_snapshot!(file, @r"
    the settings cannot be used:
      tasker.toml: http.metrics_token is ********: write a text, or leave it out
      tasker.toml: http.admin_token is ********: the token has 7 characters: give at least 16, such as `openssl rand -hex 32` makes
      tasker.toml: http.admin_token is ********: http.admin_token_file is set as well; leave one of the two out
    ");
    let loaded =
        from_flags(&[("http.metrics_token", "hunter2hunter2hunter2"), ("http.admin_token_file", "a/b")])
            .expect("valid");
    let (printed, debugged) = (print_config(&loaded), format!("{loaded:?}"));
    assert!(!printed.contains("hunter2") && !debugged.contains("hunter2"), "{printed}{debugged}");
    assert!(printed.contains("admin_token_file = \"a/b\""), "{printed}");
}

#[test]
fn routes_are_read_from_a_file_and_from_a_variable_and_printed() {
    let place = Place::with(
        "[events.routes.'task.completed']\nbackends = ['logs']\nsampling = 0.5\npriority = 'low'\n",
    );
    let route = "{\"step.failed\": {\"sampling\": 0}}";
    let environment = pairs(&[("TASKER__EVENTS__ROUTES", route)]);
    let loaded = Settings::load(&Sources { environment, ..place.sources() }).expect("valid");
    let printed = print_config(&loaded);
    let line = printed.lines().find(|line| line.starts_with("routes")).expect("a line");
    insta::assert_snapshot!(line, @r#"routes = { "step.failed" = { sampling = 0.0 }, "task.completed" = { backends = ["logs"], priority = "low", sampling = 0.5 } }  # TASKER__EVENTS__ROUTES"#);
    let again = Place::with(&printed);
    assert_eq!(Settings::load(&again.sources()).expect("valid").settings, loaded.settings);
    insta::assert_snapshot!(complaint("[events.routes.'task.complete']\nsampling = 1\n[events.routes.'task.failed']\nbackends = ['print']\n"), @r#"
    the settings cannot be used:
      tasker.toml: events.routes."task.complete" is no event: did you mean task.completed?
      tasker.toml: events.routes."task.failed".backends is ["print"]: unknown backend "print": write metrics, traces or logs
    "#);
    insta::assert_snapshot!(complaint("[events.routes.'task.failed']\nprio = 'high'\n"), @r#"
    the settings cannot be used:
      tasker.toml: events.routes is { "task.failed" = { prio = "high" } }: write routes such as { "task.completed" = { backends = ["metrics", "logs"], sampling = 0.5 } }
    "#);
}

#[expect(clippy::too_many_lines, reason = "one picture of all settings")]
#[test]
fn the_settings_that_hold_are_printed_with_where_each_came_from() {
    let loaded =
        from_flags(&[("database.url", "postgres://u:hunter2@h/d"), ("worker.name", "w")]).expect("valid");
    insta::assert_snapshot!(print_config(&loaded), @r#"
    [database]
    url = "postgres://u:********@h/d"  # command line
    durability = "full"                # default
    max_connections = 10               # default
    wait_seconds = 30                  # default

    [engine]
    identity = "default"            # default
    identity_window_seconds = 60    # default
    worker_gone_after_seconds = 60  # default
    # environment is not set

    [worker]
    enabled = false             # default
    name = "w"                  # command line
    queues = ["default"]        # default
    concurrency = 64            # default
    lease_seconds = 30          # default
    drain_timeout_seconds = 30  # default
    # bindings is not set
    allow_env = []              # default
    # base_dir is not set
    keep_logs = true            # default
    # health_listen is not set

    [agents]
    enabled = true                 # default
    retention_days = 30            # default
    failed_retention_days = 90     # default
    prune_interval_seconds = 3600  # default
    rescue_interval_seconds = 5    # default
    idle_interval_seconds = 60     # default

    [backoff]
    default_backoff_seconds = [1, 2, 4, 8, 16, 32]  # default
    max_backoff_seconds = 300                       # default
    backoff_multiplier = 2.0                        # default
    jitter_enabled = true                           # default
    jitter_max_percentage = 0.1                     # default

    [log]
    level = "info"     # default
    format = "pretty"  # default
    color = "auto"     # default
    redact = []        # default

    [events]
    routes = {}       # default
    subscribers = {}  # default

    [traces]
    enabled = false                     # default
    endpoint = "http://127.0.0.1:4317"  # default
    protocol = "grpc"                   # default
    # headers is not set
    # ca_file is not set
    ratio = 1.0                         # default
    slow_seconds = 60                   # default
    # service_name is not set

    [http]
    enabled = true                   # default
    listen = "127.0.0.1:8484"        # default
    metrics_enabled = true           # default
    # metrics_token is not set
    # metrics_token_file is not set
    # admin_token is not set
    # admin_token_file is not set

    [templates]
    directories = []  # default
    "#);
}

#[test]
fn what_is_printed_can_be_read_again() {
    let loaded =
        from_flags(&[("worker.queues", "a,b"), ("worker.name", "tab\t\"quote\" \u{1}")]).expect("valid");
    let place = Place::with(&print_config(&loaded));
    assert_eq!(Settings::load(&place.sources()).expect("valid").settings, loaded.settings);
}

#[test]
fn every_setting_is_told_of() {
    for setting in Settings::all() {
        assert!(setting.doc.ends_with('.'), "{} has no sentence of its own", setting.key());
    }
    let page = settings_reference();
    let worker = page.split_once("## worker\n\n").expect("a section").1;
    insta::assert_snapshot!(worker.lines().take(6).collect::<Vec<_>>().join("\n"), @r"
    How steps are run. tasker-worker always runs a worker; tasker-server does if `enabled`.

    | Setting | What may be written | Default | Meaning |
    |---|---|---|---|
    | `enabled` | true or false | `false` | Whether tasker-server runs a worker in its own process. |
    | `name` | a text, or leave it out | none | The name that people see; host and process id if absent. |
    ");
}

#[test]
fn tables_and_files_hold_the_same_settings() {
    let values = serde_json::to_value(Settings::default()).expect("plain data");
    let written = values.as_object().expect("sections").iter();
    let written = written.flat_map(|(section, settings)| {
        settings.as_object().expect("settings").keys().map(move |name| format!("{section}.{name}"))
    });
    let mut told: Vec<String> = Settings::all().iter().map(Setting::key).collect();
    told.sort();
    assert_eq!(written.collect::<Vec<_>>(), told);
}
