//! What is true of every trace, whatever a task went through.

use std::collections::{HashMap, HashSet};

use crate::support::{bench, trace};
use proptest::prelude::*;
use tasker_core::{State, TaskId, Timestamp};
use tasker_store::conformance::Bench;
use tasker_store::{Attempts, Cause, Lease, Transition};
use tasker_trace::{Span, SpanId, attributes, spans};

const GRAPHS: [&str; 5] = [
    "a{limit=2} -> b -> c{once}",
    "a -> b, c{limit=1} -> d",
    "a{once}, b{once}; a, b -> c; b -> d",
    "flow sequential: a, b{limit=2}, c",
    "a{limit=1} -> b, c, d; b, c -> e; c, d -> f{once}; e, f -> g",
];

/// What is done next, and to which of what there is.
type Act = (u8, usize, u8);

/// Does something to a task or to one of its attempts. What is refused is refused.
async fn act(bench: &Bench, task: TaskId, leases: &mut Vec<Lease>, (what, which, seconds): Act) {
    let time = u64::from(seconds);
    let template = bench.template_of(task).await;
    let step = template.steps[which % template.steps.len()].name.to_string();
    let lease = |leases: &mut Vec<Lease>| match leases.len() {
        0 => None,
        count => Some(leases.swap_remove(which % count)),
    };
    match what {
        0..30 => leases.extend(bench.claim(1 + u32::from(seconds) % 3).await.all()),
        30..76 => match (what, lease(leases)) {
            (_, None) => {}
            (30..52, Some(lease)) => drop(bench.complete(lease).await),
            (52..64, Some(lease)) => drop(bench.retry_in(lease, time).await),
            (64..70, Some(lease)) => drop(bench.fail(lease).await),
            (_, Some(lease)) => drop(bench.snooze(lease, time).await),
        },
        76..80 => bench.advance(70),
        80..83 => drop(bench.rescue().await),
        83..86 => drop(bench.retry(task).await),
        86..89 => drop(bench.retry_step(task, &step, Attempts::Extend(2)).await),
        89..91 => drop(bench.cancel_step(task, &step).await),
        91..94 => drop(bench.resolve_step(task, &step, None).await),
        94 => drop(bench.cancel(task).await),
        95 => drop(bench.resolve(task).await),
        96 => drop(bench.pause(task).await),
        97..99 => drop(bench.resume(task).await),
        _ => bench.complete_everything().await,
    }
    bench.advance(time % 4);
}

fn check(spans: &[Span<'_>], history: &[Transition]) {
    let by_id: HashMap<SpanId, &Span<'_>> = spans.iter().map(|span| (span.id, span)).collect();
    assert_eq!(by_id.len(), spans.len(), "ids are unique");
    let mut seen = HashSet::new();
    for span in spans {
        assert!(span.start <= span.end, "{} ends before it begins", span.name);
        if let Some(parent) = span.parent {
            assert!(seen.contains(&parent), "{} comes before its parent", span.name);
            let parent = by_id[&parent];
            assert!(parent.start <= span.start && span.end <= parent.end, "{} lies beyond", span.name);
        }
        for event in &span.events {
            assert!(span.start <= event.at && event.at <= span.end, "an event of {} lies beyond", span.name);
        }
        for link in &span.links {
            assert!(by_id.contains_key(&link.span), "a link of {} leads nowhere", span.name);
        }
        seen.insert(span.id);
    }
    let roots = spans.iter().filter(|span| span.parent.is_none()).count();
    assert_eq!(roots, 1, "one root");
    let named = |name: &str| spans.iter().filter(|span| span.name.starts_with(name)).count();
    let claims = history.iter().filter(|transition| transition.cause == Cause::Claimed).count();
    let handlers = named("tasker.handler ");
    assert_eq!((named("tasker.attempt"), handlers), (claims, claims), "an attempt for each claim");
    let ended = |cause: Cause| history.iter().filter(|transition| transition.cause == cause).count();
    let outcomes = |wanted: &'static str| {
        let attempts = spans.iter().filter(|span| span.name == "tasker.attempt");
        attempts.filter(|span| span.attributes.contains(&(attributes::OUTCOME, wanted.into()))).count()
    };
    assert_eq!(outcomes("lost"), ended(Cause::LeaseExpired));
    assert_eq!(outcomes("snoozed"), ended(Cause::Snoozed));
    let events: usize = spans.iter().map(|span| span.events.len()).sum();
    assert_eq!(events, history.len(), "each transition is told once");
}

/// Histories that no store would write: what is read must not be trusted to make sense.
fn nonsense() -> impl Strategy<Value = Vec<Transition>> {
    let state = prop::sample::select(&State::ALL[..]);
    let cause = prop::sample::select(Cause::ALL);
    let step = prop::option::of(0u32..5);
    let one = (state, cause, step, prop::option::of(any::<u32>()), any::<i64>());
    prop::collection::vec(one, 0..40).prop_map(|all| {
        let task = TaskId::new(Timestamp::from_micros(0), 1 << 20);
        let transition =
            |(seq, (to, cause, step, attempt, at)): (i64, (_, _, Option<u32>, _, _))| Transition {
                seq,
                task,
                step: step.map(|ordinal| task.step(ordinal)),
                attempt,
                from: None,
                to,
                cause,
                at: Timestamp::from_micros(at),
                by: None,
                details: serde_json::Value::Null,
            };
        (1..).zip(all).map(transition).collect()
    })
}

proptest! {
    #[test]
    fn a_history_that_makes_no_sense_gives_a_trace_without_orphans(history in nonsense()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (task, template) = runtime.block_on(async {
            let bench = bench();
            let task = bench.submit("a -> b, c -> d").await;
            (bench.task(task).await.into(), bench.template_of(task).await)
        });
        let spans = spans(&task, &template, &history);
        prop_assert_eq!(spans.is_empty(), history.is_empty());
        let ids: HashSet<_> = spans.iter().map(|span| span.id).collect();
        for span in &spans {
            prop_assert!(span.parent.is_none_or(|parent| ids.contains(&parent)) && span.start <= span.end);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn every_trace_hangs_together(
        graph in 0..GRAPHS.len(),
        acts in prop::collection::vec((0u8..100, any::<usize>(), 0u8..9), 1..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let bench = bench();
            let task = bench.submit(GRAPHS[graph]).await;
            let mut leases = Vec::new();
            for it in acts {
                act(&bench, task, &mut leases, it).await;
                let spans = trace(&bench, task).await;
                check(&spans, &bench.store.history(task).await.expect("a history"));
                assert_eq!(trace(&bench, task).await, spans, "the same again");
            }
        });
    }
}
