//! How fast the store is, beside what SQLite does bare in the same run.
//!
//! `cargo run --release -p tasker-sqlite --example speed [-- full|normal [folder [all|latency|backlog]]]`
//!
//! For each shape of task and size of batch: steps submitted per second; steps settled and claimed per second,
//! and the processor time of each; the same rows written by SQLite alone, in the same order, where nothing is
//! decided and nothing checked. Then the time of one hop (a settlement with a claim, on an idle store) beside that
//! of a bare insert and commit; with `backlog`, the same with a million steps that nobody asks for, and with a
//! million finished ones.

#[path = "speed/bare.rs"]
mod bare;
#[path = "speed/load.rs"]
mod load;
#[path = "speed/shape.rs"]
mod shape;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tasker_sqlite::{Durability, SqliteOptions, SqliteStore};
use tasker_store::WorkStore;

use bare::Bare;
use shape::Shape;

/// How a run is made.
struct Run {
    folder: PathBuf,
    durability: Durability,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let durability = match arguments.next().as_deref() {
        Some("normal") => Durability::Normal,
        _ => Durability::Full,
    };
    let folder = arguments.next().map_or_else(std::env::temp_dir, Into::into);
    let what = arguments.next().unwrap_or_else(|| "all".to_owned());
    let run = Run { folder, durability };
    // On a worker thread of the runtime, where callers of a store are.
    tokio::spawn(async move { run.all(&what).await }).await.expect("the run");
    println!("resident at most: {}", peak_memory());
}

impl Run {
    async fn all(&self, what: &str) {
        println!("durability {:?}, in {}", self.durability, self.folder.display());
        if what == "all" {
            println!("shape     batch   submit/s   settle/s    µs CPU     bare/s    µs CPU    ratio");
            for shape in shape::all() {
                for batch in [50, 200, 1000] {
                    self.throughput(&shape, batch).await;
                }
            }
        }
        self.latency(what == "backlog").await;
    }

    async fn open(&self, folder: &tempfile::TempDir) -> SqliteStore {
        let options = SqliteOptions { durability: self.durability, ..SqliteOptions::default() };
        let path = folder.path().join("speed.db");
        SqliteStore::open(path.to_str().expect("a path in UTF-8"), options).await.expect("a database")
    }

    async fn throughput(&self, shape: &Shape, batch: usize) {
        let folder = tempfile::tempdir_in(&self.folder).expect("a folder");
        let store = Arc::new(self.open(&folder).await);
        let tasks = if batch < 200 { 20_000 } else { 60_000 } / shape.steps as usize;
        let steps = tasks * shape.steps as usize;
        let plan = load::plan(&store, shape).await;
        let begun = Instant::now();
        let ids = load::submit(&store, plan, tasks, (batch / shape.steps as usize).max(1)).await;
        let submitted = rate(steps, begun.elapsed());
        let (begun, worked) = (Instant::now(), processor_time());
        let order = load::drain(&store, batch, steps).await;
        let (settled, work) = (rate(steps, begun.elapsed()), processor_time().saturating_sub(worked));
        let bare = Bare::new(&self.folder, self.durability, shape, &ids).await;
        let (begun, worked) = (Instant::now(), processor_time());
        bare.replay(&order, batch).await;
        let (bare, bare_work) = (rate(steps, begun.elapsed()), processor_time().saturating_sub(worked));
        println!(
            "{:<9}{batch:>6}{submitted:>11.0}{settled:>11.0}{:>10.1}{bare:>11.0}{:>10.1}{:>9.2}",
            shape.name,
            micros_each(work, steps),
            micros_each(bare_work, steps),
            settled / bare
        );
    }

    async fn latency(&self, with_backlog: bool) {
        let folder = tempfile::tempdir_in(&self.folder).expect("a folder");
        let store = Arc::new(self.open(&folder).await);
        let shape = shape::chain(1_000);
        let plan = load::plan(&store, &shape).await;
        let ids = load::submit(&store, plan, 1, 1).await;
        let mut bare = Bare::new(&self.folder, self.durability, &shape, &ids).await;
        self.hops("one hop", &store, &mut bare).await;
        if with_backlog {
            let unwanted = load::plan(&store, &shape::unwanted(100)).await;
            load::submit(&store, unwanted, 10_000, 10).await;
            self.hops("the same beside 1,000,000 ready steps that nobody asks for", &store, &mut bare).await;
            let wanted = load::plan(&store, &shape::chain(4)).await;
            load::submit(&store, wanted, 250_000, 250).await;
            load::drain(&store, 1_000, 1_000_000).await;
            load::submit(&store, plan, 1, 1).await;
            self.hops("the same beside 1,000,000 finished ones as well", &store, &mut bare).await;
        }
    }

    /// The time of hops, beside that of bare commits in between.
    async fn hops(&self, title: &str, store: &SqliteStore, bare: &mut Bare) {
        let (mut hops, mut commits) = (Vec::new(), Vec::new());
        let mut leases = store.claim(load::claim(1, 0)).await.expect("a lease");
        for _ in 0..300 {
            let begun = Instant::now();
            leases = load::settle(store, leases, load::claim(1, 0)).await;
            hops.push(begun.elapsed());
            let begun = Instant::now();
            bare.insert_one().await;
            commits.push(begun.elapsed());
        }
        load::settle(store, leases, load::claim(0, 0)).await;
        let (hop, commit) = (spread(hops), spread(commits));
        println!(
            "{title}: p50 {:.0?}, p95 {:.0?}; bare insert and commit: p50 {:.0?}, p95 {:.0?}; ratio {:.2}",
            hop.0,
            hop.1,
            commit.0,
            commit.1,
            hop.0.as_secs_f64() / commit.0.as_secs_f64()
        );
    }
}

fn rate(steps: usize, time: Duration) -> f64 {
    f64::from(u32::try_from(steps).expect("few")) / time.as_secs_f64()
}

fn micros_each(time: Duration, steps: usize) -> f64 {
    1e6 / rate(steps, time)
}

/// The middle, and what 19 of 20 are below.
fn spread(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 19 / 20])
}

/// The processor time of this process so far, in user mode and in the kernel.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(10 * ticks)
}

/// How much memory this process had at most.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap_or("unknown").trim().to_owned()
}
