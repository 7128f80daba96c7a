//! What stands beside the work: places in the feed, and what attempts logged.

use std::time::Duration;

use tasker_core::{LeaseKey, TaskId};

use crate::conformance::bench::{Bench, LEASE, worker};
use crate::log::{AttemptLog, LogLine};
use crate::record::Retention;

async fn hold(bench: &Bench, holder: u128, start: i64) -> Option<(i64, Duration)> {
    let held = bench.store.hold_cursor("hook", worker(holder), LEASE, start).await.expect("an answer");
    held.map(|cursor| (cursor.position, cursor.until.since(bench.now())))
}

async fn moves(bench: &Bench, holder: u128, position: i64) -> bool {
    bench.store.move_cursor("hook", worker(holder), position).await.expect("an answer")
}

pub(crate) async fn a_new_place_begins_where_it_is_told_and_stays_where_it_is_moved(bench: &Bench) {
    assert_eq!(hold(bench, 1, 7).await, Some((7, LEASE)));
    assert!(moves(bench, 1, 9).await);
    assert_eq!(hold(bench, 1, 3).await, Some((9, LEASE)), "only a new place has a beginning");
    bench.advance(5);
    assert!(moves(bench, 1, 8).await, "the holder is told yes, and nothing goes back");
    let cursors = bench.store.cursors().await.expect("a list");
    assert_eq!(cursors.len(), 1);
    assert_eq!((&*cursors[0].name, cursors[0].position), ("hook", 9));
    assert_eq!(cursors[0].moved_at, bench.now().minus(Duration::from_secs(5)));
}

pub(crate) async fn a_place_has_one_holder_until_its_time_runs_out(bench: &Bench) {
    hold(bench, 1, 0).await.expect("free");
    assert_eq!(hold(bench, 2, 0).await, None);
    bench.clock.advance(LEASE);
    assert_eq!(hold(bench, 2, 0).await, Some((0, LEASE)));
    assert_eq!(hold(bench, 1, 0).await, None);
}

pub(crate) async fn whoever_lost_a_place_can_no_longer_move_it(bench: &Bench) {
    hold(bench, 1, 0).await.expect("free");
    bench.clock.advance(LEASE);
    assert!(moves(bench, 1, 4).await, "its time is over, but nobody took it");
    hold(bench, 2, 0).await.expect("free");
    assert!(!moves(bench, 1, 6).await);
    bench.store.release_cursor("hook", worker(1)).await.expect("an answer");
    assert_eq!(hold(bench, 3, 0).await, None, "only the holder gives it up");
    assert!(!moves(bench, 9, 6).await);
    assert!(!bench.store.move_cursor("unknown", worker(1), 6).await.expect("an answer"));
}

pub(crate) async fn a_place_that_is_given_up_is_free_at_once(bench: &Bench) {
    hold(bench, 1, 5).await.expect("free");
    bench.store.release_cursor("hook", worker(1)).await.expect("an answer");
    assert!(!moves(bench, 1, 6).await);
    let cursors = bench.store.cursors().await.expect("a list");
    assert_eq!((cursors[0].position, cursors[0].holder), (5, None));
    assert_eq!(hold(bench, 2, 0).await, Some((5, LEASE)));
}

fn log(bench: &Bench, task: TaskId, ordinal: u32, attempt: u32, lines: &[&str]) -> AttemptLog {
    let lines = lines.iter().map(|text| LogLine { at: bench.now(), text: (*text).to_owned() });
    AttemptLog { key: LeaseKey { step: task.step(ordinal), attempt }, lines: lines.collect() }
}

async fn logged(bench: &Bench, task: TaskId, step: Option<u32>) -> String {
    let logs = bench.store.logs(task, step.map(|ordinal| task.step(ordinal))).await.expect("logs");
    let shown = logs.iter().map(|log| {
        let lines: Vec<&str> = log.lines.iter().map(|line| &*line.text).collect();
        format!("{}#{}: {}", log.key.step.ordinal(), log.key.attempt, lines.join("|"))
    });
    shown.collect::<Vec<_>>().join("; ")
}

pub(crate) async fn lines_are_read_back_by_step_attempt_and_order(bench: &Bench) {
    let (task, other) = (bench.submit("a -> b").await, bench.submit("a").await);
    let odd = "a \"quoted\" line\twith \u{0} and ö";
    let logs = vec![log(bench, task, 1, 2, &["late"]), log(bench, task, 0, 1, &["one", odd])];
    bench.store.put_logs(logs).await.expect("kept");
    bench.advance(1);
    let logs = vec![
        log(bench, task, 0, 1, &["three"]),
        log(bench, other, 0, 1, &["else"]),
        log(bench, task, 1, 1, &["x"]),
    ];
    bench.store.put_logs(logs).await.expect("kept");
    let all = format!("0#1: one|{odd}|three; 1#1: x; 1#2: late");
    assert_eq!(logged(bench, task, None).await, all);
    assert_eq!(logged(bench, task, Some(1)).await, "1#1: x; 1#2: late");
    assert_eq!(logged(bench, other, None).await, "0#1: else");
    let logs = bench.store.logs(task, Some(task.step(0))).await.expect("logs");
    let times: Vec<_> = logs[0].lines.iter().map(|line| bench.now().since(line.at).as_secs()).collect();
    assert_eq!(times, [1, 1, 0]);
}

pub(crate) async fn lines_go_with_their_task(bench: &Bench) {
    let task = bench.submit("a").await;
    let lease = bench.claim(1).await.one();
    bench.store.put_logs(vec![log(bench, task, 0, 1, &["one"])]).await.expect("kept");
    bench.complete(lease).await;
    let now = Retention { ended: Duration::ZERO, failed: Duration::ZERO };
    bench.store.prune(now, 10).await.expect("pruned");
    assert_eq!(logged(bench, task, None).await, "");
    bench.store.put_logs(vec![log(bench, task, 0, 1, &["too late"])]).await.expect("an answer");
    assert_eq!(logged(bench, task, None).await, "", "there is no such task");
}
