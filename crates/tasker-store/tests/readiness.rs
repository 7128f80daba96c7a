//! What the rows say about readiness agrees with a model that knows the graph and nothing of rows.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use tasker_core::{Readiness, State, StepEvent, TaskId, TaskTemplate, readiness};
use tasker_store::conformance::{Bench, clock};
use tasker_store::memory::MemoryStore;
use tasker_store::{Attempts, Command, Lease, Target};

const LIMIT: u32 = 2;

/// A task as a graph with a state at each node.
struct Model {
    template: Arc<TaskTemplate>,
    states: Vec<State>,
    attempts: Vec<u32>,
    limits: Vec<u32>,
    /// Failed for good, until somebody helps.
    is_final: Vec<bool>,
}

impl Model {
    fn new(template: Arc<TaskTemplate>) -> Self {
        let count = template.steps.len();
        Self {
            template,
            states: vec![State::Pending; count],
            attempts: vec![0; count],
            limits: vec![LIMIT; count],
            is_final: vec![false; count],
        }
    }

    fn unmet(&self, step: usize) -> u32 {
        let parents = self.template.graph().parents(ordinal(step)).iter();
        let unmet = parents.filter(|parent| !self.states[**parent as usize].satisfies_dependents());
        u32::try_from(unmet.count()).expect("few steps")
    }

    fn readiness(&self, step: usize) -> Readiness {
        match (self.states[step], self.unmet(step)) {
            (State::InProgress, _) => Readiness::Running,
            (State::Pending | State::Error, unmet @ 1..) => Readiness::After { unmet },
            (State::Error, 0) if self.is_final[step] => Readiness::Blocked,
            (State::Pending | State::Error, 0) => Readiness::Now,
            (State::Complete | State::Cancelled | State::ResolvedManually, _) => Readiness::Ended,
        }
    }

    fn ready(&self) -> Vec<usize> {
        (0..self.states.len()).filter(|step| self.readiness(*step) == Readiness::Now).collect()
    }

    /// The state that the task must have.
    fn verdict(&self) -> Option<State> {
        let goes_on = |step| matches!(self.readiness(step), Readiness::Now | Readiness::Running);
        if self.states.iter().all(|state| state.is_ended()) {
            Some(State::Complete)
        } else if (0..self.states.len()).any(goes_on) {
            None
        } else {
            Some(State::Error)
        }
    }

    fn move_on(&mut self, step: usize, event: StepEvent) -> bool {
        let Some(next) = self.states[step].step_after(event) else { return false };
        self.states[step] = next;
        true
    }
}

fn ordinal(step: usize) -> u32 {
    u32::try_from(step).expect("few steps")
}

/// What is done with a step: at the end of its attempt, or by command.
#[derive(Debug, Clone, Copy)]
enum Act {
    Complete,
    Retry,
    Fail,
    Snooze,
    Cancel,
    Resolve,
    RetryNow,
}

fn acts() -> impl Strategy<Value = Vec<(usize, Act)>> {
    let act = prop_oneof![
        6 => Just(Act::Complete),
        2 => Just(Act::Retry),
        1 => Just(Act::Fail),
        1 => Just(Act::Snooze),
        1 => Just(Act::Cancel),
        1 => Just(Act::Resolve),
        2 => Just(Act::RetryNow),
    ];
    prop::collection::vec((0..9usize, act), 0..40)
}

/// A graph of up to nine steps, an edge for each bit.
fn template(count: usize, edges: u64, concurrent: bool) -> Arc<TaskTemplate> {
    let is_edge = |from: usize, to: usize| edges >> (to * (to - 1) / 2 + from) & 1 == 1;
    let steps: Vec<Value> = (0..count)
        .map(|to| {
            let parents: Vec<_> = (0..to).filter(|from| is_edge(*from, to)).map(|from| format!("s{from}")).collect();
            let name = format!("s{to}");
            json!({ "name": name, "handler_class": "run", "depends_on_steps": parents, "default_retry_limit": LIMIT })
        })
        .collect();
    let definition = json!({ "name": "random", "concurrent": concurrent, "step_templates": steps });
    Arc::new(TaskTemplate::from_definition(&definition).expect("a graph"))
}

