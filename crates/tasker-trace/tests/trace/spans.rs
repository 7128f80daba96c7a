//! What the trace of a task looks like, by what the task went through.

use crate::support::{bench, draw, picture, shown, trace, trace_from};
use insta::assert_snapshot;
use serde_json::json;
use tasker_store::Attempts;
use tasker_store::Origin;
use tasker_trace::{Kind, Subject, TraceId, Value, attributes, is_verdict};

#[tokio::test]
async fn a_chain_is_one_run_of_steps_with_a_wait_and_an_attempt_each() {
    let bench = bench();
    let task = bench.submit("shop.orders@1.2.0: a -> b").await;
    bench.advance(2);
    for _ in 0..2 {
        let lease = bench.claim(1).await.one();
        bench.advance(3);
        bench.complete(lease).await;
    }
    assert_snapshot!(picture(&bench, task).await, @r"
    tasker.task shop.orders@1.2.0 0-8 state=complete
      tasker.orchestrate 0-8 trigger=created state=complete
        tasker.step a 0-5 state=complete
          tasker.queue 0-2 cause=ready
          tasker.attempt 2-5 outcome=completed
            tasker.handler run 2-5 outcome=completed
        tasker.step b 5-8 state=complete depends_on:a#1
          tasker.queue 5-5 cause=ready
          tasker.attempt 5-8 outcome=completed
            tasker.handler run 5-8 outcome=completed
    ");
}

#[tokio::test]
async fn a_step_links_to_the_final_attempts_of_those_it_depends_on() {
    let bench = bench();
    let task = bench.submit("start -> left, right -> end").await;
    bench.complete_ready().await;
    let mut hand = bench.claim(2).await;
    bench.retry_in(hand.take("right"), 4).await;
    bench.complete(hand.take("left")).await;
    bench.advance(5);
    bench.complete_everything().await;
    assert_snapshot!(picture(&bench, task).await, @r"
    tasker.task default.flow@0.1.0 0-5 state=complete
      tasker.orchestrate 0-5 trigger=created state=complete
        tasker.step start 0-0 state=complete
          tasker.queue 0-0 cause=ready
          tasker.attempt 0-0 outcome=completed
            tasker.handler run 0-0 outcome=completed
        tasker.step left 0-0 state=complete depends_on:start#1
          tasker.queue 0-0 cause=ready
          tasker.attempt 0-0 outcome=completed
            tasker.handler run 0-0 outcome=completed
        tasker.step right 0-5 state=complete depends_on:start#1
          tasker.queue 0-0 cause=ready
          tasker.attempt 0-0 outcome=error !retryable: it broke
            tasker.handler run 0-0 outcome=error !retryable: it broke
          tasker.queue 0-5 cause=retry_due
          tasker.attempt 5-5 delay_ms=5000 outcome=completed retry_of:right#1
            tasker.handler run 5-5 outcome=completed
        tasker.step end 5-5 state=complete depends_on:left#1 depends_on:right#2
          tasker.queue 5-5 cause=ready
          tasker.attempt 5-5 outcome=completed
            tasker.handler run 5-5 outcome=completed
    ");
}

#[tokio::test]
async fn a_lost_attempt_is_an_error_and_the_next_one_links_to_it() {
    let bench = bench();
    let task = bench.submit("a").await;
    bench.claim(1).await;
    bench.advance(61);
    bench.rescue().await;
    bench.complete_everything().await;
    assert_snapshot!(picture(&bench, task).await, @r"
    tasker.task default.flow@0.1.0 0-61 state=complete
      tasker.orchestrate 0-61 trigger=created state=complete
        tasker.step a 0-61 state=complete
          tasker.queue 0-0 cause=ready
          tasker.attempt 0-61 outcome=lost !lease_expired: the worker went away
            tasker.handler run 0-61 outcome=lost !lease_expired: the worker went away
          tasker.queue 61-61 cause=retry_due
          tasker.attempt 61-61 delay_ms=0 outcome=completed retry_of:a#1
            tasker.handler run 61-61 outcome=completed
    ");
}

#[tokio::test]
async fn a_snoozed_attempt_is_no_error() {
    let bench = bench();
    let task = bench.submit("a").await;
    let lease = bench.claim(1).await.one();
    bench.snooze(lease, 10).await;
    bench.advance(12);
    bench.complete_everything().await;
    assert_snapshot!(picture(&bench, task).await, @r"
    tasker.task default.flow@0.1.0 0-12 state=complete
      tasker.orchestrate 0-12 trigger=created state=complete
        tasker.step a 0-12 state=complete
          tasker.queue 0-0 cause=ready
          tasker.attempt 0-0 outcome=snoozed
            tasker.handler run 0-0 outcome=snoozed
          tasker.queue 0-12 cause=snoozed
          tasker.attempt 12-12 delay_ms=12000 outcome=completed retry_of:a#1
            tasker.handler run 12-12 outcome=completed
    ");
}

#[tokio::test]
async fn a_cancelled_task_ends_the_attempt_and_the_wait() {
    let bench = bench();
    let task = bench.submit("a, b; a -> c").await;
    bench.claim(1).await;
    bench.advance(3);
    bench.cancel(task).await.expect("it can be cancelled");
    assert_snapshot!(picture(&bench, task).await, @r"
    tasker.task default.flow@0.1.0 0-3 state=cancelled
      tasker.orchestrate 0-3 trigger=created state=cancelled
        tasker.step a 0-3 state=cancelled
          tasker.queue 0-0 cause=ready
          tasker.attempt 0-3 outcome=cancelled
            tasker.handler run 0-3 outcome=cancelled
        tasker.step b 0-3 state=cancelled
          tasker.queue 0-3 cause=ready
        tasker.step c 3-3 state=cancelled
    ");
}

#[tokio::test]
async fn a_step_resolved_before_it_was_tried_is_what_the_next_one_links_to() {
    let bench = bench();
    let task = bench.submit("a -> b").await;
    bench.advance(1);
    bench.resolve_step(task, "a", Some(json!(1))).await.expect("it can be resolved");
    bench.complete_everything().await;
    assert_snapshot!(picture(&bench, task).await, @r"
    tasker.task default.flow@0.1.0 0-1 state=complete
      tasker.orchestrate 0-1 trigger=created state=complete
        tasker.step a 0-1 state=resolved_manually
          tasker.queue 0-1 cause=ready
        tasker.step b 1-1 state=complete depends_on:a
          tasker.queue 1-1 cause=ready
          tasker.attempt 1-1 outcome=completed
            tasker.handler run 1-1 outcome=completed
    ");
}

#[tokio::test]
async fn a_paused_task_waits_in_the_queue() {
    let bench = bench();
    let task = bench.submit("a").await;
    bench.pause(task).await.expect("it can be paused");
    bench.advance(30);
    bench.resume(task).await.expect("it can be resumed");
    bench.complete_everything().await;
    assert_snapshot!(picture(&bench, task).await, @r"
    tasker.task default.flow@0.1.0 0-30 state=complete
      tasker.orchestrate 0-30 trigger=created state=complete
        tasker.step a 0-30 state=complete
          tasker.queue 0-30 cause=ready
          tasker.attempt 30-30 outcome=completed
            tasker.handler run 30-30 outcome=completed
    ");
}

#[tokio::test]
async fn a_task_retried_by_hand_has_a_second_run() {
    let bench = bench();
    let task = bench.submit("a{limit=1} -> b").await;
    let lease = bench.claim(1).await.one();
    bench.fail(lease).await;
    bench.advance(100);
    bench.retry_step(task, "a", Attempts::Reset).await.expect("it can be retried");
    bench.advance(2);
    bench.complete_everything().await;
    let history = bench.store.history(task).await.expect("a history");
    assert_eq!(history.iter().filter(|transition| is_verdict(transition)).count(), 2);
    assert_snapshot!(picture(&bench, task).await, @r"
    tasker.task default.flow@0.1.0 0-102 state=complete
      tasker.orchestrate 0-0 trigger=created state=error !blocked: failed: a
        tasker.step a 0-0 state=error !retryable: it broke
          tasker.queue 0-0 cause=ready
          tasker.attempt 0-0 outcome=error !retryable: it broke
            tasker.handler run 0-0 outcome=error !retryable: it broke
      tasker.orchestrate 100-102 trigger=retry_requested state=complete
        tasker.step a 100-102 state=complete
          tasker.queue 100-102 cause=retry_requested
          tasker.attempt 102-102 outcome=completed retry_of:a#1
            tasker.handler run 102-102 outcome=completed
        tasker.step b 102-102 state=complete depends_on:a#2
          tasker.queue 102-102 cause=ready
          tasker.attempt 102-102 outcome=completed
            tasker.handler run 102-102 outcome=completed
    ");
}

#[tokio::test]
async fn what_is_done_between_two_runs_is_an_event_of_the_task() {
    let bench = bench();
    let task = bench.submit("a{once}, b{once}").await;
    for lease in bench.claim(2).await.all() {
        bench.fail(lease).await;
    }
    bench.advance(10);
    bench.cancel_step(task, "a").await.expect("it can be cancelled");
    bench.advance(10);
    bench.resolve(task).await.expect("it can be resolved");
    let spans = trace(&bench, task).await;
    assert_eq!(spans[0].events.len(), 3);
    assert_snapshot!(draw(&spans), @r"
    tasker.task default.flow@0.1.0 0-20 state=resolved_manually
      tasker.orchestrate 0-0 trigger=created state=error !blocked: failed: a, b
        tasker.step a 0-0 state=error !retryable: it broke
          tasker.queue 0-0 cause=ready
          tasker.attempt 0-0 outcome=error !retryable: it broke
            tasker.handler run 0-0 outcome=error !retryable: it broke
        tasker.step b 0-0 state=error !retryable: it broke
          tasker.queue 0-0 cause=ready
          tasker.attempt 0-0 outcome=error !retryable: it broke
            tasker.handler run 0-0 outcome=error !retryable: it broke
    ");
}

#[tokio::test]
async fn a_task_whose_steps_can_never_run_has_only_those_that_something_was_done_to() {
    let bench = bench();
    let task = bench.submit("a -> b -> c").await;
    bench.advance(1);
    bench.cancel_step(task, "a").await.expect("it can be cancelled");
    assert_snapshot!(picture(&bench, task).await, @r"
    tasker.task default.flow@0.1.0 0-1 state=error !blocked: nothing can run any more
      tasker.orchestrate 0-1 trigger=created state=error !blocked: nothing can run any more
        tasker.step a 0-1 state=cancelled
          tasker.queue 0-1 cause=ready
    ");
}

#[tokio::test]
async fn a_task_that_goes_on_is_shown_as_far_as_it_has_come() {
    let bench = bench();
    let task = bench.submit("a, b").await;
    bench.advance(1);
    bench.claim(1).await;
    assert_snapshot!(picture(&bench, task).await, @r"
    tasker.task default.flow@0.1.0 0-1 state=in_progress unfinished=true
      tasker.orchestrate 0-1 trigger=created state=in_progress unfinished=true
        tasker.step a 0-1 state=in_progress unfinished=true
          tasker.queue 0-1 cause=ready
          tasker.attempt 1-1 unfinished=true
            tasker.handler run 1-1 unfinished=true
        tasker.step b 0-1 state=pending unfinished=true
          tasker.queue 0-1 cause=ready unfinished=true
    ");
}

#[tokio::test]
async fn the_submitters_span_is_linked_and_a_wrong_one_is_ignored() {
    let bench = bench();
    let task = bench.submit("a").await;
    let traceparent = Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned());
    let origin = Origin { correlation_id: Some("order-7".to_owned()), traceparent };
    let spans = trace_from(&bench, task, origin).await;
    let link = &spans[0].links[0];
    assert_eq!(link.span.to_string(), "00f067aa0ba902b7");
    assert_eq!(link.kind, "created_by");
    assert!(spans[0].attributes.contains(&(attributes::CORRELATION_ID, "order-7".to_owned().into())));
    let wrong = Origin { traceparent: Some("00-zero".to_owned()), ..Origin::default() };
    assert_eq!(trace_from(&bench, task, wrong).await[0].links, []);
}

#[tokio::test]
async fn an_attempt_consumes_a_message_and_its_handler_has_the_id_that_is_sent_on() {
    let bench = bench();
    let task = bench.submit("a{queue=bulk handler=charge}").await;
    let lease = bench.claim(1).await.one();
    let (key, worker) = (lease.key, lease.worker.to_string());
    bench.complete(lease).await;
    let spans = trace(&bench, task).await;
    let [.., attempt, handler] = spans.as_slice() else { panic!("few spans") };
    assert_eq!(attempt.kind, Kind::Consumer);
    for (name, value) in [("messaging.destination.name", "bulk"), ("tasker.worker.id", &worker)] {
        assert!(attempt.attributes.contains(&(name, Value::from(value.to_owned()))), "{name}");
    }
    assert_eq!(handler.name, "tasker.handler charge");
    assert_eq!(handler.id, tasker_trace::SpanId::of(task, Subject::Handler(key)));
    assert_eq!(handler.trace, TraceId::of(task));
}

#[tokio::test]
async fn changes_of_state_are_events_that_say_who_and_why() {
    let bench = bench();
    let task = bench.submit("a").await;
    bench.claim(1).await;
    bench.cancel(task).await.expect("it can be cancelled");
    let spans = trace(&bench, task).await;
    let facts = |place: usize| {
        let events = spans[place].events.iter().map(|event| {
            let facts: Vec<_> = event.attributes.iter().map(|(_, value)| shown(value)).collect();
            facts.join(" ")
        });
        events.collect::<Vec<_>>()
    };
    assert_eq!(
        facts(1),
        [
            "pending submitted",
            "pending in_progress started",
            "in_progress cancelled cancelled ann changed my mind"
        ]
    );
    assert_eq!(
        facts(2),
        ["a pending in_progress claimed 1", "a in_progress cancelled task_cancelled ann changed my mind"]
    );
}
