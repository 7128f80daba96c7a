//! Templates and plans.

use std::sync::Arc;

use serde_json::json;
use tasker_core::{TaskTemplate, TemplateKey};

use crate::conformance::bench::Bench;
use crate::conformance::graph::{definition, graph};
use crate::template::{PlanId, StoredTemplate, TemplateConflict, TemplateId, WhenTaken};

async fn register(bench: &Bench, text: &str) -> TemplateId {
    bench.put(&graph(text), WhenTaken::Refuse).await.expect("the key is free")
}

async fn find(bench: &Bench, key: &TemplateKey) -> Option<StoredTemplate> {
    bench.store.template(key).await.expect("the store reads a template")
}

pub(crate) async fn a_template_is_read_back_as_it_was_stored(bench: &Bench) {
    let template = graph("shop.orders@1.2.0-rc.1 sequential: a{queue=bulk priority=-7 limit=9} -> b{once}");
    let stored_at = bench.now();
    let id = bench.put(&template, WhenTaken::Refuse).await.expect("the key is free");
    bench.advance(5);
    let found = find(bench, &template.key()).await.expect("the template is stored");
    assert_eq!((found.id, found.created_at), (id, stored_at));
    assert_eq!(found.template.definition, template.definition);
    assert_eq!(found.template.digest(), template.digest());
    assert_eq!(found.template.steps, template.steps);
    assert_eq!(found.template.key().to_string(), "shop.orders@1.2.0-rc.1");
}

pub(crate) async fn the_same_content_under_the_same_key_is_stored_once(bench: &Bench) {
    let id = register(bench, "shop.orders@1.0.0: a -> b").await;
    for when_taken in [WhenTaken::Refuse, WhenTaken::Replace] {
        let again = bench.put(&graph("shop.orders@1.0.0: a -> b"), when_taken).await;
        assert_eq!(again, Ok(id));
    }
    assert_eq!(bench.store.template_keys().await.expect("keys").len(), 1);
}

pub(crate) async fn the_order_of_keys_makes_no_other_content(bench: &Bench) {
    let text =
        r#"{"version": "1.0.0", "step_templates": [{"name": "a", "handler_class": "run"}], "name": "flow"}"#;
    let one: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let two = json!({"name": "flow", "step_templates": [{"handler_class": "run", "name": "a"}], "version": "1.0.0"});
    let mut ids = Vec::new();
    for definition in [one, two] {
        let template = Arc::new(TaskTemplate::from_definition(&definition).expect("a template"));
        ids.push(bench.put(&template, WhenTaken::Refuse).await);
    }
    assert_eq!(ids[0], ids[1]);
}

pub(crate) async fn other_content_under_a_taken_key_is_refused(bench: &Bench) {
    let id = register(bench, "shop.orders@1.0.0: a -> b").await;
    let other = graph("shop.orders@1.0.0: a -> c");
    let refused = bench.put(&other, WhenTaken::Refuse).await;
    assert_eq!(refused, Err(TemplateConflict { key: other.key() }));
    let current = find(bench, &other.key()).await.expect("the first is there");
    assert_eq!((current.id, current.template.steps.len()), (id, 2));
    assert_eq!(current.template.steps[1].name, "b");
}

pub(crate) async fn a_replaced_template_stays_for_the_tasks_made_of_it(bench: &Bench) {
    let task = bench.submit("orders@1.0.0: a -> b").await;
    let old = bench.template_of(task).await;
    let plan = bench.task(task).await.plan;
    let second = bench.submit("orders@1.0.0: a -> b -> c").await;
    assert_ne!(bench.task(second).await.plan, plan);
    assert_eq!(bench.template_of(task).await.digest(), old.digest());
    bench.complete_everything().await;
    assert_eq!(bench.picture(task).await, "complete: a complete, b complete");
    assert_eq!(bench.picture(second).await, "complete: a complete, b complete, c complete");
}

pub(crate) async fn content_that_was_replaced_may_come_back(bench: &Bench) {
    let (one, two) = (graph("orders@1.0.0: a"), graph("orders@1.0.0: b"));
    let first = bench.put(&one, WhenTaken::Refuse).await.expect("the key is free");
    bench.advance(1);
    let second = bench.put(&two, WhenTaken::Replace).await.expect("replaced");
    assert_ne!(first, second);
    assert!(bench.put(&one, WhenTaken::Refuse).await.is_err(), "what is not current is other content");
    assert_eq!(bench.put(&one, WhenTaken::Replace).await, Ok(first), "its number comes back with it");
    assert_eq!(find(bench, &one.key()).await.expect("a template").id, first);
    assert_eq!(bench.store.template_keys().await.expect("keys").len(), 1);
}