/// Claims what is ready, which must be what the model says, and ends each attempt as the acts say.
async fn work(bench: &Bench, model: &mut Model, act: Act) {
    let leases = bench.claim(100).await.all();
    let claimed: Vec<usize> = leases.iter().map(|lease| lease.key.step.ordinal() as usize).collect();
    let mut expected = model.ready();
    let mut sorted = claimed.clone();
    sorted.sort_unstable();
    expected.sort_unstable();
    assert_eq!(sorted, expected, "what may be claimed");
    for step in &claimed {
        if model.states[*step] == State::Error {
            model.move_on(*step, StepEvent::Retry);
        }
        assert!(model.move_on(*step, StepEvent::Claim));
        model.attempts[*step] += 1;
    }
    for (lease, step) in leases.into_iter().zip(claimed) {
        assert_eq!(lease.key.attempt, model.attempts[step]);
        end(bench, model, step, lease, act).await;
    }
}

async fn end(bench: &Bench, model: &mut Model, step: usize, lease: Lease, act: Act) {
    let event = match act {
        Act::Retry => {
            bench.retry_in(lease, 0).await;
            StepEvent::Fail
        }
        Act::Fail => {
            bench.fail(lease).await;
            StepEvent::Fail
        }
        Act::Snooze => {
            bench.snooze(lease, 0).await;
            model.limits[step] += 1;
            StepEvent::Snooze
        }
        Act::Complete | Act::Cancel | Act::Resolve | Act::RetryNow => {
            bench.complete(lease).await;
            StepEvent::Complete
        }
    };
    assert!(model.move_on(step, event));
    model.is_final[step] = matches!(act, Act::Fail) || model.attempts[step] >= model.limits[step];
}

async fn command(bench: &Bench, model: &mut Model, task: TaskId, step: usize, act: Act) {
    let (target, by) = (Target::Step(task.step(ordinal(step))), "ann".to_owned());
    let (command, event) = match act {
        Act::Cancel => (Command::Cancel { target, by, reason: None }, StepEvent::Cancel),
        Act::Resolve => (Command::Resolve { target, results: None, by, reason: None }, StepEvent::Resolve),
        _ => (Command::Retry { target, attempts: Attempts::Extend(1), by }, StepEvent::Retry),
    };
    let is_legal = model.move_on(step, event);
    assert_eq!(bench.order(command).await.is_ok(), is_legal, "{act:?} of step {step}");
    if is_legal && event == StepEvent::Retry {
        model.limits[step] = model.limits[step].max(model.attempts[step] + 1);
    }
}

async fn compare(bench: &Bench, model: &Model, task: TaskId) {
    for (step, row) in bench.steps(task).await.iter().enumerate() {
        let expected = (model.states[step], model.unmet(step), model.attempts[step], model.limits[step]);
        assert_eq!((row.state, row.unmet, row.attempts, row.retry_limit), expected, "step {step}");
        assert_eq!(readiness(&row.facts(), bench.now()), model.readiness(step), "step {step}");
    }
    let state = bench.task(task).await.state;
    match model.verdict() {
        Some(verdict) => assert_eq!(state, verdict),
        None => assert!(matches!(state, State::Pending | State::InProgress)),
    }
    bench.check_everything().await;
}

async fn run(template: Arc<TaskTemplate>, acts: Vec<(usize, Act)>) {
    let clock = clock();
    let store = MemoryStore::new(Arc::clone(&clock) as _);
    let bench = Bench::new(Arc::new(store), clock, Box::new(()));
    let task = bench.submit_template(&template).await;
    let mut model = Model::new(template);
    for (step, act) in acts {
        bench.clock.advance(Duration::from_secs(1));
        match act {
            Act::Complete | Act::Retry | Act::Fail | Act::Snooze => work(&bench, &mut model, act).await,
            Act::Cancel | Act::Resolve | Act::RetryNow => {
                let step = step % model.states.len();
                command(&bench, &mut model, task, step, act).await;
            }
        }
        compare(&bench, &model, task).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_rows_agree_with_the_graph(
        count in 1..=9usize,
        edges in any::<u64>(),
        sparse in any::<u64>(),
        concurrent in prop::bool::weighted(0.8),
        acts in acts(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(run(template(count, edges & sparse, concurrent), acts));
    }
}
