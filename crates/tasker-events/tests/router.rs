//! Who gets which event, and what becomes of those who fail.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tasker_core::{TaskId, Timestamp};
use tasker_events::{
    Backend, CustomEventError, DeliveryError, Envelope, Event, EventId, Events, Interests, Priority, Routes,
    Sink, Subscriber, SubscriptionSettings,
};

/// Remembers what it was given.
#[derive(Default)]
struct Record(Mutex<Vec<String>>);

impl Record {
    fn names(&self) -> Vec<String> {
        self.0.lock().expect("nobody panicked").clone()
    }

    fn note(&self, name: &str) {
        self.0.lock().expect("nobody panicked").push(name.to_owned());
    }
}

impl Sink for Record {
    fn take(&self, event: &Event<'_>) {
        self.note(event.id().name());
    }

    fn take_custom(&self, event: &Envelope) {
        self.note(&event.event);
    }
}

/// How a subscriber takes events.
#[derive(Clone, Copy)]
enum Manner {
    Well,
    Fails,
    Panics,
    Hangs,
}

struct Listener(Manner, Record);

impl Listener {
    fn new(manner: Manner) -> Arc<Self> {
        Arc::new(Self(manner, Record::default()))
    }
}

#[async_trait]
impl Subscriber for Listener {
    fn name(&self) -> &'static str {
        "listener"
    }

    fn interests(&self) -> Interests {
        Interests::of([EventId::TaskPruned, EventId::SubscriberFailed]).with_custom()
    }

    async fn deliver(&self, event: &Envelope) -> Result<(), DeliveryError> {
        match self.0 {
            Manner::Well => self.1.note(&format!("{} {}", event.event, event.payload)),
            Manner::Fails => return Err("it is closed".into()),
            Manner::Panics => panic!("it fell over"),
            Manner::Hangs => pending().await,
        }
        Ok(())
    }
}

fn pruned(task_count: u64) -> Event<'static> {
    Event::TaskPruned { task_count }
}

fn duplicate(number: u128) -> Event<'static> {
    let random = number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    Event::TaskDuplicateFound { task_id: TaskId::new(Timestamp::from_micros(0), random) }
}

#[test]
fn an_event_goes_where_its_route_says_and_elsewhere_once_that_is_changed() {
    let (metrics, logs) = (Arc::new(Record::default()), Arc::new(Record::default()));
    let events = Events::builder(Routes::default())
        .sink(Backend::Metrics, Arc::clone(&metrics) as Arc<_>)
        .sink(Backend::Logs, Arc::clone(&logs) as Arc<_>)
        .build();
    events.emit(&pruned(1));
    assert_eq!((metrics.names(), logs.names()), (vec!["task.pruned".to_owned()], vec![]));
    let mut routes = events.routes();
    routes.send(EventId::TaskPruned, &[Backend::Logs, Backend::Traces]);
    events.reroute(routes);
    events.emit(&pruned(1));
    assert_eq!((metrics.names().len(), logs.names().len()), (1, 1));
}

/// V8; and metrics get all.
#[test]
fn a_part_goes_to_the_log_and_all_to_metrics() {
    for (rate, least, most) in [(1.0, 1_000, 1_000), (0.0, 0, 0), (0.5, 420, 580)] {
        let (metrics, logs) = (Arc::new(Record::default()), Arc::new(Record::default()));
        let mut routes = Routes::nowhere();
        for event in [EventId::TaskPruned, EventId::TaskDuplicateFound] {
            routes.send(event, &[Backend::Metrics, Backend::Logs]);
            routes.sample(event, rate).expect("a rate");
        }
        let events = Events::builder(routes)
            .sink(Backend::Metrics, Arc::clone(&metrics) as Arc<_>)
            .sink(Backend::Logs, Arc::clone(&logs) as Arc<_>)
            .build();
        for number in 0..500 {
            events.emit(&pruned(number));
            events.emit(&duplicate(number.into()));
        }
        assert_eq!(metrics.names().len(), 1_000);
        assert!((least..=most).contains(&logs.names().len()), "{rate}: {}", logs.names().len());
    }
}

/// Takes events whose priority it notes, once it is let.
struct Ranked(Record);

#[async_trait]
impl Subscriber for Ranked {
    fn name(&self) -> &'static str {
        "ranked"
    }

    fn interests(&self) -> Interests {
        Interests::of([EventId::TaskPruned])
    }

    async fn deliver(&self, event: &Envelope) -> Result<(), DeliveryError> {
        self.0.note(&format!("{:?}", event.priority));
        Ok(())
    }
}

#[tokio::test]
async fn an_event_has_the_priority_of_its_route_and_that_may_change() {
    let events = Events::default();
    let ranked = Arc::new(Ranked(Record::default()));
    let subscription = events.subscribe(Arc::clone(&ranked) as Arc<_>, SubscriptionSettings::default());
    events.emit(&pruned(1));
    let mut routes = events.routes();
    routes.rank(EventId::TaskPruned, Priority::Critical);
    events.reroute(routes);
    events.emit(&pruned(2));
    assert_eq!(subscription.close().await.delivered, 2);
    let default = format!("{:?}", EventId::TaskPruned.priority());
    assert_eq!(ranked.0.names(), [default.as_str(), "Critical"]);
}

