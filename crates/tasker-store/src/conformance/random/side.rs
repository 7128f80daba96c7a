//! One of the stores that operations are applied to, and what can be seen of it.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use std::sync::Arc;

use tasker_core::{LeaseKey, TaskId, TaskTemplate, WorkerId};

use super::operation::{Draft, Operation, Settling};
use crate::conformance::bench::{Bench, namespace};
use crate::record::TaskRecord;
use crate::submit::NewTask;
use crate::template::PlanId;
use crate::work::{ClaimRequest, Guard, Lease, SettleReply, SettleRequest, Settlement};

/// A store with what is needed to compare it with another.
pub(super) struct Side<'a> {
    pub(super) bench: &'a Bench,
    /// What the numbers of its plans mean.
    plans: HashMap<PlanId, (usize, i32)>,
}

/// What became of an operation.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// The reply, without numbers that are the store's own.
    pub(super) text: String,
    /// Tasks that it was about.
    pub(super) touched: BTreeSet<TaskId>,
    /// Leases that it gave.
    pub(super) leases: Vec<(LeaseKey, WorkerId)>,
}

impl<'a> Side<'a> {
    pub(super) fn new(bench: &'a Bench) -> Self {
        Self { bench, plans: HashMap::new() }
    }

    /// Applies an operation.
    pub(super) async fn apply(&mut self, operation: &Operation, templates: &[Arc<TaskTemplate>]) -> Answer {
        match operation {
            Operation::Submit(drafts) => self.submit(drafts, templates).await,
            Operation::Claim(request) => self.claim(request.clone()).await,
            Operation::Settle(settlements, claim) => self.settle(settlements, claim.clone()).await,
            Operation::Rescue(limit, verdict) => {
                let expired = self.bench.store.expired(*limit).await.expect("expired leases");
                let settlements = expired.iter().map(|expired| Settling {
                    key: expired.key,
                    guard: Guard::Expired,
                    verdict: verdict.clone(),
                });
                self.settle(&settlements.collect::<Vec<_>>(), None).await
            }
            Operation::Renew(worker, keys, lease) => {
                let text = format!("{:?}", self.bench.renew(*worker, keys, *lease).await);
                Answer { text, touched: keys.iter().map(|key| key.step.task()).collect(), leases: Vec::new() }
            }
            Operation::Advance(duration) => {
                self.bench.clock.advance(*duration);
                Answer::default()
            }
            Operation::Command(command) => {
                let answer = self.bench.order(command.clone()).await;
                let touched = command.task().into_iter().collect();
                Answer { text: format!("{answer:?}"), touched, leases: Vec::new() }
            }
            Operation::Prune(retention) => {
                let report = self.bench.store.prune(*retention, u32::MAX).await.expect("a round of pruning");
                Answer { text: format!("{report:?}"), ..Answer::default() }
            }
        }
    }

    async fn submit(&mut self, drafts: &[Draft], templates: &[Arc<TaskTemplate>]) -> Answer {
        let mut tasks = Vec::new();
        for draft in drafts {
            let plan = self.bench.plan_of(&templates[draft.template], draft.priority).await;
            self.plans.insert(plan, (draft.template, draft.priority));
            tasks.push(NewTask {
                id: draft.id,
                context: draft.context.clone(),
                tags: draft.tags.clone(),
                requested_at: draft.requested_at,
                identity: draft.identity.clone(),
                ..self.bench.draft(plan)
            });
        }
        let text = format!("{:?}", self.bench.try_submit(tasks).await);
        Answer { text, touched: drafts.iter().map(|draft| draft.id).collect(), leases: Vec::new() }
    }

    async fn claim(&self, request: ClaimRequest) -> Answer {
        let leases = self.bench.store.claim(request).await.expect("the store takes a claim");
        let mut answer = Answer::default();
        self.tell_leases(&leases, &mut answer);
        answer
    }

    async fn settle(&self, settlements: &[Settling], claim: Option<ClaimRequest>) -> Answer {
        let settlements = settlements.iter().cloned();
        let settlements: Vec<_> =
            settlements.map(|Settling { key, guard, verdict }| Settlement { key, guard, verdict }).collect();
        let touched = settlements.iter().map(|settlement| settlement.key.step.task()).collect();
        let request = SettleRequest { settlements, claim };
        let reply = self.bench.store.settle(request).await.expect("the store takes settlements");
        let SettleReply { settled, verdicts, started, leases } = reply;
        let mut answer =
            Answer { text: format!("{settled:?} {verdicts:?} {started:?} "), touched, leases: Vec::new() };
        self.tell_leases(&leases, &mut answer);
        answer
    }

    fn tell_leases(&self, leases: &[Lease], answer: &mut Answer) {
        for lease in leases {
            let Lease { key, plan, worker, claimed_at, until, retry_limit, ready_at, starts_task } = lease;
            let plan = self.plans.get(plan);
            let _ = write!(answer.text, "{key:?} {plan:?} {worker} {claimed_at} {until} {retry_limit} ");
            let _ = write!(answer.text, "{ready_at} {starts_task}; ");
            answer.touched.insert(key.step.task());
            answer.leases.push((*key, *worker));
        }
    }

    /// All that can be seen of a task.
    pub(super) async fn task_text(&self, task: TaskId) -> String {
        let Some(record) = self.bench.store.task(task).await.expect("the store reads a task") else {
            return format!("{task} is not there; {:?}", self.bench.transitions(task).await);
        };
        let mut text = format!("{:?}\n", self.plans.get(&record.plan));
        let _ = writeln!(text, "{:?}", TaskRecord { plan: PlanId(0), ..record });
        let steps = self.bench.steps(task).await;
        for step in &steps {
            let _ = writeln!(text, "{step:?}");
        }
        let ids: Vec<_> = steps.iter().map(|step| step.id).collect();
        for inputs in self.bench.store.inputs(&ids).await.expect("the store reads inputs") {
            let _ = writeln!(text, "{inputs:?}");
        }
        for mut transition in self.bench.transitions(task).await {
            transition.seq = 0;
            let _ = writeln!(text, "{transition:?}");
        }
        text
    }

    /// What can be seen of the store as a whole.
    pub(super) async fn store_text(&self) -> String {
        let store = &self.bench.store;
        let mut text = String::new();
        let _ = writeln!(text, "{:?}", store.deadlines().await.expect("deadlines"));
        for lane in store.lanes().await.expect("lanes") {
            let _ = writeln!(text, "{lane:?}");
        }
        let _ = writeln!(text, "{:?}", store.late(self.bench.now()).await.expect("late tasks"));
        for expired in self.bench.expired().await {
            let plan = self.plans.get(&expired.plan);
            let _ = writeln!(text, "{:?} {plan:?} {} {}", expired.key, expired.worker, expired.until);
        }
        for name in ["default", "shop"] {
            let _ = writeln!(text, "{:?}", store.namespace_pause(&namespace(name)).await.expect("an answer"));
        }
        for task in self.bench.all_tasks().await {
            let _ = writeln!(text, "{} {}", task.id, task.state);
        }
        text
    }
}
