//! Lists of tasks, inputs of handlers, lanes.

use serde_json::{Value, json};
use tasker_core::{State, TaskId};

use crate::command::{Command, Target};
use crate::conformance::bench::{Bench, namespace};
use crate::conformance::graph::graph;
use crate::record::{Page, TaskBrief, TaskFilter, TaskSort};
use crate::submit::NewTask;

async fn list(bench: &Bench, filter: TaskFilter, page: Page) -> Vec<TaskId> {
    let tasks = bench.store.tasks(&filter, page).await.expect("the store lists tasks");
    tasks.iter().map(|task| task.id).collect()
}

async fn listed(bench: &Bench, filter: TaskFilter) -> Vec<TaskId> {
    list(bench, filter, Page::default()).await
}

fn tags(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// C8.
pub(crate) async fn a_list_comes_in_pages(bench: &Bench) {
    let plan = bench.draft_of("a").await.plan;
    let mut ids = Vec::new();
    for _ in 0..25 {
        ids.push(bench.create(bench.draft(plan)).await);
    }
    let page = Page::default();
    assert_eq!(list(bench, TaskFilter::default(), page).await, ids[..20]);
    let rest = Page { limit: 5, offset: 20, ..page };
    assert_eq!(list(bench, TaskFilter::default(), rest).await, ids[20..]);
    let beyond = Page { offset: 25, ..page };
    assert_eq!(list(bench, TaskFilter::default(), beyond).await, []);
    assert_eq!(list(bench, TaskFilter::default(), Page { limit: 0, ..page }).await, []);
    let all = Page { limit: u32::MAX, ..page };
    assert_eq!(list(bench, TaskFilter::default(), all).await, ids);
    let newest = Page { limit: 3, offset: 1, sort: TaskSort::NewestFirst };
    assert_eq!(list(bench, TaskFilter::default(), newest).await, [ids[23], ids[22], ids[21]]);
}

pub(crate) async fn a_list_is_in_the_order_of_the_ids(bench: &Bench) {
    let plan = bench.draft_of("a").await.plan;
    let (one, two, three) = (bench.task_id(), bench.task_id(), bench.task_id());
    for id in [two, three, one] {
        bench.create(NewTask { id, ..bench.draft(plan) }).await;
    }
    assert_eq!(listed(bench, TaskFilter::default()).await, [one, two, three]);
}

pub(crate) async fn a_list_may_be_of_one_namespace_or_name(bench: &Bench) {
    let shop = bench.submit("shop.orders@1.0.0: a").await;
    let later = bench.submit("shop.orders@2.0.0: a").await;
    let refunds = bench.submit("shop.refunds: a").await;
    let bank = bench.submit("bank.orders: a").await;
    let of = |name: &str| TaskFilter { namespace: Some(namespace(name)), ..TaskFilter::default() };
    let named = |name: &str| TaskFilter { name: Some(name.to_owned()), ..TaskFilter::default() };
    assert_eq!(listed(bench, of("shop")).await, [shop, later, refunds]);
    assert_eq!(listed(bench, of("Shop")).await, []);
    assert_eq!(listed(bench, named("orders")).await, [shop, later, bank]);
    assert_eq!(listed(bench, named("order%")).await, [], "a name is no pattern");
    let both = TaskFilter { name: Some("orders".to_owned()), ..of("bank") };
    assert_eq!(listed(bench, both).await, [bank]);
}

pub(crate) async fn a_list_may_be_of_some_states(bench: &Bench) {
    let complete = bench.submit("one: a").await;
    bench.complete_everything().await;
    let running = bench.submit("two: a").await;
    bench.claim(1).await.one();
    let pending = bench.submit("three: a").await;
    let of = |states: &[State]| TaskFilter { states: states.to_vec(), ..TaskFilter::default() };
    assert_eq!(listed(bench, of(&[State::Pending])).await, [pending]);
    assert_eq!(listed(bench, of(&[State::Pending, State::Complete])).await, [complete, pending]);
    assert_eq!(listed(bench, of(&[State::InProgress, State::InProgress])).await, [running]);
    assert_eq!(listed(bench, of(&[State::Error])).await, []);
    assert_eq!(listed(bench, of(&[])).await, [complete, running, pending]);
}

pub(crate) async fn a_list_may_be_of_tasks_with_all_of_some_tags(bench: &Bench) {
    let plan = bench.draft_of("a").await.plan;
    let mut ids = Vec::new();
    for words in [&[] as &[&str], &["red"], &["red", "blue"], &["Red", "re", "d"], &["a\"b", "50%"]] {
        ids.push(bench.create(NewTask { tags: tags(words), ..bench.draft(plan) }).await);
    }
    let with = |words: &[&str]| TaskFilter { tags: tags(words), ..TaskFilter::default() };
    assert_eq!(listed(bench, with(&["red"])).await, [ids[1], ids[2]]);
    assert_eq!(listed(bench, with(&["blue", "red", "red"])).await, [ids[2]]);
    assert_eq!(listed(bench, with(&["a\"b"])).await, [ids[4]]);
    assert_eq!(listed(bench, with(&["50%"])).await, [ids[4]]);
    assert_eq!(listed(bench, with(&["%"])).await, [], "a tag is no pattern");
    bench.update_task(ids[0], None, Some(&["blue"])).await.expect("changed");
    assert_eq!(listed(bench, with(&["blue"])).await, [ids[0], ids[2]]);
}

pub(crate) async fn histories_come_in_the_order_asked(bench: &Bench) {
    let one = bench.create(NewTask { context: json!({"n": 1}), ..bench.draft_of("one: a -> b").await }).await;
    bench.complete_everything().await;
    let wide: Vec<String> = (0..300).map(|number| format!("s{number}")).collect();
    let two = bench.submit(&format!("two: {}", wide.join(", "))).await;
    bench.complete_everything().await;
    let three = bench.submit("three: a").await;
    bench.fail(bench.claim(1).await.one()).await;
    let (target, results) = (Target::Task(three), None);
    let (by, reason) = ("Zoë -1 9|\n{\"\u{1f600} ".to_owned(), Some("1 2 3 \\ täglich\n".to_owned()));
    bench.order(Command::Resolve { target, results, by, reason }).await.expect("resolved");
    let none = bench.store.histories(&[]).await.expect("nothing");
    assert_eq!(none, []);
    let asked = [three, one, bench.task_id(), two, one];
    let histories = bench.store.histories(&asked).await.expect("histories");
    let told: Vec<TaskId> = histories.iter().map(|history| history.task.id).collect();
    assert_eq!(told, [three, one, two], "unknown ones are left out, repeated ones told once");
    for history in histories {
        let id = history.task.id;
        assert_eq!(bench.store.task(id).await.expect("a task").map(TaskBrief::from), Some(history.task));
        assert_eq!(bench.store.history(id).await.expect("a history"), history.transitions);
    }
}

pub(crate) async fn inputs_come_in_the_order_asked(bench: &Bench) {
    let one = bench.create(NewTask { context: json!({"n": 1}), ..bench.draft_of("one: a -> b").await }).await;
    let two = bench.create(NewTask { context: json!({"n": 2}), ..bench.draft_of("two: a").await }).await;
    let asked = [two.step(0), one.step(1), two.step(9), bench.task_id().step(0), one.step(0), two.step(0)];
    let inputs = bench.store.inputs(&asked).await.expect("inputs");
    let told: Vec<_> = inputs.iter().map(|inputs| (inputs.step, inputs.context["n"].as_i64())).collect();
    let (first, second) = (Some(1), Some(2));
    let expected = [(two.step(0), second), (one.step(1), first), (one.step(0), first), (two.step(0), second)];
    assert_eq!(told, expected, "unknown ones are left out, repeated ones repeated");
}

pub(crate) async fn a_handler_gets_the_results_of_what_it_depends_on(bench: &Bench) {
    let task = bench.submit("d, c, b, a; c, a, b -> join; a -> tail; join -> last").await;
    for (_, lease) in bench.claim(9).await.named() {
        let ordinal = lease.key.step.ordinal();
        bench.settle(lease.complete(json!({ "from": ordinal }))).await;
    }
    let from = |ordinal: u32| (ordinal, json!({ "from": ordinal }));
    assert_eq!(bench.inputs(task, "join").await.1, [from(1), from(2), from(3)], "by ordinal");
    assert_eq!(bench.inputs(task, "tail").await.1, [from(3)]);
    assert_eq!(bench.inputs(task, "last").await.1, [(4, Value::Null)], "what has none yet has null");
}

/// The order that a template which is not concurrent imposes makes no dependency.
pub(crate) async fn a_handler_gets_nothing_of_a_step_that_merely_ran_before(bench: &Bench) {
    let task = bench.submit("flow sequential: a, b, c; a -> c").await;
    bench.complete_everything().await;
    assert_eq!(bench.inputs(task, "b").await.1, []);
    assert_eq!(bench.inputs(task, "c").await.1, [(0, Value::Null)]);
}

pub(crate) async fn every_lane_is_told_with_its_oldest_ready_step(bench: &Bench) {
    let template =
        graph("shop.flow: a{queue=bulk handler=x priority=3} -> b; c{queue=bulk handler=x priority=3}");
    let plan = bench.plan_of(&template, 10).await;
    let told = async || {
        let lanes = bench.store.lanes().await.expect("lanes");
        let told = lanes.iter().map(|lane| {
            let waits = lane.oldest_ready_at.map(|since| bench.now().since(since).as_secs());
            format!("{}/{}/{}/{} {waits:?}", lane.namespace, lane.queue, lane.handler, lane.priority)
        });
        told.collect::<Vec<_>>()
    };
    assert_eq!(told().await, ["shop/bulk/x/13 None", "shop/default/run/10 None"], "as the plan needs them");
    bench.create(bench.draft(plan)).await;
    bench.advance(5);
    assert_eq!(told().await, ["shop/bulk/x/13 Some(5)", "shop/default/run/10 None"]);
    let mut hand = bench.claim(2).await;
    bench.retry_in(hand.take("c"), 5).await;
    bench.complete(hand.take("a")).await;
    bench.advance(3);
    assert_eq!(
        told().await,
        ["shop/bulk/x/13 None", "shop/default/run/10 Some(3)"],
        "what waits for its time is not ready"
    );
    bench.advance(3);
    assert_eq!(told().await, ["shop/bulk/x/13 Some(1)", "shop/default/run/10 Some(6)"]);
}

pub(crate) async fn a_lane_says_whether_its_namespace_is_paused(bench: &Bench) {
    let task = bench.submit("shop.flow: a").await;
    bench.submit("bank.flow: a").await;
    bench.pause_namespace("shop").await.expect("paused");
    let lanes = bench.store.lanes().await.expect("lanes");
    let told: Vec<_> = lanes.iter().map(|lane| (lane.namespace.as_str(), lane.paused)).collect();
    assert_eq!(told, [("shop", true), ("bank", false)]);
    assert!(lanes.iter().all(|lane| lane.oldest_ready_at.is_some()), "it waits nevertheless");
    bench.pause(task).await.expect("paused");
    let lanes = bench.store.lanes().await.expect("lanes");
    assert_eq!(lanes[0].oldest_ready_at, None, "what is held is not ready");
}

pub(crate) async fn a_step_out_of_range_does_not_exist(bench: &Bench) {
    let task = bench.submit("a, b").await;
    assert_eq!(bench.steps(task).await.len(), 2);
    let asked = [task.step(2), task.step(1_048_573)];
    assert_eq!(bench.store.inputs(&asked).await.expect("inputs"), []);
}
