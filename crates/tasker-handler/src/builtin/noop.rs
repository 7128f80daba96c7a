//! `noop`: done at once.

use async_trait::async_trait;
use serde_json::Value;
use tasker_core::Outcome;

use crate::config::Shape;
use crate::context::StepContext;
use crate::handler::{InputNeed, Placement, StepHandler};

pub(super) const FIELDS: &[(&str, Shape)] = &[("results", Shape::Any)];

/// `noop`: done at once, with what `results` in its configuration holds, or null.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoopStep;

#[async_trait]
impl StepHandler for NoopStep {
    async fn run(&self, step: &StepContext) -> Outcome {
        Outcome::Done(step.config().get("results").cloned().unwrap_or(Value::Null))
    }

    fn wants_inputs(&self) -> InputNeed {
        InputNeed::None
    }

    fn placement(&self) -> Placement {
        Placement::Inline
    }
}
