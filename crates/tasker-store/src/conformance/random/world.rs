//! Chance: which operation comes next.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, IteratorRandom};
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use tasker_core::{LeaseKey, OnDuplicate, TaskId, TaskTemplate, Timestamp, When, WorkerId};

use super::operation::{Draft, Operation, Settling};
use crate::command::{Attempts, Command, Target};
use crate::conformance::bench::{failure, namespace, worker};
use crate::record::Retention;
use crate::submit::Identity;
use crate::work::{ClaimRequest, Guard, Verdict};

const NAMESPACES: [&str; 2] = ["default", "shop"];
const QUEUES: [&str; 2] = ["default", "bulk"];
const HANDLERS: [&str; 3] = ["run", "charge", "ship"];
/// How many templates there are. The last two have one key.
const TEMPLATES: usize = 7;

/// What the next operation is drawn from.
#[derive(Debug)]
pub(super) struct World {
    rng: StdRng,
    pub(super) templates: Vec<Arc<TaskTemplate>>,
    /// Every task, with the number of its steps.
    tasks: Vec<(TaskId, u32)>,
    /// Tasks of which steps were claimed.
    worked: Vec<(TaskId, u32)>,
    leases: Vec<(LeaseKey, WorkerId)>,
    count: u128,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let templates = (0..TEMPLATES).map(|number| template(&mut rng, number.min(TEMPLATES - 2))).collect();
        Self { rng, templates, tasks: Vec::new(), worked: Vec::new(), leases: Vec::new(), count: 0 }
    }

    /// The next operation, if the present is `now`.
    pub(super) fn next(&mut self, now: Timestamp) -> Operation {
        match self.rng.random_range(0..100) {
            0..12 => Operation::Submit((0..self.rng.random_range(1..=3)).map(|_| self.draft(now)).collect()),
            12..34 => Operation::Claim(self.claim()),
            34..64 => self.settle(now),
            64..69 => self.renew(),
            69..81 => Operation::Advance(Duration::from_millis(self.rng.random_range(0..15_000))),
            81..85 => Operation::Rescue(self.rng.random_range(0..5), self.verdict(now)),
            85..99 => Operation::Command(self.command()),
            _ => Operation::Prune(Retention { ended: self.seconds(60), failed: self.seconds(120) }),
        }
    }

    /// Takes note of leases that were given.
    pub(super) fn learn(&mut self, leases: &[(LeaseKey, WorkerId)]) {
        self.leases.extend_from_slice(leases);
        let worked = leases.iter().map(|(key, _)| key.step.task());
        let worked = worked.filter_map(|id| self.tasks.iter().find(|(task, _)| *task == id).copied());
        self.worked.extend(worked);
    }

    fn seconds(&mut self, below: u64) -> Duration {
        Duration::from_secs(self.rng.random_range(0..below))
    }

    fn draft(&mut self, now: Timestamp) -> Draft {
        let template = self.rng.random_range(0..self.templates.len());
        self.count += 1;
        let fresh = TaskId::new(now, self.rng.random::<u128>() ^ self.count << 40);
        let id = if self.rng.random_bool(0.97) { fresh } else { self.task().0 };
        let steps = u32::try_from(self.templates[template].steps.len()).expect("few steps");
        self.tasks.push((id, steps));
        let identity = self.rng.random_bool(0.25).then(|| Identity {
            hash: format!("key-{}", self.rng.random_range(0..4)),
            window: self.rng.random_bool(0.7).then(|| Duration::from_secs(self.rng.random_range(1..40))),
            on_duplicate: *[OnDuplicate::Refuse, OnDuplicate::ReturnExisting]
                .choose(&mut self.rng)
                .expect("two"),
        });
        Draft {
            id,
            template,
            priority: self.rng.random_range(-1..=1),
            context: json!({ "n": self.rng.random_range(0..9) }),
            tags: (0..self.rng.random_range(0..3)).map(|n| format!("tag-{n}")).collect(),
            requested_at: now.minus(self.seconds(40)),
            identity,
        }
    }

    /// A task and how many steps it has; seldom one that does not exist.
    fn task(&mut self) -> (TaskId, u32) {
        let unknown = (TaskId::new(Timestamp::from_micros(0), self.rng.random()), 1);
        if self.rng.random_bool(0.03) {
            return unknown;
        }
        // The latest, because they are likelier to be alive.
        let tasks = if self.rng.random_bool(0.3) { &self.tasks } else { &self.worked };
        let from = tasks.len().saturating_sub(12);
        tasks[from..].choose(&mut self.rng).copied().unwrap_or(unknown)
    }

    fn claim(&mut self) -> ClaimRequest {
        let (queues, handlers) = (self.rng.random_range(1..=2), self.rng.random_range(1..=3));
        ClaimRequest {
            worker: worker(self.rng.random_range(1..=3)),
            queues: QUEUES
                .iter()
                .choose_multiple(&mut self.rng, queues)
                .into_iter()
                .map(|q| name(q))
                .collect(),
            handlers: HANDLERS
                .iter()
                .choose_multiple(&mut self.rng, handlers)
                .into_iter()
                .map(|h| name(h))
                .collect(),
            capacity: self.rng.random_range(0..7),
            lease: self.seconds(60),
            turn: self.rng.random_range(0..200),
            task: self.rng.random_bool(0.2).then(|| self.task().0),
        }
    }

    fn settle(&mut self, now: Timestamp) -> Operation {
        let count = self.rng.random_range(0..5);
        let settlements = (0..count).filter_map(|_| self.settling(now)).collect();
        let claim = self.rng.random_bool(0.5).then(|| self.claim());
        Operation::Settle(settlements, claim)
    }

    /// A settlement: mostly the holder's, sometimes another's, late, or of an attempt that was never made.
    fn settling(&mut self, now: Timestamp) -> Option<Settling> {
        let place = self.rng.random_range(0..self.leases.len().max(1));
        let (mut key, mut holder) = *self.leases.get(place)?;
        if self.rng.random_bool(0.9) {
            self.leases.swap_remove(place);
        }
        let mut guard = Guard::Held { worker: holder };
        match self.rng.random_range(0..20) {
            0 => key.attempt = key.attempt.wrapping_add(1),
            1 => {
                holder = worker(self.rng.random_range(1..=4));
                guard = Guard::Held { worker: holder };
            }
            2 => guard = Guard::Expired,
            _ => {}
        }
        Some(Settling { key, guard, verdict: self.verdict(now) })
    }

    fn verdict(&mut self, now: Timestamp) -> Verdict {
        let failure = failure().with_details(json!(self.rng.random_range(0..3)));
        match self.rng.random_range(0..10) {
            0..6 => Verdict::Complete { results: self.value() },
            6..8 => Verdict::Retry { failure, when: self.when(now) },
            8 => Verdict::Fail { failure },
            _ => Verdict::Snooze { when: self.when(now) },
        }
    }

    fn when(&mut self, now: Timestamp) -> When {
        match self.rng.random_range(0..3) {
            0 => When::After(Duration::ZERO),
            1 => When::After(self.seconds(20)),
            _ => When::At(now.minus(Duration::from_secs(5)).plus(self.seconds(20))),
        }
    }

    fn value(&mut self) -> Value {
        let values = [json!(null), json!([]), json!({"k": "v'\"\u{0}é"}), json!(-0.0), json!(u64::MAX)];
        values.choose(&mut self.rng).cloned().unwrap_or(Value::Null)
    }

    fn renew(&mut self) -> Operation {
        let holder = worker(self.rng.random_range(1..=3));
        let held = self.leases.iter().filter(|(_, worker)| *worker == holder || self.count.is_multiple_of(7));
        let keys = held.map(|(key, _)| *key).take(5).collect();
        Operation::Renew(holder, keys, self.seconds(60))
    }

    fn target(&mut self) -> Target {
        let (task, steps) = self.task();
        if self.rng.random_bool(0.4) {
            Target::Task(task)
        } else {
            Target::Step(task.step(self.rng.random_range(0..=steps)))
        }
    }

    fn command(&mut self) -> Command {
        let by = format!("user-{}", self.rng.random_range(0..3));
        let reason = self.rng.random_bool(0.5).then(|| "because".to_owned());
        let namespace = namespace(NAMESPACES.choose(&mut self.rng).expect("two"));
        let target = self.target();
        let task = target.task();
        let Target::Step(step) = target else {
            return match self.rng.random_range(0..10) {
                0 => Command::Cancel { target, by, reason },
                1..3 => Command::Retry { target, attempts: Attempts::Reset, by },
                3 => Command::Resolve { target, results: None, by, reason },
                4 => Command::Pause { task, by, reason },
                5..7 => Command::Resume { task, by },
                7 => Command::PauseNamespace { namespace, by, reason },
                8 => Command::ResumeNamespace { namespace, by },
                _ => Command::UpdateTask { task, reason, tags: Some(vec!["changed".to_owned()]), by },
            };
        };
        match self.rng.random_range(0..10) {
            0..2 => Command::Cancel { target, by, reason },
            2..5 => Command::Retry { target, attempts: Attempts::Extend(self.rng.random_range(0..3)), by },
            5..7 => Command::Resolve { target, results: reason.is_some().then(|| self.value()), by, reason },
            7 => Command::ResumeNamespace { namespace, by },
            _ => {
                let retry_limit = self.rng.random_bool(0.7).then(|| self.rng.random_range(0..5));
                let inputs = self.rng.random_bool(0.5).then(|| self.value());
                Command::UpdateStep { step, inputs, retry_limit, by }
            }
        }
    }
}

fn name<T: TryFrom<&'static str, Error: std::fmt::Debug>>(text: &'static str) -> T {
    T::try_from(text).expect("a name")
}

/// A random graph of up to eight steps.
fn template(rng: &mut StdRng, key: usize) -> Arc<TaskTemplate> {
    let count = rng.random_range(1..=8);
    let density = rng.random_range(0.0..0.7);
    let steps: Vec<Value> = (0..count)
        .map(|step| {
            let parents = (0..step).filter(|_| rng.random_bool(density)).map(|parent| format!("s{parent}"));
            json!({
                "name": format!("s{step}"),
                "depends_on_steps": parents.collect::<Vec<_>>(),
                "handler_class": HANDLERS.choose(rng),
                "queue": QUEUES.choose(rng),
                "priority": rng.random_range(-1..=1),
                "default_retry_limit": rng.random_range(0..4),
                "default_retryable": rng.random_bool(0.9),
            })
        })
        .collect();
    let definition = json!({
        "name": format!("random-{key}"),
        "namespace_name": NAMESPACES[key % 2],
        "concurrent": rng.random_bool(0.8),
        "step_templates": steps,
    });
    Arc::new(TaskTemplate::from_definition(&definition).expect("a random template is a template"))
}