#[test]
fn of_one_task_all_or_nothing_is_sampled() {
    let logs = Arc::new(Record::default());
    let mut routes = Routes::nowhere();
    routes.send(EventId::TaskDuplicateFound, &[Backend::Logs]);
    routes.sample(EventId::TaskDuplicateFound, 0.5).expect("a rate");
    let events = Events::builder(routes).sink(Backend::Logs, Arc::clone(&logs) as Arc<_>).build();
    for task in 0..100 {
        let before = logs.names().len();
        for _ in 0..3 {
            events.emit(&duplicate(task));
        }
        assert!([0, 3].contains(&(logs.names().len() - before)));
    }
}

#[tokio::test]
async fn subscribers_get_what_they_want_in_order() {
    let (events, listener) = (Events::default(), Listener::new(Manner::Well));
    let subscription = events.subscribe(Arc::clone(&listener) as Arc<_>, SubscriptionSettings::default());
    assert!(events.is_wanted(EventId::TaskPruned) && !events.is_wanted(EventId::TaskDuplicateFound));
    for count in 0..3 {
        events.emit(&pruned(count));
        events.emit(&duplicate(1));
    }
    let report = subscription.close().await;
    assert_eq!((report.delivered, report.failed, report.dropped, report.waiting), (3, 0, 0, 0));
    let expected = (0..3).map(|count| format!("task.pruned {{\"task_count\":{count}}}"));
    assert_eq!(listener.1.names(), expected.collect::<Vec<_>>());
    assert!(!events.is_wanted(EventId::TaskPruned));
}

/// V12.
#[tokio::test(start_paused = true)]
async fn one_that_fails_panics_or_hangs_disturbs_no_other() {
    let logs = Arc::new(Record::default());
    let events = Events::builder(Routes::default()).sink(Backend::Logs, Arc::clone(&logs) as Arc<_>).build();
    let settings =
        SubscriptionSettings { farewell: Duration::from_mins(5), ..SubscriptionSettings::default() };
    let bad = [Manner::Fails, Manner::Panics, Manner::Hangs];
    let bad = bad.map(|manner| events.subscribe(Listener::new(manner), settings));
    let well = Listener::new(Manner::Well);
    let good = events.subscribe(Arc::clone(&well) as Arc<_>, settings);
    events.emit(&pruned(1));
    events.emit(&pruned(2));
    assert_eq!(good.close().await.delivered, 2);
    for subscription in bad {
        let report = subscription.close().await;
        assert_eq!((report.delivered, report.failed, report.waiting), (0, 2, 0));
    }
    // That they failed is told to the log, and to no subscriber.
    assert_eq!(logs.names(), vec!["subscriber.failed"; 6]);
    assert_eq!(well.1.names().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_a_queue_cannot_hold_is_left_out_and_counted() {
    let settings = SubscriptionSettings { capacity: 10, ..SubscriptionSettings::default() };
    let events = Events::default();
    let subscription = events.subscribe(Listener::new(Manner::Well), settings);
    // Nothing is delivered before this test waits for something.
    for count in 0..100 {
        events.emit(&pruned(count));
    }
    let report = subscription.close().await;
    assert_eq!((report.delivered, report.dropped), (10, 90));
}

/// A sink that falls over.
struct Fragile;

impl Sink for Fragile {
    fn take(&self, _: &Event<'_>) {
        panic!("it fell over");
    }
}

/// A sink that says something itself.
struct Chatty(Events, Record);

impl Sink for Chatty {
    fn take(&self, event: &Event<'_>) {
        self.1.note(event.id().name());
        self.0.emit(event);
    }
}

#[test]
fn a_sink_that_panics_stops_nothing_and_one_that_emits_does_not_go_round() {
    let metrics = Arc::new(Record::default());
    let mut routes = Routes::nowhere();
    routes.send(EventId::TaskPruned, &[Backend::Metrics, Backend::Traces, Backend::Logs]);
    let inner = Events::builder(routes.clone()).sink(Backend::Logs, Arc::new(Record::default())).build();
    let chatty = Arc::new(Chatty(inner, Record::default()));
    let events = Events::builder(routes)
        .sink(Backend::Metrics, Arc::clone(&metrics) as Arc<_>)
        .sink(Backend::Traces, Arc::new(Fragile))
        .sink(Backend::Logs, Arc::clone(&chatty) as Arc<_>)
        .build();
    events.emit(&pruned(1));
    assert_eq!((metrics.names().len(), events.panics(), chatty.1.names().len()), (1, 1, 1));
    events.emit(&pruned(1));
    assert_eq!((metrics.names().len(), events.panics(), chatty.1.names().len()), (2, 2, 2));
}

#[tokio::test]
async fn events_of_handlers_are_told_once_they_are_registered() {
    let (events, listener) = (Events::default(), Listener::new(Manner::Well));
    let subscription = events.subscribe(Arc::clone(&listener) as Arc<_>, SubscriptionSettings::default());
    let refused = events.emit_custom("order.fulfilled", None, Value::Null);
    assert_eq!(refused, Err(CustomEventError::Unknown("order.fulfilled".to_owned())));
    let now = Timestamp::from_micros(0);
    events.custom().register("order.fulfilled", "All is sent.", &[], now).expect("a name");
    events.emit_custom("order.fulfilled", None, json!({ "order": 7 })).expect("registered");
    subscription.close().await;
    assert_eq!(listener.1.names(), ["order.fulfilled {\"order\":7}"]);
}
