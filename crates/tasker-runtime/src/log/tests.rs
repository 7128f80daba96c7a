//! What stands in the log, in each form, and what does not.

use std::sync::Mutex;

use serde_json::{Value, json};
use tasker_core::{ManualClock, Timestamp};
use tasker_events::{Backend, Event, Events, Routes};

use super::*;
use crate::settings::LogFormat;

/// 2026-01-02T03:04:05.678901Z.
const NOW: Timestamp = Timestamp::from_micros(1_767_323_045_678_901);

/// A log that is kept.
struct Kept {
    text: Arc<Mutex<String>>,
    control: LogControl,
    dispatch: tracing::Dispatch,
}

impl Kept {
    fn begin(settings: &LogSettings) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let page = Arc::clone(&text);
        let (filter, control) = LogControl::begin(&settings.level).expect("a level");
        let origin =
            Origin { service: "kettle".into(), version: "1.2.3", process: 7, instance: "host:7".into() };
        let lines = Lines {
            form: Form { format: settings.format, is_coloured: settings.color == Color::Always, origin },
            redaction: settings.redaction().expect("patterns"),
            clock: Arc::new(ManualClock::new(NOW)),
            paper: Arc::new(move |line| page.lock().expect("no panic").push_str(line)),
        };
        let dispatch = tracing_subscriber::registry().with(lines.with_filter(filter)).into();
        Self { text, control, dispatch }
    }

    /// What is written while something is said.
    fn hear(&self, say: impl FnOnce()) -> String {
        tracing::dispatcher::with_default(&self.dispatch, say);
        std::mem::take(&mut *self.text.lock().expect("no panic"))
    }
}

/// What is logged by `say` in one form.
fn logged(format: LogFormat, say: impl FnOnce()) -> String {
    Kept::begin(&LogSettings { format, level: "trace".into(), ..LogSettings::default() }).hear(say)
}

