//! Several processes on one file, and processes that are killed. The others are this same test binary, started with
//! the name of the part that they play.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tasker_core::{Clock, State, StepId, SystemClock, TaskId};
use tasker_sqlite::{SqliteOptions, SqliteStore};
use tasker_store::conformance::{Bench, LEASE, PATIENCE, clock, worker};
use tasker_store::{FeedStore, NewTask, Page, ReadStore, TaskFilter};

/// Where a child finds the database, and the part it plays.
const DATABASE: &str = "TASKER_SQLITE_TEST_DATABASE";
const PART: &str = "TASKER_SQLITE_TEST_PART";

async fn bench(path: &Path) -> Bench {
    let clock = clock();
    let options = SqliteOptions { clock: Arc::clone(&clock) as Arc<_>, ..SqliteOptions::default() };
    let store = SqliteStore::open(path.to_str().expect("UTF-8"), options).await.expect("the database opens");
    Bench::new(Arc::new(store), clock, Box::new(()))
}

fn start(part: &str, database: &Path) -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "a_process_plays_its_part", "--nocapture"])
        .env(DATABASE, database)
        .env(PART, part)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child")
}

/// The lines that a child says, without those of the test harness.
fn lines(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    let output: ChildStdout = child.stdout.take().expect("it speaks");
    let lines = BufReader::new(output).lines().map_while(Result::ok);
    lines.filter_map(|line| line.split_once("said: ").map(|(_, word)| word.to_owned()))
}

fn say(word: impl std::fmt::Display) {
    println!("said: {word}");
}

/// What the children of the other tests do. By itself it submits.
#[tokio::test]
async fn a_process_plays_its_part() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = std::env::var_os(DATABASE).unwrap_or_else(|| folder.path().join("tasker.db").into());
    let part = std::env::var_os(PART).unwrap_or_else(|| "submit".into());
    let bench = bench(Path::new(&database)).await;
    match part.to_str().expect("UTF-8") {
        "work" => work(&bench).await,
        "submit" => {
            for _ in 0..50 {
                say(bench.create(draft(&bench).await).await);
            }
        }
        "open" => say("opened"),
        other => panic!("there is no part {other}"),
    }
}

/// Submits and settles for ever, and says what was acknowledged.
async fn work(bench: &Bench) {
    loop {
        let task = bench.create(draft(bench).await).await;
        say(format_args!("submitted {task}"));
        let mut leases = bench.claim(3).await.all();
        while !leases.is_empty() {
            let steps: Vec<StepId> = leases.iter().map(|lease| lease.key.step).collect();
            let results = serde_json::json!({ "text": "x".repeat(500) });
            let settlements = leases.into_iter().map(|lease| lease.complete(results.clone())).collect();
            leases = bench.settle_and_claim(settlements, 3).await.1.all();
            for step in steps {
                say(format_args!("settled {step}"));
            }
        }
    }
}

/// A task whose id no other process gives.
async fn draft(bench: &Bench) -> NewTask {
    let count = bench.task_id().as_uuid().as_u128() & 0xffff_ffff;
    let random = u128::from(std::process::id()) << 40 | count;
    NewTask { id: TaskId::new(SystemClock.now(), random), ..bench.draft_of("a -> b, c; b, c -> d").await }
}

#[tokio::test]
async fn a_killed_process_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tasker.db");
    let mut acknowledged: Vec<String> = Vec::new();
    for round in 0..8usize {
        let mut child = start("work", &path);
        let said = lines(&mut child).take(20 + round * 23);
        acknowledged.extend(said);
        child.kill().expect("it was running");
        child.wait().expect("it is gone");
        let bench = bench(&path).await;
        for word in &acknowledged {
            check(&bench, word).await;
        }
        bench.check_everything().await;
    }
    assert!(acknowledged.len() > 500, "only {} were acknowledged", acknowledged.len());
}

async fn check(bench: &Bench, word: &str) {
    let (verb, id) = word.split_once(' ').expect("a verb and an id");
    if verb == "submitted" {
        bench.task(id.parse().expect("a task's id")).await;
    } else {
        let id: StepId = id.parse().expect("a step's id");
        let steps = bench.steps(id.task()).await;
        assert_eq!(steps[id.ordinal() as usize].state, State::Complete, "{word}");
    }
}

