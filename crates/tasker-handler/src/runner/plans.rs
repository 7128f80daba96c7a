//! What the runner knows of the steps it makes attempts of: prepared once for a step of a template, used for all.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tasker_core::{Backoff, Failure, FailureKind, Outcome, StepName, StepTemplate};
use tasker_events::{Events, StepKind, TaskKind};
use tasker_store::{Inputs, Lease, PlanId, StoredPlan, Transition};

use super::attempt::Given;
use crate::bindings::laid_over;
use crate::context::Blueprint;
use crate::handler::{InputNeed, Placement, StepHandler};
use crate::registry::{Offer, Registry};
use crate::templating::Recipe;

/// So many plans are kept prepared.
const KEPT: usize = 1_000;

/// Prepared steps by plan.
pub(super) struct Plans {
    registry: Registry,
    backoff: Backoff,
    events: Events,
    known: HashMap<PlanId, Known>,
}

/// A plan, and those of its steps that were prepared.
struct Known {
    plan: Arc<StoredPlan>,
    /// Its steps as events name them.
    kinds: Vec<Arc<StepKind>>,
    steps: Vec<Option<Arc<Prepared>>>,
}

/// A step of a template, ready to be run.
pub(super) struct Prepared {
    pub(super) blueprint: Arc<Blueprint>,
    pub(super) timeout: Option<Duration>,
    /// How to run it; or how every attempt of it ends, since it cannot be run.
    pub(super) runnable: Result<Runnable, Outcome>,
    /// The ordinals and names of the steps it depends on.
    depends_on: Vec<(u32, StepName)>,
}

/// How a step is run.
pub(super) struct Runnable {
    pub(super) handler: Arc<dyn StepHandler>,
    pub(super) recipe: Recipe,
    pub(super) placement: Placement,
    pub(super) wants_inputs: bool,
    pub(super) wants_history: bool,
}

impl Plans {
    pub(super) fn new(registry: Registry, backoff: Backoff, events: Events) -> Self {
        Self { registry, backoff, events, known: HashMap::new() }
    }

    /// The step that a lease is for; `None` if its plan has to be read first.
    pub(super) fn step(&mut self, lease: &Lease) -> Option<Arc<Prepared>> {
        let known = self.known.get_mut(&lease.plan)?;
        let ordinal = lease.key.step.ordinal() as usize;
        if let Some(Some(prepared)) = known.steps.get(ordinal) {
            return Some(Arc::clone(prepared));
        }
        let (step, kind) = (known.plan.template.steps.get(ordinal)?, Arc::clone(known.kinds.get(ordinal)?));
        let prepared = Arc::new(Prepared::of(step, &known.plan, &self.registry, &self.backoff, kind));
        *known.steps.get_mut(ordinal)? = Some(Arc::clone(&prepared));
        Some(prepared)
    }

    /// Keeps a plan that was read. From now on its handlers may emit the events that it lists.
    pub(super) fn keep(&mut self, plan: Arc<StoredPlan>) {
        if self.known.len() >= KEPT {
            self.known.clear();
        }
        self.events.declare(&plan.template);
        let steps = vec![None; plan.template.steps.len()];
        let kinds = StepKind::all(&TaskKind::of(&plan.template), &plan.template);
        self.known.insert(plan.id, Known { plan, kinds, steps });
    }
}

impl Prepared {
    fn of(
        step: &StepTemplate,
        plan: &StoredPlan,
        registry: &Registry,
        backoff: &Backoff,
        kind: Arc<StepKind>,
    ) -> Self {
        let template = &plan.template;
        let depends_on =
            step.depends_on.iter().filter_map(|name| Some((template.step(name)?.0, name.clone())));
        let blueprint = Blueprint {
            namespace: template.namespace.clone(),
            task_name: template.name.clone(),
            version: template.version.clone(),
            step: step.name.clone(),
            kind,
            backoff: step.retry.backoff_over(backoff),
        };
        Self {
            blueprint: Arc::new(blueprint),
            timeout: step.timeout_seconds.map(|seconds| Duration::from_secs(seconds.into())),
            runnable: match registry.offer(&step.handler) {
                Some(offer) => Runnable::of(step, offer, registry),
                None => Err(not_offered(step)),
            },
            depends_on: depends_on.collect(),
        }
    }

    /// The results of the steps it depends on, by name. A template that is not concurrent lets steps wait for
    /// others they do not depend on; the results of those are not theirs.
    pub(super) fn given(&self, inputs: Inputs, history: Vec<Transition>) -> Given {
        let dependencies = inputs.dependencies.into_iter().filter_map(|(ordinal, results)| {
            let (_, name) = self.depends_on.iter().find(|(known, _)| *known == ordinal)?;
            Some((name.clone(), results))
        });
        Given {
            context: inputs.context,
            dependencies: dependencies.collect(),
            history,
            origin: inputs.origin,
        }
    }
}

impl Runnable {
    fn of(step: &StepTemplate, offer: &Offer, registry: &Registry) -> Result<Self, Outcome> {
        let handler = Arc::clone(&offer.handler);
        let config = match &offer.underlay {
            Some(underlay) => laid_over(step.handler_config.clone(), (**underlay).clone()),
            None => step.handler_config.clone(),
        };
        let takes_verbatim = |key: &str, value: &Value| handler.takes_verbatim(key, value);
        let recipe = Recipe::read(config, takes_verbatim, registry.surroundings())?;
        let need = handler.wants_inputs();
        Ok(Self {
            placement: handler.placement(),
            wants_inputs: need == InputNeed::ContextAndDependencies || recipe.wants_inputs(),
            wants_history: need == InputNeed::History,
            recipe,
            handler,
        })
    }
}

/// A worker claims only what it offers; a lease on anything else is an error of the store.
fn not_offered(step: &StepTemplate) -> Outcome {
    let message = format!("this worker has no handler \"{}\"", step.handler);
    let failure = Failure::new(FailureKind::Configuration, message).with_code("NO_HANDLER");
    Outcome::Retry { failure, when: None }
}