fn as_json(say: impl FnOnce()) -> Value {
    let line = logged(LogFormat::Json, say);
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// Something is said within two spans.
fn something() {
    let _task = tracing::info_span!("task", task_id = %"t 1", attempt = 1).entered();
    let _step = tracing::info_span!("step", step = "charge", attempt = 2).entered();
    let why = "a \"b\"\nc";
    tracing::warn!(target: "tasker::test", seconds = 1.5, is_late = true, why, "it took\nlong");
}

#[test]
fn a_line_for_programs_is_one_flat_object() {
    insta::assert_snapshot!(logged(LogFormat::Json, something), @r#"{"timestamp":"2026-01-02T03:04:05.678901Z","level":"warn","target":"tasker::test","message":"it took\nlong","seconds":1.5,"is_late":true,"why":"a \"b\"\nc","step":"charge","attempt":2,"task_id":"t 1","service":"kettle","tasker_version":"1.2.3","process_id":7,"instance":"host:7"}"#);
}

#[test]
fn a_line_of_pairs_says_the_same() {
    insta::assert_snapshot!(logged(LogFormat::Logfmt, something), @r#"ts=2026-01-02T03:04:05.678901Z level=warn target=tasker::test msg="it took\nlong" seconds=1.5 is_late=true why="a \"b\"\nc" step=charge attempt=2 task_id="t 1" service=kettle tasker_version=1.2.3 process_id=7 instance=host:7"#);
}

#[test]
fn a_line_for_people_leaves_out_what_is_the_same_in_all() {
    insta::assert_snapshot!(logged(LogFormat::Pretty, something), @r#"
    2026-01-02T03:04:05.678Z  WARN tasker::test: it took
        long seconds=1.5 is_late=true step=charge attempt=2 task_id="t 1"
      why:
        a "b"
        c
    "#);
}

#[test]
fn a_line_for_people_may_be_coloured() {
    let settings = LogSettings { color: Color::Always, ..LogSettings::default() };
    let line = Kept::begin(&settings).hear(|| tracing::error!(target: "t", a = 1, "no"));
    assert_eq!(
        line,
        "\u{1b}[2m2026-01-02T03:04:05.678Z\u{1b}[0m \u{1b}[31mERROR\u{1b}[0m \u{1b}[2mt:\u{1b}[0m no \u{1b}[2ma=\u{1b}[0m1\n"
    );
}

#[test]
fn every_value_is_valid_json() {
    let line = as_json(|| {
        let hostile = "\u{0}\u{1b}[2J\"\\\r\n\u{2028}\u{202e}𝄞";
        tracing::info!(hostile, nan = f64::NAN, big = u64::MAX, huge = i128::MIN, less = -1, "{hostile}");
    });
    assert_eq!(line["hostile"], line["message"]);
    assert_eq!((&line["nan"], &line["big"], &line["less"]), (&json!("NaN"), &json!(u64::MAX), &json!(-1)));
}

#[test]
fn no_line_can_be_forged() {
    for format in [LogFormat::Json, LogFormat::Logfmt, LogFormat::Pretty] {
        let text = logged(format, || {
            let forged = "x\n2026-01-02T03:04:05.678Z ERROR tasker: all is lost\u{1b}[2J";
            tracing::info!(target: "t\nERROR", forged, "{forged}");
        });
        let begun = text.lines().filter(|line| !line.starts_with("  ")).count();
        assert_eq!(begun, 1, "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}

#[test]
fn a_field_does_not_take_the_place_of_what_every_line_has() {
    let line = as_json(|| tracing::info!(level = "none", service = "mine", timestamp = 0, "said"));
    assert_eq!((&line["level"], &line["service"]), (&json!("info"), &json!("kettle")));
    assert_eq!((&line["field.level"], &line["field.timestamp"]), (&json!("none"), &json!(0)));
}

#[test]
fn fields_that_a_span_learns_later_are_told() {
    let line = as_json(|| {
        let span = tracing::info_span!("request", status = tracing::field::Empty).entered();
        span.record("status", 200);
        tracing::info!("answered");
    });
    assert_eq!(line["status"], 200);
}

#[test]
fn secrets_are_told_in_no_form() {
    for format in [LogFormat::Json, LogFormat::Logfmt, LogFormat::Pretty] {
        let redact = vec!["iban".to_owned()];
        let settings = LogSettings { format, redact, ..LogSettings::default() };
        let text = Kept::begin(&settings).hear(|| {
            let _span = tracing::info_span!("call", api_key = "hunter2").entered();
            tracing::info!(
                password = "hunter2",
                iban = "hunter2",
                user.token = "hunter2",
                by = "ada",
                "called"
            );
        });
        assert!(!text.contains("hunter2") && text.contains("ada"), "{text}");
        assert_eq!(text.matches("[redacted]").count(), 4, "{text}");
    }
}

/// What an event of a handler becomes.
fn custom(payload: Value) -> Value {
    let events = Events::builder(Routes::default()).sink(Backend::Logs, Arc::new(EventLog)).build();
    events.custom().register("order.paid", "", &[], NOW).expect("a name");
    as_json(|| events.emit_custom("order.paid", None, payload).expect("registered"))
}

#[test]
fn the_payload_of_an_event_becomes_fields_without_its_secrets() {
    let line = custom(json!({
        "card": { "number": "1", "password": "hunter2" }, "calls": [{ "api_key": "hunter2", "ok": true }],
        "event": "forged", "level": "forged", "nothing": null,
    }));
    assert_eq!(
        (&line["event"], &line["entity"], &line["level"]),
        (&json!("order.paid"), &json!("order"), &json!("debug"))
    );
    assert_eq!((&line["card.number"], &line["card.password"]), (&json!("1"), &json!("[redacted]")));
    assert_eq!(line["calls"], json!([{ "api_key": "[redacted]", "ok": true }]));
    assert!(line.get("nothing").is_none() && line.get("payload").is_none(), "{line}");
}

#[test]
fn a_payload_that_cannot_be_searched_for_secrets_is_not_told() {
    let nested = (0..200).fold(json!({ "password": "hunter2" }), |inner, _| json!([inner]));
    let line = custom(json!({ "deep": nested }));
    assert_eq!(line["payload"], "[unreadable]");
    assert_eq!(
        custom(json!(["a", { "token": "hunter2" }]))["payload"],
        json!(["a", { "token": "[redacted]" }])
    );
}

#[test]
fn a_line_has_so_many_fields_and_no_more() {
    let many: serde_json::Map<String, Value> =
        (0..2_000).map(|n| (format!("k{n}"), json!({ "a": n, "b": n }))).collect();
    assert!(custom(Value::Object(many)).as_object().expect("an object").len() < line::MOST_FIELDS + 16);
}

#[test]
fn an_event_tells_how_long_it_took_and_what_that_means() {
    let mut routes = Routes::default();
    routes.send(tasker_events::EventId::DatabaseQueryFailed, &[Backend::Logs]);
    let events = Events::builder(routes).sink(Backend::Logs, Arc::new(EventLog)).build();
    let line = logged(LogFormat::Json, || {
        events.emit(&Event::DatabaseQueryFailed {
            operation: "claim",
            duration: 1.234_567_8,
            error_message: "it is away",
            is_transient: true,
        });
    });
    insta::assert_snapshot!(line, @r#"{"timestamp":"2026-01-02T03:04:05.678901Z","level":"warn","target":"tasker::event","message":"database.query_failed","entity":"database","event":"database.query_failed","error_message":"it is away","is_transient":true,"operation":"claim","duration_ms":1234.568,"performance_category":"slow","service":"kettle","tasker_version":"1.2.3","process_id":7,"instance":"host:7"}"#);
}

#[test]
fn the_level_can_be_changed_while_the_log_is_written() {
    let log = Kept::begin(&LogSettings::default());
    let say = || {
        tracing::debug!("in detail");
        tracing::error!("at last");
    };
    assert_eq!(log.hear(say).lines().count(), 1);
    let set = |level: &str| tracing::dispatcher::with_default(&log.dispatch, || log.control.set_level(level));
    set("trace").expect("a level");
    assert_eq!((log.hear(say).lines().count(), log.control.level()), (3, "trace".to_owned()));
    let refused = set("loud").expect_err("no level").to_string();
    assert_eq!(refused, format!("log.level is \"loud\": write {LEVELS}"));
    set("off").expect("a level");
    let told = log.hear(|| {});
    assert!(told.contains("the level of the log is changed from=trace to=off"), "{told}");
    assert_eq!((log.hear(say), log.control.level()), (String::new(), "off".to_owned()));
    drop(log.dispatch);
    assert_eq!(log.control.set_level("info"), Err(LogError::Gone));
}

#[test]
fn a_level_is_a_word_or_a_list_of_parts() {
    for level in ["info", "WARN", "off", "info,tasker_engine=debug", "tasker_store=trace, warn"] {
        assert!(filter(level).is_ok(), "{level}");
    }
    for level in ["", "inof", "info;debug", "tasker_engine=loud", "info,"] {
        assert!(filter(level).is_err(), "{level}");
    }
}
