//! Texts and numbers that hurt: what goes in comes out.

use serde_json::{Value, json};
use tasker_core::{Failure, FailureKind, When};

use crate::command::{Command, Target};
use crate::conformance::bench::{Bench, namespace};
use crate::record::TaskFilter;
use crate::submit::NewTask;

/// Texts that break quoting, encoding or patterns. Only the first may not stand outside of JSON.
const TEXTS: [&str; 14] = [
    "a\u{0}b",
    "",
    " ",
    "it's \"quoted\" and `ticked`",
    "\\ back\\slashes\\\\ \\u0041 \\x00 \\'",
    "'; DROP TABLE tasks; --",
    "line\nbreak\r\nand\ttab",
    "\u{1}\u{1f}\u{7f}\u{85}\u{2028}\u{2029}\u{feff}",
    "grüße, 你好, مرحبا, 👩‍👩‍👧‍👦, e\u{301}",
    "\u{10ffff}\u{fffd}\u{e000}",
    "{\"json\": [1, null]}",
    "$1 ? :name @p %s {} ${HOME} {{x}}",
    "100%_like_[a-z]*",
    "{a,b,\"c\",NULL}",
];

fn hostile() -> Value {
    let nested: Vec<Value> = TEXTS.iter().map(|text| json!({ (*text): text })).collect();
    json!({ "texts": TEXTS, "nested": nested, "": null, "\u{0}": ["\u{0}\u{0}"] })
}

/// Whole numbers at the edges of what JSON readers and databases keep.
const WHOLE: [i128; 7] = [
    0,
    -1,
    9_007_199_254_740_993,
    i64::MIN as i128,
    i64::MAX as i128,
    i64::MAX as i128 + 1,
    u64::MAX as i128,
];
/// Fractions at the edges, and two that a careless reader gets wrong in the last place.
const FRACTIONS: [f64; 14] = [
    0.1,
    -0.0,
    1.0,
    1e22,
    1e23,
    1e308,
    -1e-308,
    f64::MAX,
    f64::MIN_POSITIVE,
    5e-324,
    123_456_789.123_456_79,
    913.841_423_615_909_1,
    104.889_821_753_882_73,
    -6.676_040_344_723_838e276,
];

/// As deep as readers of JSON go.
fn deep() -> Value {
    (0..100).fold(
        json!("bottom"),
        |inner, level| if level % 2 == 0 { json!([inner]) } else { json!({ "k": inner }) },
    )
}

/// Stores a value in every place that takes one, and reads it back. Compared as text, which tells -0.0 from 0.
async fn round_trip(bench: &Bench, value: &Value) {
    let task = bench.create(NewTask { context: value.clone(), ..bench.draft_of("a -> b").await }).await;
    let text = value.to_string();
    assert_eq!(bench.task(task).await.context.to_string(), text, "the context");
    assert_eq!(bench.inputs(task, "a").await.0.to_string(), text, "the context as an input");
    bench.update_step(task, "a", Some(value.clone()), None).await.expect("changed");
    assert_eq!(bench.inputs(task, "a").await.0.to_string(), text, "the inputs");
    let lease = bench.claim_task(task).await.take("a");
    let failure =
        Failure::new(FailureKind::Permanent, format!("{text}\u{0}")).with_details(json!({ "value": value }));
    bench.settle(lease.retry(failure.clone(), When::At(bench.now()))).await;
    assert_eq!(bench.step(task, "a").await.failure, Some(failure.clone()), "the failure");
    let history = bench.transitions(task).await;
    let details = history.last().expect("a transition").details.to_string();
    assert_eq!(
        details,
        serde_json::to_value(&failure).expect("a failure as JSON").to_string(),
        "the details"
    );
    let lease = bench.claim_task(task).await.take("a");
    bench.settle(lease.complete(value.clone())).await;
    let results = bench.step(task, "a").await.results.expect("results");
    assert_eq!(results.to_string(), text, "the results");
    assert_eq!(bench.inputs(task, "b").await.1[0].1.to_string(), text, "the results as an input");
    bench.resolve_step(bench.submit("a").await, "a", Some(value.clone())).await.expect("resolved");
}

pub(crate) async fn hostile_texts_come_back_from_json(bench: &Bench) {
    round_trip(bench, &hostile()).await;
    for text in TEXTS {
        round_trip(bench, &json!(text)).await;
    }
}

pub(crate) async fn numbers_come_back_exactly(bench: &Bench) {
    round_trip(bench, &json!({ "whole": WHOLE, "fractions": FRACTIONS })).await;
    let task = bench.submit("a").await;
    bench.update_step(task, "a", Some(json!(FRACTIONS)), None).await.expect("changed");
    assert_eq!(bench.inputs(task, "a").await.0, json!(FRACTIONS), "to the last place");
}