#[tokio::test]
async fn processes_that_write_at_once_wait_for_each_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tasker.db");
    let mut children: Vec<Child> = (0..4).map(|_| start("submit", &path)).collect();
    let ids: Vec<String> = children.iter_mut().flat_map(lines).collect();
    for child in &mut children {
        assert!(child.wait().expect("an end").success(), "no process was told that the database is locked");
    }
    assert_eq!(ids.len(), 200);
    let bench = bench(&path).await;
    let page = Page { limit: 1_000, ..Page::default() };
    let tasks = bench.store.tasks(&TaskFilter::default(), page).await.expect("a list");
    assert_eq!(tasks.len(), 200);
    bench.check_everything().await;
}

#[tokio::test]
async fn processes_that_make_the_same_database_at_once_make_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("deep/down/tasker.db");
    let mut children: Vec<Child> = (0..6).map(|_| start("open", &path)).collect();
    for child in &mut children {
        assert_eq!(lines(child).collect::<Vec<_>>(), ["opened"]);
        assert!(child.wait().expect("an end").success());
    }
    bench(&path).await.submit("a").await;
}

#[tokio::test]
async fn what_another_process_commits_is_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tasker.db");
    let options = SqliteOptions::default();
    let store = SqliteStore::open(path.to_str().expect("UTF-8"), options).await.expect("a database");
    let (mut ready, mut feed) = (store.wake().ready(), store.wake().feed());
    let mut child = start("submit", &path);
    let said = tokio::task::spawn_blocking(move || lines(&mut child).collect::<Vec<_>>());
    let hints = async {
        ready.changed().await.expect("the store is open");
        feed.changed().await.expect("the store is open");
    };
    tokio::time::timeout(PATIENCE, hints).await.expect("a hint");
    let said = said.await.expect("its words");
    let task: TaskId = said[0].parse().expect("an id");
    assert!(store.task(task).await.expect("an answer").is_some());
}

/// Whoever holds leases answers that hint with a renewal, which is a commit as well.
#[tokio::test]
async fn only_what_takes_leases_away_is_told_to_those_who_hold_some_elsewhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tasker.db");
    let (here, there) = (bench(&path).await, bench(&path).await);
    let task = here.submit("a -> b").await;
    // The benches give the same ids.
    there.task_id();
    let keys = [here.claim(1).await.one().key];
    let mut revoked = here.store.wake().revoked();
    for round in 0..3 {
        let mut feed = here.store.wake().feed();
        there.submit(&format!("other-{round}: c{{handler=other}}")).await;
        there.renew(worker(1), &keys, LEASE).await;
        tokio::time::timeout(PATIENCE, feed.changed()).await.expect("a hint").expect("it is open");
    }
    // sleep: what must not come can only be waited for.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!revoked.has_changed().expect("it is open"), "nothing was taken away");
    there.cancel(task).await.expect("cancelled");
    tokio::time::timeout(PATIENCE, revoked.changed()).await.expect("a hint").expect("it is open");
}

#[tokio::test]
async fn a_rescue_elsewhere_is_told_to_those_who_hold_leases() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tasker.db");
    let (here, there) = (bench(&path).await, bench(&path).await);
    here.submit("a").await;
    here.claim(1).await.one();
    let mut revoked = here.store.wake().revoked();
    there.advance(LEASE.as_secs());
    there.rescue().await;
    tokio::time::timeout(PATIENCE, revoked.changed()).await.expect("a hint").expect("it is open");
}

#[tokio::test]
async fn a_process_is_not_woken_by_its_own_commits_for_long() {
    let folder = tempfile::tempdir().expect("a folder");
    let bench = bench(&folder.path().join("tasker.db")).await;
    bench.submit("a").await;
    let mut feed = bench.store.wake().feed();
    feed.mark_unchanged();
    let quiet = tokio::time::timeout(Duration::from_millis(300), feed.changed()).await;
    assert!(quiet.is_err(), "no hint comes after the one of the commit itself");
}
