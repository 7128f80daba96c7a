use tasker_events::{Cache, TaskKind, TaskRef};

use super::*;
use crate::settings::Secret as Hidden;

fn refusal(settings: TracesSettings) -> String {
    Tracing::start(&TracesSettings { enabled: true, ..settings }).expect_err("refused").told()
}

#[tokio::test]
async fn traces_are_off_unless_they_are_asked_for() {
    assert!(Tracing::start(&TracesSettings::default()).expect("nothing to refuse").is_none());
    let settings = TracesSettings { enabled: true, ..TracesSettings::default() };
    assert!(Tracing::start(&settings).expect("a collector that need not be there").is_some());
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_with_its_setting_and_without_secrets() {
    let endpoint = "nowhere".to_owned();
    let told = refusal(TracesSettings { endpoint, ..TracesSettings::default() });
    assert!(told.starts_with("traces.endpoint: ") && told.contains("http://localhost:4317"), "{told}");
    let headers = Some(Hidden::of("hunter2"));
    let told = refusal(TracesSettings { headers, ..TracesSettings::default() });
    assert!(told.starts_with("traces.headers: ") && !told.contains("hunter2"), "{told}");
    let told = refusal(TracesSettings { ca_file: Some("nowhere.pem".into()), ..TracesSettings::default() });
    assert!(told.starts_with("traces.ca_file: nowhere.pem cannot be read"), "{told}");
}

#[test]
fn headers_are_pairs_with_commas_between_them() {
    let headers = read_headers("api-key = a=b, tenant=x,").expect("two");
    let shown: Vec<_> = headers.iter().map(|(name, value)| (&**name, value.expose())).collect();
    assert_eq!(shown, [("api-key", "a=b"), ("tenant", "x")]);
}

#[tokio::test]
async fn a_task_whose_submitter_records_is_written_whatever_the_ratio_says() {
    let settings = TracesSettings { enabled: true, ratio: 0.0, ..TracesSettings::default() };
    let tracing = Tracing::start(&settings).expect("fine").expect("enabled");
    let traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
    let origin = Origin { traceparent, ..Origin::default() };
    let passed_on = |number, origin: &Origin| {
        let key = LeaseKey { step: task(number).step(0), attempt: 1 };
        tracing.traceparent(key, origin).expect("traces are on")
    };
    assert!(passed_on(1, &origin).ends_with("-01"));
    assert!(passed_on(2, &Origin::default()).ends_with("-00"));
    let kind = kind();
    let of = |number| TaskRef { id: task(number), kind: &kind };
    tracing.ended(of(1), Some(1.0), false);
    tracing.ended(of(2), Some(1.0), false);
    tracing.ended(of(3), Some(61.0), false);
    tracing.ended(of(4), None, true);
    let wanted = [1, 3, 4].map(|number| Ended::Wanted(task(number)));
    assert_eq!(inbox(&tracing), wanted, "it is recorded, it was slow, it failed");
}

#[tokio::test]
async fn a_task_that_was_retried_is_written_again_when_it_ends_well_and_not_a_third_time() {
    let settings = TracesSettings { enabled: true, ratio: 0.0, ..TracesSettings::default() };
    let tracing = Tracing::start(&settings).expect("fine").expect("enabled");
    let kind = kind();
    let task = TaskRef { id: task(1), kind: &kind };
    let completed = Event::TaskCompleted { task, total_execution_duration: 2.0 };
    tracing.take(&Event::TaskFailed { task, total_execution_duration: 1.0 });
    tracing.take(&Event::TaskRetryRequested { task, by: "ada", step_count: 1 });
    tracing.take(&completed);
    tracing.take(&completed);
    assert_eq!(inbox(&tracing), [Ended::Wanted(task.id), Ended::Wanted(task.id)]);
}

#[tokio::test]
async fn of_a_task_that_was_cancelled_the_record_says_whether_it_is_written() {
    let settings = TracesSettings { enabled: true, ratio: 0.0, ..TracesSettings::default() };
    let tracing = Tracing::start(&settings).expect("fine").expect("enabled");
    let kind = kind();
    let task = TaskRef { id: task(1), kind: &kind };
    tracing.take(&Event::TaskCancelled { task, by: "ada", cancellation_reason: None });
    assert_eq!(inbox(&tracing), [Ended::Unknown(task.id)]);
}

/// What is told to the writer, which has not begun.
fn inbox(tracing: &Tracing) -> Vec<Ended> {
    let mut inbox = tracing.inbox.lock().expect("nobody panicked").take().expect("not started");
    std::iter::from_fn(|| inbox.try_recv().ok()).map(|(ended, _)| ended).collect()
}

fn kind() -> TaskKind {
    let (namespace, name, version) = ("shop".to_owned(), "order".to_owned(), "1.0.0".to_owned());
    TaskKind { namespace, name, version, steps: 1, cache: Cache::default() }
}

fn task(number: u32) -> TaskId {
    TaskId::new(tasker_core::Timestamp::from_micros(1_790_000_000_000_000), u128::from(number) << 20)
}

mod collector {
    //! A collector that answers every request alike.

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    pub(super) async fn answering(status: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut request = vec![0; 1 << 20];
                    while stream.read(&mut request).await.is_ok_and(|count| count > 0) {
                        let answer = format!(
                            "HTTP/1.1 {status}\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n"
                        );
                        if stream.write_all(answer.as_bytes()).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        endpoint
    }
}

/// A task of one step runs to its end, and what is told of its spans is waited for.
async fn spans_of_a_task(status: &'static str) -> (String, serde_json::Value) {
    use serde_json::json;
    use tasker_engine::{Engine, EngineSettings, TaskRequest};
    use tasker_store::{Store, WhenTaken, memory::MemoryStore};

    let endpoint = collector::answering(status).await;
    let protocol = TracesProtocol::Http;
    let settings = TracesSettings { enabled: true, endpoint, protocol, ..TracesSettings::default() };
    let tracing = Tracing::start(&settings).expect("fine").expect("enabled");
    let (told, events) = crate::metrics::recorded();
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(Arc::new(tasker_core::SystemClock)));
    let engine = Engine::new(Arc::clone(&store), EngineSettings::default());
    let definition = json!({ "name": "one", "step_templates": [{ "name": "a", "handler_class": "noop" }] });
    let template = tasker_core::TaskTemplate::from_definition(&definition).expect("a template");
    engine.register(template.into(), WhenTaken::Replace).await.expect("registered");
    let task = engine.submit(TaskRequest::new("one".parse().expect("a request"), json!({}))).await;
    let task = task.expect("submitted").id();
    engine.cancel(tasker_store::Target::Task(task), "ann", None).await.expect("cancelled");
    let shutdown = tokio_util::sync::CancellationToken::new();
    let mut process = crate::Process::new(shutdown.clone());
    process.start_traces(&store, &tracing, &events);
    let mut accounts = tracing.traces.accounts();
    tracing.ended(TaskRef { id: task, kind: &kind() }, None, false);
    accounts.changed().await.expect("the courier lives");
    shutdown.cancel();
    process.run().await.expect("no failure");
    let mut told = told.take();
    assert_eq!(told.len(), 1, "{told:?}");
    told.remove(0)
}

#[tokio::test]
async fn what_becomes_of_spans_is_told() {
    let (name, payload) = spans_of_a_task("200 OK").await;
    assert_eq!((&*name, payload["span_count"].as_u64()), ("traces.exported", Some(4)), "{payload}");
    let (name, payload) = spans_of_a_task("400 Bad Request").await;
    assert_eq!((&*name, payload["span_count"].as_u64()), ("traces.dropped", Some(4)), "{payload}");
    assert_eq!(payload["reason"], "the collector did not take them");
}

/// How many spans are sent of a task that was submitted with this and cancelled, where nothing is sampled.
async fn spans_of_a_cancelled_task(traceparent: &str) -> u64 {
    use serde_json::json;
    use tasker_engine::{Engine, EngineSettings, TaskRequest};
    use tasker_store::{Store, WhenTaken, memory::MemoryStore};

    let endpoint = collector::answering("200 OK").await;
    let (protocol, ratio) = (TracesProtocol::Http, 0.0);
    let settings = TracesSettings { enabled: true, endpoint, protocol, ratio, ..TracesSettings::default() };
    let tracing = Tracing::start(&settings).expect("fine").expect("enabled");
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(Arc::new(tasker_core::SystemClock)));
    let engine = Engine::new(Arc::clone(&store), EngineSettings::default());
    let definition = json!({ "name": "one", "step_templates": [{ "name": "a", "handler_class": "noop" }] });
    let template = tasker_core::TaskTemplate::from_definition(&definition).expect("a template");
    engine.register(template.into(), WhenTaken::Replace).await.expect("registered");
    let mut request = TaskRequest::new("one".parse().expect("a request"), json!({}));
    request.traceparent = Some(traceparent.to_owned());
    let task = engine.submit(request).await.expect("submitted").id();
    engine.cancel(tasker_store::Target::Task(task), "ann", None).await.expect("cancelled");
    let report = tracing.conclude(&*store, task, Duration::from_mins(1)).await;
    assert_eq!(report.failed + report.dropped + report.waiting, 0, "{report:?}");
    report.exported
}

