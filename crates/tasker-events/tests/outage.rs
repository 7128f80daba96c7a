//! A subscriber that hangs, fails or panics for an hour: whoever tells something does not notice, nor do others; what does
//! not fit is counted; and afterwards it hears everything again. The hour passes by a clock that jumps.

use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tasker_events::{
    DeliveryError, Envelope, Event, EventId, Events, Interests, Subscriber, SubscriptionSettings,
};
use tokio::time::Instant;

const SECONDS: u64 = 3_600;
/// Much less than what is told in an hour.
const CAPACITY: usize = 100;
/// How long it may take for one event.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is wrong with a subscriber.
#[derive(Clone, Copy)]
enum Trouble {
    Hangs,
    Fails,
    Panics,
}

/// Somebody who notes what it hears, unless something is wrong.
struct Listener {
    trouble: Option<Trouble>,
    is_well: AtomicBool,
    heard: Mutex<Vec<u64>>,
}

impl Listener {
    fn new(trouble: Option<Trouble>) -> Arc<Self> {
        Arc::new(Self { trouble, is_well: AtomicBool::new(trouble.is_none()), heard: Mutex::default() })
    }

    fn heard(&self) -> Vec<u64> {
        self.heard.lock().expect("nobody panicked").clone()
    }
}

#[async_trait]
impl Subscriber for Listener {
    fn name(&self) -> &'static str {
        "listener"
    }

    fn interests(&self) -> Interests {
        Interests::of([EventId::TaskPruned])
    }

    async fn deliver(&self, event: &Envelope) -> Result<(), DeliveryError> {
        match self.trouble.filter(|_| !self.is_well.load(Ordering::SeqCst)) {
            Some(Trouble::Hangs) => pending().await,
            Some(Trouble::Fails) => Err("it is closed".into()),
            Some(Trouble::Panics) => panic!("it fell over"),
            None => {
                let count = event.payload["task_count"].as_u64().expect("a number");
                self.heard.lock().expect("nobody panicked").push(count);
                Ok(())
            }
        }
    }
}

/// An hour of one event each second, and then `CAPACITY` more; how many of the first were left out.
async fn survives(trouble: Trouble) -> u64 {
    let (events, ill, well) = (Events::default(), Listener::new(Some(trouble)), Listener::new(None));
    let settings =
        SubscriptionSettings { capacity: CAPACITY, patience: PATIENCE, ..SubscriptionSettings::default() };
    let subscription = events.subscribe(Arc::clone(&ill) as Arc<_>, settings);
    let other = events.subscribe(Arc::clone(&well) as Arc<_>, settings);
    for second in 0..SECONDS {
        let begun = Instant::now();
        events.emit(&Event::TaskPruned { task_count: second });
        // It is delivered at once to whoever takes it at once.
        tokio::task::yield_now().await;
        assert_eq!(begun.elapsed(), Duration::ZERO, "nobody who tells something waits");
        assert_eq!(well.heard().len() as u64, second + 1, "nor does another subscriber");
        // sleep: by the clock that jumps.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let (report, others) = (subscription.report(), other.report());
    assert_eq!((others.delivered, others.failed, others.dropped), (SECONDS, 0, 0));
    assert_eq!(report.delivered, 0);
    assert!(report.waiting <= CAPACITY as u64, "{report:?}");
    assert!(report.failed + report.dropped + report.waiting >= SECONDS - 1, "all is counted: {report:?}");

    ill.is_well.store(true, Ordering::SeqCst);
    // sleep: by the clock that jumps; until it has given up what it hung with, and heard what waited.
    tokio::time::sleep(PATIENCE).await;
    let before = subscription.report().delivered;
    let told: Vec<u64> = (0..CAPACITY as u64).map(|number| SECONDS + number).collect();
    for task_count in &told {
        events.emit(&Event::TaskPruned { task_count: *task_count });
    }
    let after = subscription.close().await;
    assert_eq!((after.delivered - before, after.waiting), (CAPACITY as u64, 0));
    assert_eq!(after.failed + after.dropped + after.delivered, SECONDS + CAPACITY as u64);
    let heard = ill.heard();
    assert!(heard.is_sorted() && heard.ends_with(&told), "{heard:?}");
    report.dropped
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_for_an_hour_hears_the_latest_that_fit_and_all_that_follows() {
    let dropped = survives(Trouble::Hangs).await;
    // It gives up one event in ten seconds.
    assert_eq!(dropped, SECONDS - SECONDS / PATIENCE.as_secs() - CAPACITY as u64);
}

#[tokio::test(start_paused = true)]
async fn one_that_fails_for_an_hour_hears_all_that_follows() {
    assert_eq!(survives(Trouble::Fails).await, 0);
}

#[tokio::test(start_paused = true)]
async fn one_that_panics_for_an_hour_hears_all_that_follows() {
    assert_eq!(survives(Trouble::Panics).await, 0);
}
