//! A receiver that hangs, fails or is away for an hour: the work does not notice, the receiver is not hammered, and all
//! of it comes afterwards. The hour passes by a clock that jumps wherever everything waits.

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use support::service::{Answer, Call, Service};
use support::{Bench, assert_complete_and_in_order, report};
use tasker_core::{Clock, TaskId, Timestamp};
use tasker_subscribers::Subscribers;
use tokio::time::Instant;

const MINUTE: Duration = Duration::from_mins(1);
const MINUTES: u64 = 60;
/// How many tasks are out at once, each with an event of its own.
const IN_FLIGHT: u64 = 4;
/// After the first few, waits are half a minute on the average: these are a quarter more.
const ATTEMPTS: u64 = 150 * IN_FLIGHT;
/// All that is left comes within the longest wait, and a little.
const RECOVERY: Duration = Duration::from_mins(2);

/// The time of the runtime, which stands still while anything is done.
#[derive(Debug)]
struct Paused(Instant);

impl Clock for Paused {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_790_000_000_000_000).plus(self.0.elapsed())
    }
}

/// What is wrong with a receiver.
enum Outage {
    Answers(Answer),
    IsAway,
}

async fn survives(outage: Outage) {
    let bench = Bench::by(Arc::new(Paused(Instant::now()))).await;
    let mut service = Service::start(&[]);
    if let Outage::Answers(answer) = &outage {
        service.answer_all(Some(answer.clone()));
    }
    let (address, url) = (service.address, service.url());
    let is_away = matches!(outage, Outage::IsAway);
    if is_away {
        service.stop().await;
    }
    let settings = json!({
        "name": "billing", "type": "webhook", "events": ["*"], "start": "beginning", "url": url,
        "max_in_flight": IN_FLIGHT,
    });
    let subscribers = bench.start(settings, 1);
    let tasks = an_hour_of_work(&bench).await;
    let trouble = report(&subscribers);
    assert_eq!((trouble.taken, trouble.refused), (0, 0));
    assert!(trouble.last_error.is_some() && trouble.paused_until.is_some());
    assert!(trouble.retried <= ATTEMPTS, "it is not hammered: {}", trouble.retried);
    assert!(trouble.retried >= IN_FLIGHT * MINUTES / 2, "nor given up: {}", trouble.retried);

    if is_away {
        service = Service::at(address, &[]);
    } else {
        service.answer_all(None);
    }
    let back_at = Instant::now();
    caught_up(&bench, &subscribers).await;
    assert!(back_at.elapsed() <= RECOVERY, "{:?}", back_at.elapsed());
    let events = taken(&mut service);
    for task in &tasks {
        assert_complete_and_in_order(&events, *task);
    }
    subscribers.stop().await;
}

/// A task each minute. None takes any time, as nothing that is done for it waits.
async fn an_hour_of_work(bench: &Bench) -> Vec<TaskId> {
    let mut tasks = Vec::new();
    for _ in 0..MINUTES {
        let begun = Instant::now();
        tasks.push(bench.run().await);
        assert_eq!(begun.elapsed(), Duration::ZERO, "the work waits for nobody");
        // sleep: by the clock that jumps.
        tokio::time::sleep(MINUTE).await;
    }
    tasks
}

/// Waits until all is taken, and nothing is wrong any more.
async fn caught_up(bench: &Bench, subscribers: &Subscribers) {
    let end = bench.store.feed_end().await.expect("it is open");
    bench.places.within(2 * RECOVERY, |places| places.position() >= Some(end)).await;
    let report = report(subscribers);
    assert_eq!((report.waiting, report.refused, report.last_error), (0, 0, None));
}

/// The events that a service took, without those that it took a second time: an answer that is on its way while the
/// clock jumps counts as one that did not come.
fn taken(service: &mut Service) -> Vec<Value> {
    let mut seen = BTreeSet::new();
    let calls = std::iter::from_fn(|| service.calls.try_recv().ok()).filter(Call::is_taken);
    calls.filter(|call| seen.insert(call.header("webhook-id").to_owned())).map(|call| call.event()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_hangs_for_an_hour_gets_everything_afterwards() {
    survives(Outage::Answers(Answer::Never)).await;
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_fails_for_an_hour_gets_everything_afterwards() {
    survives(Outage::Answers(Answer::Status(500))).await;
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_is_away_for_an_hour_gets_everything_afterwards() {
    survives(Outage::IsAway).await;
}
