//! What happens when the collector is not there, does not want, or is too slow.

use std::time::Duration;

use tasker_otlp::{OtlpError, Protocol, Report, Secret, Settings, Traces, Written};

use crate::arriving::trace;
use crate::receiver::{Answer, PATIENCE, Receiver, nowhere, settings};

const BOTH: [Protocol; 2] = [Protocol::Grpc, Protocol::HttpProtobuf];

/// Waits until something is true of the report.
async fn until(traces: &Traces, is_true: impl Fn(Report) -> bool) {
    let waiting = async {
        while !is_true(traces.report()) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it becomes true in time");
}

#[tokio::test]
async fn spans_that_nobody_takes_are_counted_and_later_ones_arrive() {
    for protocol in BOTH {
        let address = nowhere().await;
        let settings = Settings { patience: Duration::ZERO, ..settings(address, protocol) };
        let traces = Traces::start(&settings).expect("settings");
        let (written, count) = (trace().await, trace().await.len());
        traces.offer(Written::of(&written));
        until(&traces, |report| report.failed > 0).await;
        let report = traces.report();
        assert_eq!((report.failed, report.exported, report.waiting), (count as u64, 0, 0), "{protocol}");
        let mut receiver = Receiver::at(address, protocol, &[]).await;
        traces.offer(Written::of(&written));
        assert_eq!(receiver.spans(count).await.len(), count, "{protocol}");
    }
}

#[tokio::test]
async fn a_batch_that_was_not_taken_is_sent_again() {
    for protocol in BOTH {
        let mut receiver = Receiver::answering(protocol, &[Answer::Busy]).await;
        let traces = Traces::start(&receiver.settings()).expect("settings");
        let written = trace().await;
        traces.offer(Written::of(&written));
        let (first, second) = (receiver.next().await, receiver.next().await);
        assert_eq!(first.spans, second.spans, "{protocol}");
        let report = traces.shutdown(PATIENCE).await;
        assert_eq!((report.exported, report.failed), (written.len() as u64, 0), "{protocol}");
    }
}

#[tokio::test]
async fn a_batch_that_the_collector_does_not_want_is_not_sent_again() {
    for protocol in BOTH {
        let mut receiver = Receiver::answering(protocol, &[Answer::Refused]).await;
        let traces = Traces::start(&receiver.settings()).expect("settings");
        let written = trace().await;
        traces.offer(Written::of(&written));
        receiver.next().await;
        let report = traces.shutdown(PATIENCE).await;
        assert_eq!((report.exported, report.failed), (0, written.len() as u64), "{protocol}");
    }
}

#[tokio::test]
async fn spans_that_the_collector_rejects_are_counted() {
    for protocol in BOTH {
        let receiver = Receiver::answering(protocol, &[Answer::TakenButOne]).await;
        let traces = Traces::start(&receiver.settings()).expect("settings");
        let written = trace().await;
        traces.offer(Written::of(&written));
        let report = traces.shutdown(PATIENCE).await;
        assert_eq!((report.exported, report.failed), (written.len() as u64 - 1, 1), "{protocol}");
    }
}

#[tokio::test]
async fn shutting_down_sends_what_waits_and_takes_no_more() {
    let mut receiver = Receiver::start(Protocol::Grpc).await;
    let settings = Settings { delay: Duration::from_secs(3600), batch: 5, ..receiver.settings() };
    let traces = Traces::start(&settings).expect("settings");
    let written = trace().await;
    let count = written.len();
    traces.offer(Written::of(&written));
    let report = traces.shutdown(PATIENCE).await;
    assert_eq!(report, Report { exported: count as u64, ..Report::default() });
    assert_eq!(receiver.spans(count).await.len(), count);
    traces.offer(Written::of(&written));
    traces.put(Written::of(&written)).await;
    assert_eq!(traces.report().dropped, 2 * count as u64);
}

#[tokio::test]
async fn shutting_down_ends_in_time_if_the_collector_does_not_answer() {
    for protocol in BOTH {
        let mut receiver = Receiver::answering(protocol, &[Answer::Nothing]).await;
        let settings = Settings { timeout: Duration::from_secs(3600), batch: 5, ..receiver.settings() };
        let traces = Traces::start(&settings).expect("settings");
        let written = trace().await;
        traces.offer(Written::of(&written));
        receiver.next().await;
        let report = traces.shutdown(Duration::from_millis(50)).await;
        assert_eq!(report, Report { failed: written.len() as u64, ..Report::default() }, "{protocol}");
    }
}

#[tokio::test]
async fn a_collector_that_does_not_answer_is_given_up_after_the_timeout() {
    for protocol in BOTH {
        let mut receiver = Receiver::answering(protocol, &[Answer::Nothing]).await;
        let settings = Settings { timeout: Duration::from_millis(50), ..receiver.settings() };
        let traces = Traces::start(&settings).expect("settings");
        traces.offer(Written::of(&trace().await));
        let (first, second) = (receiver.next().await, receiver.next().await);
        assert_eq!(first.spans, second.spans, "{protocol}");
    }
}

#[tokio::test]
async fn what_there_is_no_room_for_is_counted_and_what_is_taken_hangs_together() {
    let mut receiver = Receiver::start(Protocol::Grpc).await;
    let settings = Settings { capacity: 6, batch: 6, ..receiver.settings() };
    let traces = Traces::start(&settings).expect("settings");
    let written = trace().await;
    // The background task has had no turn yet.
    traces.offer(Written::of(&written));
    traces.offer(Written::of(&written));
    assert_eq!(traces.report().dropped, 2 * written.len() as u64 - 6);
    let ids: Vec<_> = receiver.spans(6).await.into_iter().map(|span| span.span_id).collect();
    let first = written[..6].iter().map(|span| span.id.as_u64().to_be_bytes().to_vec());
    assert_eq!(ids, first.collect::<Vec<_>>());
}

#[tokio::test]
async fn who_has_time_waits_for_room_and_loses_nothing() {
    let mut receiver = Receiver::start(Protocol::Grpc).await;
    let settings = Settings { capacity: 4, batch: 3, ..receiver.settings() };
    let traces = Traces::start(&settings).expect("settings");
    let written = trace().await;
    for _ in 0..5 {
        tokio::time::timeout(PATIENCE, traces.put(Written::of(&written))).await.expect("room in time");
    }
    let count = 5 * written.len();
    assert_eq!(receiver.spans(count).await.len(), count);
    let report = traces.shutdown(PATIENCE).await;
    assert_eq!(report, Report { exported: count as u64, ..Report::default() });
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_refused_by_name() {
    for protocol in BOTH {
        let endpoint = "localhost 4317".to_owned();
        let error = Traces::start(&Settings { endpoint, protocol, ..Settings::default() });
        assert!(matches!(error, Err(OtlpError::Endpoint { .. })), "{error:?}");
        let headers = vec![("a b".to_owned(), Secret::new("c"))];
        let error = Traces::start(&Settings { headers, protocol, ..Settings::default() });
        assert!(matches!(error, Err(OtlpError::Header { .. })), "{error:?}");
    }
}