#[tokio::test]
async fn a_cancelled_task_is_written_if_its_submitter_records() {
    let submitter = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";
    assert_eq!(spans_of_a_cancelled_task(&format!("{submitter}-01")).await, 4);
    assert_eq!(spans_of_a_cancelled_task(&format!("{submitter}-00")).await, 0);
}

#[tokio::test]
async fn a_task_that_there_is_no_room_for_is_counted_and_waits_for_nobody() {
    let settings = TracesSettings { enabled: true, ..TracesSettings::default() };
    let tracing = Tracing::start(&settings).expect("fine").expect("enabled");
    let made_at = tasker_core::Timestamp::from_micros(1_790_000_000_000_000);
    let kind = kind();
    for number in 0..WAITING + 3 {
        tracing.ended(TaskRef { id: TaskId::new(made_at, (number as u128) << 20), kind: &kind }, None, true);
    }
    assert_eq!((tracing.missed(), inbox(&tracing).len()), (3, WAITING));
}

#[tokio::test]
async fn calls_to_the_database_are_told_of_attempts_that_are_sampled() {
    let settings = |ratio| TracesSettings { enabled: true, ratio, ..TracesSettings::default() };
    let attempt = LeaseKey { step: task(1).step(0), attempt: 1 };
    let all = Tracing::start(&settings(1.0)).expect("fine").expect("enabled");
    assert!(!all.tells_of_calls(attempt), "nobody knows where the database is");
    all.tell_of(&DatabaseSettings { url: "sqlite:data/work.db".to_owned(), ..DatabaseSettings::default() });
    assert!(all.tells_of_calls(attempt));
    let none = Tracing::start(&settings(0.0)).expect("fine").expect("enabled");
    none.tell_of(&DatabaseSettings::default());
    assert!(!none.tells_of_calls(attempt));
    none.marked.put(task(1));
    assert!(none.tells_of_calls(attempt), "its submitter records");
}