pub(crate) async fn deep_values_come_back(bench: &Bench) {
    round_trip(bench, &deep()).await;
}

pub(crate) async fn large_values_come_back(bench: &Bench) {
    round_trip(bench, &json!({ "blob": "0123456789abcdef".repeat(65_536) })).await;
    let wide: Vec<Value> = (0..20_000).map(|n| json!({ "n": n, "text": "é\"\\" })).collect();
    round_trip(bench, &json!(wide)).await;
}

pub(crate) async fn plain_values_come_back(bench: &Bench) {
    for value in [json!(null), json!(true), json!([]), json!({}), json!(""), json!(0)] {
        round_trip(bench, &value).await;
    }
}

pub(crate) async fn hostile_texts_come_back_from_a_task(bench: &Bench) {
    for text in &TEXTS[1..] {
        let draft = NewTask {
            initiator: (*text).to_owned(),
            source_system: format!("system {text}"),
            reason: format!("because {text}"),
            tags: vec![(*text).to_owned(), format!("tag {text}")],
            bypass_steps: vec![(*text).to_owned()],
            ..bench.draft_of("a").await
        };
        let task = bench.task(bench.create(draft.clone()).await).await;
        let found = (task.initiator, task.source_system, task.reason, task.tags, task.bypass_steps);
        let expected = (draft.initiator, draft.source_system, draft.reason, draft.tags, draft.bypass_steps);
        assert_eq!(found, expected);
        let filter = TaskFilter { tags: vec![format!("tag {text}")], ..TaskFilter::default() };
        let listed = bench.store.tasks(&filter, crate::Page::default()).await.expect("a list");
        assert_eq!(listed.len(), 1, "{text:?}");
    }
}

pub(crate) async fn hostile_texts_come_back_from_commands(bench: &Bench) {
    for text in &TEXTS[1..] {
        let task = bench.submit("a").await;
        let (by, reason) = ((*text).to_owned(), Some((*text).to_owned()));
        bench.order(Command::Pause { task, by: by.clone(), reason: reason.clone() }).await.expect("paused");
        let pause = bench.task(task).await.paused.expect("a pause");
        assert_eq!((&pause.by, &pause.reason), (&by, &reason));
        let cancel = Command::Cancel { target: Target::Task(task), by: by.clone(), reason };
        bench.order(cancel).await.expect("cancelled");
        let history = bench.transitions(task).await;
        let last = history.last().expect("a transition");
        assert_eq!((last.by.as_ref(), &last.details["reason"]), (Some(&by), &json!(text)));
        bench.update_task(task, Some(text), None).await.expect("changed");
        assert_eq!(bench.task(task).await.reason, *text);
    }
}

pub(crate) async fn hostile_names_work_like_others(bench: &Bench) {
    let name = "it's \"a\" \\ 100%_ 👩‍👩‍👧‍👦 {x}";
    let definition = json!({
        "namespace_name": name,
        "name": name,
        "step_templates": [
            { "name": name, "handler_class": name, "queue": name },
            { "name": "b", "handler_class": "Payments::ChargeCard", "depends_on_step": name },
        ],
    });
    let template = tasker_core::TaskTemplate::from_definition(&definition).expect("a template");
    let task = bench.submit_template(&std::sync::Arc::new(template)).await;
    let filter =
        TaskFilter { namespace: Some(namespace(name)), name: Some(name.to_owned()), ..TaskFilter::default() };
    assert_eq!(bench.store.tasks(&filter, crate::Page::default()).await.expect("a list").len(), 1);
    bench.pause_namespace(name).await.expect("paused");
    assert!(bench.claim(9).await.is_empty());
    bench.resume_namespace(name).await.expect("resumed");
    assert_eq!(bench.claim(9).await.names(), name);
    assert_eq!(bench.store.template_keys().await.expect("keys"), [bench.template_of(task).await.key()]);
}

pub(crate) async fn hostile_identities_are_told_apart(bench: &Bench) {
    let mut seen = 0;
    for text in TEXTS[1..].iter().copied().chain(["\u{e9}", "e\u{301}", "A", "a", "a ", " a"]) {
        let identity = crate::Identity {
            hash: text.to_owned(),
            window: None,
            on_duplicate: tasker_core::OnDuplicate::Refuse,
        };
        let draft = NewTask { identity: Some(identity), ..bench.draft_of("a").await };
        bench.create(draft.clone()).await;
        let again = NewTask { id: bench.task_id(), ..draft };
        assert!(bench.try_submit(vec![again]).await.is_err(), "{text:?}");
        seen += 1;
    }
    assert_eq!(bench.all_tasks().await.len(), seen);
}
