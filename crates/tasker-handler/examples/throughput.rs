//! How many no-op steps a second one runner makes over the store in memory, and how many the bare store could.
//!
//! ```text
//! cargo run --release -p tasker-handler --example throughput [STEPS] [CONCURRENCY]
//! ```

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use tasker_core::{
    Clock, HandlerName, Outcome, ParseOptions, QueueName, SystemClock, TaskId, TaskTemplate, WorkerId,
};
use tasker_handler::{
    InputNeed, Registration, Registry, Runner, RunnerSettings, StepContext, StepHandler, Surroundings,
};
use tasker_store::memory::MemoryStore;
use tasker_store::{
    ClaimRequest, Lease, NewTask, PutTemplate, SettleRequest, TaskStore, TemplateStore, WhenTaken, WorkStore,
};
use tokio_util::sync::CancellationToken;

const TEMPLATE: &str = "
name: linear
step_templates:
  - { name: a, handler_class: noop }
  - { name: b, handler_class: noop, depends_on_step: a }
  - { name: c, handler_class: noop, depends_on_step: b }
  - { name: d, handler_class: noop, depends_on_step: c }
";
const STEPS_PER_TASK: u32 = 4;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u32>());
    let steps = arguments.next().transpose()?.unwrap_or(400_000);
    let concurrency = arguments.next().transpose()?.unwrap_or(2_000);

    let store = filled(steps / STEPS_PER_TASK).await?;
    let began = Instant::now();
    let settled = settle_all(&store, concurrency / 2).await?;
    let bare = f64::from(settled) / began.elapsed().as_secs_f64();
    println!("bare store: {settled} steps, {bare:.0} steps/s");

    let inline = Registry::new(Surroundings::default());
    let mut spawned = inline.clone();
    spawned.replace(Registration::new("noop", Spawned(InputNeed::None)))?;
    let mut reading = inline.clone();
    reading.replace(Registration::new("noop", Spawned(InputNeed::ContextAndDependencies)))?;
    for (name, registry) in [("inline", inline), ("spawned", spawned), ("with inputs", reading)] {
        let store = filled(steps / STEPS_PER_TASK).await?;
        let rate = run_all(store, registry, concurrency, settled).await?;
        println!("{name}: {rate:.0} steps/s, {:.2} of the bare store", rate / bare);
    }
    Ok(())
}

/// Does nothing, in a task of its own.
struct Spawned(InputNeed);

#[async_trait]
impl StepHandler for Spawned {
    async fn run(&self, _: &StepContext) -> Outcome {
        Outcome::Done(Value::Null)
    }

    fn wants_inputs(&self) -> InputNeed {
        self.0
    }
}

/// Lets one runner make all steps.
async fn run_all(
    store: Arc<MemoryStore>,
    registry: Registry,
    concurrency: u32,
    steps: u32,
) -> Result<f64, Box<dyn Error>> {
    let mut settings = RunnerSettings::new(WorkerId::new(SystemClock.now(), 1));
    settings.concurrency = concurrency;
    let runner = Runner::new(store, registry, settings, StdRng::seed_from_u64(1));
    let (counters, shutdown) = (runner.counters(), CancellationToken::new());
    let began = Instant::now();
    let running = tokio::spawn(runner.run(shutdown.clone()));
    while counters.snapshot().completed < u64::from(steps) {
        tokio::task::yield_now().await;
    }
    let rate = f64::from(steps) / began.elapsed().as_secs_f64();
    shutdown.cancel();
    running.await?;
    Ok(rate)
}

/// A store with so many tasks.
async fn filled(tasks: u32) -> Result<Arc<MemoryStore>, Box<dyn Error>> {
    let clock = SystemClock;
    let store = Arc::new(MemoryStore::new(Arc::new(clock)));
    let template = TaskTemplate::parse(TEMPLATE, &ParseOptions::default())?.template;
    let put = PutTemplate { template: Arc::new(template), when_taken: WhenTaken::Refuse };
    let template = store.put_template(put).await??;
    let plan = store.plan(template, 0).await?.ok_or("the template was just stored")?;
    let task = |number: u32| NewTask {
        id: TaskId::new(clock.now(), u128::from(number) << 20),
        plan,
        context: json!({}),
        initiator: String::new(),
        source_system: String::new(),
        reason: String::new(),
        tags: Vec::new(),
        bypass_steps: Vec::new(),
        requested_at: clock.now(),
        origin: tasker_store::Origin::default(),
        identity: None,
    };
    store.submit((0..tasks).map(task).collect()).await??;
    Ok(store)
}

/// Claims and settles all steps with nothing in between.
async fn settle_all(store: &MemoryStore, capacity: u32) -> Result<u32, Box<dyn Error>> {
    let worker = WorkerId::new(SystemClock.now(), 2);
    let queues: Arc<[QueueName]> = Arc::new([QueueName::default()]);
    let handlers: Arc<[HandlerName]> = Arc::new([HandlerName::new("noop")?]);
    let mut leases: Vec<Lease> = Vec::new();
    let mut settled = 0;
    loop {
        let settlements: Vec<_> = leases.drain(..).map(|lease| lease.complete(Value::Null)).collect();
        settled += u32::try_from(settlements.len())?;
        let claim = ClaimRequest {
            worker,
            queues: Arc::clone(&queues),
            handlers: Arc::clone(&handlers),
            capacity,
            lease: Duration::from_secs(30),
            turn: settled,
            task: None,
        };
        leases = store.settle(SettleRequest { settlements, claim: Some(claim) }).await?.leases;
        if leases.is_empty() {
            return Ok(settled);
        }
    }
}
