//! What a scraper gets from the real binary while a step runs, and after it.

use tasker_core::State;
use tasker_runtime::testing::{Program, get_text};
use tempfile::tempdir;

use crate::shared::{Shared, Stub};

#[test]
fn a_scraper_sees_the_step_at_work_and_then_done() {
    let directory = tempdir().expect("a directory");
    let (shared, stub) = (Shared::file(directory.path()), Stub::new());
    let task = shared.submit(&stub);
    let arguments = ["--worker", "--listen", "127.0.0.1:0", "--database", &shared.url];
    let mut server = Program::start(env!("CARGO_BIN_EXE_tasker-server"), directory.path(), &arguments);
    let address = server.ready();
    let scrape = |line: &str| {
        let (status, text) = get_text(address, "/metrics");
        assert_eq!(status, 200);
        text.lines().any(|found| found == line)
    };
    let asked = stub.asked();
    assert!(scrape("tasker_worker_slots{state=\"busy\"} 1"));
    assert!(scrape("tasker_worker_attempts_total{outcome=\"completed\"} 0"));
    assert!(scrape("tasker_store_up 1"));
    asked.answer();
    assert_eq!(shared.wait(task), State::Complete);
    while !scrape("tasker_worker_attempts_total{outcome=\"completed\"} 1") {}
    assert!(scrape("tasker_worker_slots{state=\"busy\"} 0"));
}
