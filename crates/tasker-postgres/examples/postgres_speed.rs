//! How fast the store is: no-op steps of three workflows, driven through `WorkStore::settle`.
//!
//! ```sh
//! cargo run --release -p tasker-postgres --example postgres_speed -- postgres://user@host/database [tasks]
//! ```
//!
//! It prints steps per second while tasks that were submitted before are worked off, the same with the
//! submissions counted in, and the time of one idle hop beside that of a bare one-row insert and commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::{ConnectOptions, Connection};
use tasker_core::{Clock, HandlerName, QueueName, SystemClock, TaskId, TaskTemplate, WorkerId};
use tasker_postgres::{Listen, PostgresOptions, PostgresStore};
use tasker_store::{
    ClaimRequest, NewTask, PlanId, PutTemplate, SettleRequest, TaskStore, TemplateStore, WhenTaken, WorkStore,
};

/// So many callers settle and claim at once.
const CALLERS: usize = 4;
/// At most so many steps per call.
const CAPACITY: u32 = 250;
/// So many tasks per submission.
const SUBMISSION: usize = 250;

/// The names of a template, and its steps with what each depends on.
type Shape = (&'static str, Vec<(String, Vec<String>)>);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().expect("the URL of a database that may be filled");
    let tasks: usize = arguments.next().map_or(5_000, |text| text.parse().expect("a number of tasks"));
    let options = PostgresOptions { listen: Listen::Off, ..PostgresOptions::default() };
    let store = Arc::new(PostgresStore::connect(&url, options).await.expect("a store"));
    for (name, steps) in shapes() {
        let plan = plan(&store, name, &steps).await;
        let count = (tasks * 4 / steps.len()).max(40);
        run(&store, plan, (count / 10).max(10), steps.len()).await;
        let (drained, whole) = run(&store, plan, count, steps.len()).await;
        println!("{name:<10} {count:>6} tasks {drained:>8.0} steps/s, with submission {whole:>8.0} steps/s");
    }
    let plan = plan(&store, "hop", &chain(1)).await;
    let (hop, bare) = (hops(&store, plan).await, bare(&url).await);
    println!("idle hop {hop:.3} ms, bare insert and commit {bare:.3} ms, ratio {:.2}", hop / bare);
}

fn chain(length: usize) -> Vec<(String, Vec<String>)> {
    let before = |index: usize| if index == 0 { Vec::new() } else { vec![format!("s{}", index - 1)] };
    (0..length).map(|index| (format!("s{index}"), before(index))).collect()
}

fn shapes() -> Vec<Shape> {
    let step = |name: &str, on: &[&str]| (name.to_owned(), on.iter().map(|&on| on.to_owned()).collect());
    let middle: Vec<String> = (0..100).map(|index| format!("m{index}")).collect();
    let mut fan = vec![step("a", &[])];
    fan.extend(middle.iter().map(|name| (name.clone(), vec!["a".to_owned()])));
    fan.push(("z".to_owned(), middle));
    let diamond = vec![step("a", &[]), step("b", &["a"]), step("c", &["a"]), step("d", &["b", "c"])];
    vec![("linear 4", chain(4)), ("diamond", diamond), ("1-100-1", fan)]
}

async fn plan(store: &PostgresStore, name: &str, steps: &[(String, Vec<String>)]) -> PlanId {
    let steps: Vec<_> = steps
        .iter()
        .map(|(name, on)| json!({ "name": name, "handler_class": "noop", "depends_on_steps": on }))
        .collect();
    let definition = json!({
        "name": name.replace(' ', "_"), "task_handler_class": "speed", "version": "0.1.0", "step_templates": steps,
    });
    let template = TaskTemplate::from_definition(&definition).expect("a template");
    let put = PutTemplate { template: Arc::new(template), when_taken: WhenTaken::Replace };
    let id = store.put_template(put).await.expect("stored").expect("replaced");
    store.plan(id, 0).await.expect("planned").expect("there")
}

