//! How parts are stopped, and what becomes of a process when one fails.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use super::*;

const PATIENCE: Duration = Duration::from_secs(1);

/// What happened, in order.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn note(&self, what: &str) {
        self.0.lock().expect("no panic").push(what.to_owned());
    }

    fn read(&self) -> String {
        self.0.lock().expect("no panic").join(", ")
    }
}

impl Write for Diary {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.note(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What this thread logs, as long as the guard is there.
fn logged() -> (Diary, tracing::subscriber::DefaultGuard) {
    let diary = Diary::default();
    let writer = diary.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    (diary, tracing::subscriber::set_default(subscriber))
}

/// A process of two parts that note when they have stopped.
fn two_parts(diary: &Diary) -> (Process, CancellationToken) {
    let shutdown = CancellationToken::new();
    let mut process = Process::new(shutdown.clone());
    for name in ["first", "second"] {
        let diary = diary.clone();
        process.start(name, PATIENCE, |stop| async move {
            stop.cancelled().await;
            // sleep: the time is paused in every test of this file
            tokio::time::sleep(PATIENCE / 2).await;
            diary.note(name);
            Ok(())
        });
    }
    (process, shutdown)
}

#[tokio::test(start_paused = true)]
async fn parts_are_stopped_in_the_opposite_order_one_after_the_other() {
    let diary = Diary::default();
    let (process, shutdown) = two_parts(&diary);
    shutdown.cancel();
    process.run().await.expect("no failure");
    assert_eq!(diary.read(), "second, first");
}

#[tokio::test(start_paused = true)]
async fn a_part_that_fails_brings_the_others_down_in_order() {
    let diary = Diary::default();
    let (mut process, _shutdown) = two_parts(&diary);
    process.start("bad", PATIENCE, |_| async { Err("it broke".into()) });
    let error = process.run().await.expect_err("a failure");
    assert_eq!(diary.read(), "second, first");
    assert_eq!(
        (error.code(), error.told().as_str()),
        (70, "the bad failed; all else was stopped in order: it broke")
    );
}

#[tokio::test(start_paused = true)]
async fn a_part_that_panics_brings_the_others_down_in_order() {
    let diary = Diary::default();
    let (mut process, _shutdown) = two_parts(&diary);
    process.start("bad", PATIENCE, |_| async { panic!("of {} things", 2) });
    let error = process.run().await.expect_err("a failure");
    assert_eq!(diary.read(), "second, first");
    assert_eq!(error.told(), "the bad failed; all else was stopped in order: it panicked: of 2 things");
}

#[tokio::test(start_paused = true)]
async fn a_part_may_not_end_by_itself() {
    let mut process = Process::new(CancellationToken::new());
    process.start("early", PATIENCE, |_| async { Ok(()) });
    let error = process.run().await.expect_err("a failure");
    assert_eq!(
        error.told(),
        "the early failed; all else was stopped in order: it ended without being told to"
    );
}

#[tokio::test(start_paused = true)]
async fn a_part_that_does_not_stop_is_dropped_after_its_patience() {
    let diary = Diary::default();
    let (mut process, shutdown) = two_parts(&diary);
    process.start("deaf", PATIENCE, |_| std::future::pending());
    shutdown.cancel();
    process.run().await.expect("no failure");
    assert_eq!(diary.read(), "second, first");
}

#[tokio::test(start_paused = true)]
async fn a_failure_while_stopping_is_told() {
    let diary = Diary::default();
    let (mut process, shutdown) = two_parts(&diary);
    process.start("bad", PATIENCE, |stop| async move {
        stop.cancelled().await;
        Err("it could not say goodbye".into())
    });
    shutdown.cancel();
    let error = process.run().await.expect_err("a failure");
    assert_eq!(diary.read(), "second, first");
    assert!(error.told().ends_with("it could not say goodbye"));
}

#[tokio::test(start_paused = true)]
async fn every_failure_after_the_shutdown_is_logged_with_its_sources() {
    let (log, _guard) = logged();
    let shutdown = CancellationToken::new();
    let mut process = Process::new(shutdown.clone());
    for (name, reason) in [("first", "the disk is full"), ("second", "the line is dead")] {
        process.start(name, PATIENCE, move |stop| async move {
            stop.cancelled().await;
            Err(RunError::Start { action: "say goodbye".to_owned(), source: reason.into() }.into())
        });
    }
    shutdown.cancel();
    let error = process.run().await.expect_err("a failure");
    assert_eq!((error.code(), error.told().contains("the line is dead")), (70, true));
    let log = log.read();
    for reason in ["the disk is full", "the line is dead"] {
        assert!(log.contains(&format!("failed to say goodbye: {reason}")), "{log}");
    }
}

#[tokio::test]
async fn a_process_without_parts_runs_until_the_shutdown() {
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(Process::new(shutdown.clone()).run());
    shutdown.cancel();
    running.await.expect("no panic").expect("no failure");
}

#[tokio::test(start_paused = true)]
async fn a_process_tells_that_it_starts_is_ready_and_stops() {
    let (told, events) = crate::metrics::recorded();
    let shutdown = CancellationToken::new();
    let process = Process::new(shutdown.clone()).told_as("trial", &events);
    tokio::time::advance(PATIENCE).await;
    process.is_ready();
    tokio::time::advance(PATIENCE).await;
    shutdown.cancel();
    process.run().await.expect("no failure");
    let told = told.take();
    let names: Vec<_> = told.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["process.started", "process.ready", "process.stopping"]);
    assert_eq!(told[0].1["process_id"], std::process::id());
    assert_eq!((&told[1].1["name"], &told[1].1["duration"]), (&"trial".into(), &1.0.into()));
    assert_eq!(told[2].1["duration"], 2.0);
}