/// W15.
pub(crate) async fn a_task_keeps_the_version_it_was_made_with(bench: &Bench) {
    let task = bench.submit("orders@1.0.0: a -> b").await;
    bench.complete_ready().await;
    register(bench, "orders@2.0.0: a -> b -> c").await;
    assert_eq!(bench.template_of(task).await.key().to_string(), "default.orders@1.0.0");
    bench.complete_ready().await;
    assert_eq!(bench.picture(task).await, "complete: a complete, b complete");
}

/// W14.
pub(crate) async fn one_name_in_two_namespaces_is_two_templates(bench: &Bench) {
    let success = bench.submit("customer_success.process_refund@1.3.0: validate{handler=ask}").await;
    let payments = bench.submit("payments.process_refund@2.1.0: validate{handler=pay}").await;
    for (task, handler) in [(payments, "pay"), (success, "ask")] {
        let handlers = Arc::new([handler.parse().expect("a handler's name")]);
        let request = crate::ClaimRequest { handlers, ..bench.ask(9).await };
        assert_eq!(bench.claim_as(request).await.one().key.step.task(), task);
    }
}

/// M16: keys are ordered by namespace, name and precedence of versions, not as text.
pub(crate) async fn keys_are_listed_in_order(bench: &Bench) {
    for key in ["b.x@10.0.0", "b.x@9.0.0", "a.y@1.0.0", "b.x@9.0.0-rc.2", "b.x@9.0.0-rc.10", "a.x@3.0.0"] {
        register(bench, &format!("{key}: s")).await;
    }
    let keys = bench.store.template_keys().await.expect("keys");
    let keys: Vec<_> = keys.iter().map(ToString::to_string).collect();
    let expected = ["a.x@3.0.0", "a.y@1.0.0", "b.x@9.0.0-rc.2", "b.x@9.0.0-rc.10", "b.x@9.0.0", "b.x@10.0.0"];
    assert_eq!(keys, expected);
}

pub(crate) async fn a_key_without_a_template_finds_none(bench: &Bench) {
    register(bench, "shop.orders@1.0.0: a").await;
    for text in ["shop.orders@1.0.1: a", "Shop.orders@1.0.0: a", "shop.order@1.0.0: a", "orders@1.0.0: a"] {
        assert!(find(bench, &graph(text).key()).await.is_none(), "{text}");
    }
}

pub(crate) async fn a_plan_is_made_once_for_each_priority(bench: &Bench) {
    let template = register(bench, "a").await;
    let plain = bench.plan(template, 0).await.expect("a plan");
    let urgent = bench.plan(template, 50).await.expect("a plan");
    assert_ne!(plain, urgent);
    assert_eq!(bench.plan(template, 0).await, Some(plain));
    assert_eq!(bench.plan(template, 50).await, Some(urgent));
    let read = bench.store.read_plan(urgent).await.expect("an answer").expect("the plan is stored");
    assert_eq!((read.id, read.priority), (urgent, 50));
    assert_eq!(read.template.definition, definition("a"));
}

pub(crate) async fn a_plan_made_by_many_at_once_is_one(bench: &Bench) {
    let template = register(bench, "a{queue=one} -> b{queue=two}").await;
    let plans = futures::future::join_all((0..16).map(|_| bench.plan(template, 7))).await;
    assert!(plans.iter().all(|plan| plan.is_some() && *plan == plans[0]), "{plans:?}");
    let puts = futures::future::join_all((0..16).map(|_| register(bench, "other: a{queue=one}"))).await;
    assert!(puts.iter().all(|put| *put == puts[0]), "{puts:?}");
    assert_eq!(bench.store.lanes().await.expect("lanes").len(), 2);
}

pub(crate) async fn a_plan_of_a_replaced_template_may_still_be_made(bench: &Bench) {
    let old = register(bench, "orders@1.0.0: a").await;
    bench.put(&graph("orders@1.0.0: b"), WhenTaken::Replace).await.expect("replaced");
    let plan = bench.plan(old, 3).await.expect("the template exists");
    assert_eq!(bench.template_of_plan(plan).await.steps[0].name, "a");
}

pub(crate) async fn numbers_that_name_nothing_find_nothing(bench: &Bench) {
    let template = register(bench, "a").await;
    bench.plan(template, 0).await.expect("a plan");
    for number in [i64::MIN, -1, 0, 1_000_000, i64::MAX] {
        assert_eq!(bench.plan(TemplateId(number), 0).await, None, "{number}");
        assert!(bench.store.read_plan(PlanId(number)).await.expect("an answer").is_none(), "{number}");
    }
}