async fn run(store: &Arc<PostgresStore>, plan: PlanId, tasks: usize, steps: usize) -> (f64, f64) {
    let begun = Instant::now();
    let mut made = 0;
    while made < tasks {
        let part = SUBMISSION.min(tasks - made);
        let drafts = (0..part).map(|_| draft(plan)).collect();
        store.submit(drafts).await.expect("submitted").expect("made");
        made += part;
    }
    let submitted = Instant::now();
    let left = Arc::new(AtomicUsize::new(tasks * steps));
    let callers: Vec<_> =
        (0..CALLERS).map(|_| tokio::spawn(work(Arc::clone(store), Arc::clone(&left)))).collect();
    for caller in callers {
        caller.await.expect("a caller ends");
    }
    let all = f64::from(u32::try_from(tasks * steps).expect("not that many"));
    (all / submitted.elapsed().as_secs_f64(), all / begun.elapsed().as_secs_f64())
}

async fn work(store: Arc<PostgresStore>, left: Arc<AtomicUsize>) {
    let claim = ask();
    let mut settlements = Vec::new();
    while left.load(Ordering::Relaxed) > 0 {
        let done = settlements.len();
        let request = SettleRequest { settlements, claim: Some(claim.clone()) };
        let reply = store.settle(request).await.expect("settled");
        left.fetch_sub(done, Ordering::Relaxed);
        settlements = reply.leases.into_iter().map(|lease| lease.complete(serde_json::Value::Null)).collect();
        if settlements.is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// The milliseconds of a settle that claims the next step, with nothing else going on.
async fn hops(store: &PostgresStore, plan: PlanId) -> f64 {
    const HOPS: usize = 1_000;
    let drafts = (0..=HOPS).map(|_| draft(plan)).collect();
    store.submit(drafts).await.expect("submitted").expect("made");
    let claim = ClaimRequest { capacity: 1, ..ask() };
    let mut leases = store.claim(claim.clone()).await.expect("claimed");
    let begun = Instant::now();
    for _ in 0..HOPS {
        let settlements = leases.into_iter().map(|lease| lease.complete(serde_json::Value::Null)).collect();
        let request = SettleRequest { settlements, claim: Some(claim.clone()) };
        leases = store.settle(request).await.expect("settled").leases;
    }
    begun.elapsed().as_secs_f64()
}

/// The milliseconds of a one-row insert and commit.
async fn bare(url: &str) -> f64 {
    let options: sqlx::postgres::PgConnectOptions = url.parse().expect("a URL");
    let mut connection = options.disable_statement_logging().connect().await.expect("a connection");
    sqlx::raw_sql("create table if not exists public.bare (n bigint)")
        .execute(&mut connection)
        .await
        .expect("made");
    let begun = Instant::now();
    for _ in 0..1_000 {
        sqlx::raw_sql("insert into public.bare values (1)").execute(&mut connection).await.expect("inserted");
    }
    let elapsed = begun.elapsed().as_secs_f64();
    connection.close().await.expect("closed");
    elapsed
}

fn ask() -> ClaimRequest {
    ClaimRequest {
        worker: WorkerId::from(uuid::Uuid::now_v7()),
        queues: Arc::new([QueueName::default()]),
        handlers: Arc::new([HandlerName::new("noop").expect("a name")]),
        capacity: CAPACITY,
        lease: Duration::from_secs(60),
        turn: 0,
        task: None,
    }
}

fn draft(plan: PlanId) -> NewTask {
    let now = SystemClock.now();
    NewTask {
        id: TaskId::new(now, uuid::Uuid::now_v7().as_u128().rotate_left(40)),
        plan,
        context: json!({ "order": 1 }),
        initiator: "speed".to_owned(),
        source_system: "speed".to_owned(),
        reason: "to see how fast it is".to_owned(),
        tags: Vec::new(),
        bypass_steps: Vec::new(),
        requested_at: now,
        origin: tasker_store::Origin::default(),
        identity: None,
    }
}
