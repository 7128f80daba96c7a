//! Work for the store.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tasker_core::{Clock, StepId, SystemClock, TaskId, WorkerId};
use tasker_sqlite::SqliteStore;
use tasker_store::{
    ClaimRequest, Lease, NewTask, PlanId, PutTemplate, SettleRequest, TaskStore, TemplateStore, WhenTaken,
    WorkStore,
};
use uuid::Uuid;

use crate::shape::Shape;

pub(crate) async fn plan(store: &SqliteStore, shape: &Shape) -> PlanId {
    let put = PutTemplate { template: shape.template(), when_taken: WhenTaken::Refuse };
    let template = store.put_template(put).await.expect("stored").expect("no conflict");
    store.plan(template, 0).await.expect("planned").expect("the template is there")
}

/// Submits tasks, so many in a commit.
pub(crate) async fn submit(store: &SqliteStore, plan: PlanId, tasks: usize, at_once: usize) -> Vec<TaskId> {
    let tasks: Vec<NewTask> = (0..tasks).map(|number| task_of(plan, number)).collect();
    for part in tasks.chunks(at_once) {
        store.submit(part.to_vec()).await.expect("committed").expect("accepted");
    }
    tasks.iter().map(|task| task.id).collect()
}

fn task_of(plan: PlanId, number: usize) -> NewTask {
    let random = u128::from(u64::try_from(number).expect("few").wrapping_mul(0x9e37_79b9_7f4a_7c15)) << 20;
    NewTask {
        id: TaskId::new(SystemClock.now(), random),
        plan,
        context: json!({ "order": number, "customer": "c-1024" }),
        initiator: "speed".to_owned(),
        source_system: "example".to_owned(),
        reason: "measuring".to_owned(),
        tags: Vec::new(),
        bypass_steps: Vec::new(),
        requested_at: SystemClock.now(),
        origin: tasker_store::Origin::default(),
        identity: None,
    }
}

/// Settles and claims until all is done, by two workers that take turns; in the order of the first one's leases.
pub(crate) async fn drain(store: &Arc<SqliteStore>, batch: usize, steps: usize) -> Vec<StepId> {
    let workers = (0..2).map(|worker| tokio::spawn(work(Arc::clone(store), batch, worker)));
    let mut order = Vec::with_capacity(steps);
    for worker in workers.collect::<Vec<_>>() {
        order.extend(worker.await.expect("a worker"));
    }
    assert!(order.len() >= steps, "{} of {steps} steps were settled", order.len());
    order.sort_unstable();
    order.into_iter().map(|(_, step)| step).collect()
}

async fn work(store: Arc<SqliteStore>, capacity: usize, mut turn: u32) -> Vec<(u32, StepId)> {
    let mut settled = Vec::new();
    let mut idle_rounds = 0;
    let mut leases = store.claim(claim(capacity, turn)).await.expect("leases");
    while idle_rounds < 20 {
        turn += 2;
        settled.extend(leases.iter().map(|lease| (turn, lease.key.step)));
        idle_rounds = if leases.is_empty() { idle_rounds + 1 } else { 0 };
        if leases.is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        leases = settle(&store, leases, claim(capacity, turn)).await;
    }
    settled
}

pub(crate) async fn settle(store: &SqliteStore, leases: Vec<Lease>, claim: ClaimRequest) -> Vec<Lease> {
    let settlements = leases.into_iter().map(|lease| lease.complete(json!({ "ok": true }))).collect();
    store.settle(SettleRequest { settlements, claim: Some(claim) }).await.expect("settled").leases
}

pub(crate) fn claim(capacity: usize, turn: u32) -> ClaimRequest {
    ClaimRequest {
        worker: WorkerId::from(Uuid::from_u128(u128::from(turn % 2) + 1)),
        queues: vec!["default".parse().expect("a name")].into(),
        handlers: vec!["noop".parse().expect("a name")].into(),
        capacity: u32::try_from(capacity).expect("few"),
        lease: Duration::from_secs(30),
        turn,
        task: None,
    }
}
