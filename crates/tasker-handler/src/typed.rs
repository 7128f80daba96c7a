//! Handlers that take and give values of their own types.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tasker_core::{Failure, FailureKind, Outcome};

use crate::context::StepContext;
use crate::error::HandlerError;
use crate::handler::StepHandler;

/// A handler that takes the context of the task as a type of its own and gives back another.
///
/// [`Typed`] makes a [`StepHandler`] of it; a [`Registration`] does so by itself.
#[async_trait]
pub trait TypedHandler: Send + Sync {
    /// What the context of the task is read as.
    type Input: DeserializeOwned + Send;
    /// What is stored as the step's results.
    type Output: Serialize + Send;

    /// Makes one attempt.
    async fn run(&self, input: Self::Input, step: &StepContext) -> Result<Self::Output, HandlerError>;
}

/// A [`TypedHandler`] as a [`StepHandler`].
#[derive(Debug, Clone, Copy)]
pub struct Typed<H>(pub H);

#[async_trait]
impl<H: TypedHandler> StepHandler for Typed<H> {
    async fn run(&self, step: &StepContext) -> Outcome {
        let input = match step.context_as::<H::Input>() {
            Ok(input) => input,
            Err(error) => return error.into(),
        };
        answer(self.0.run(input, step).await)
    }
}

/// A handler and the name it answers to.
pub struct Registration {
    pub(crate) name: String,
    pub(crate) handler: Arc<dyn StepHandler>,
}

impl Registration {
    /// A handler that answers to `name`.
    pub fn new(name: impl Into<String>, handler: impl StepHandler + 'static) -> Self {
        Self { name: name.into(), handler: Arc::new(handler) }
    }

    /// A typed handler that answers to `name`.
    pub fn typed(name: impl Into<String>, handler: impl TypedHandler + 'static) -> Self {
        Self::new(name, Typed(handler))
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A handler made of a closure.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tasker_handler::{HandlerError, StepContext, handler_fn};
///
/// #[derive(Deserialize)]
/// struct Order { amount: u32 }
/// #[derive(Serialize)]
/// struct Receipt { charged: u32 }
///
/// let charge = handler_fn("Payments::ChargeCard", |order: Order, step: StepContext| async move {
///     step.log(&format!("charging {}", order.amount));
///     Ok::<_, HandlerError>(Receipt { charged: order.amount })
/// });
/// # let _ = charge;
/// ```
pub fn handler_fn<I, O, F, R>(name: impl Into<String>, run: F) -> Registration
where
    I: DeserializeOwned + Send + 'static,
    O: Serialize + Send + 'static,
    F: Fn(I, StepContext) -> R + Send + Sync + 'static,
    R: Future<Output = Result<O, HandlerError>> + Send + 'static,
{
    Registration::new(name, Closure { run, takes: PhantomData::<fn(I) -> O> })
}

struct Closure<F, T> {
    run: F,
    takes: PhantomData<T>,
}

#[async_trait]
impl<I, O, F, R> StepHandler for Closure<F, fn(I) -> O>
where
    I: DeserializeOwned + Send + 'static,
    O: Serialize + Send + 'static,
    F: Fn(I, StepContext) -> R + Send + Sync,
    R: Future<Output = Result<O, HandlerError>> + Send,
{
    async fn run(&self, step: &StepContext) -> Outcome {
        match step.context_as::<I>() {
            Ok(input) => answer((self.run)(input, step.clone()).await),
            Err(error) => error.into(),
        }
    }
}

fn answer<O: Serialize>(result: Result<O, HandlerError>) -> Outcome {
    match result.map(|output| serde_json::to_value(output)) {
        Ok(Ok(results)) => Outcome::Done(results),
        Ok(Err(error)) => {
            let message = format!("the results of the handler cannot be written as JSON: {error}");
            Outcome::Fail(Failure::new(FailureKind::Permanent, message).with_code("INVALID_RESULTS"))
        }
        Err(error) => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;
    use crate::testing::TestStep;

    struct Doubling;

    #[async_trait]
    impl TypedHandler for Doubling {
        type Input = BTreeMap<String, u32>;
        type Output = BTreeMap<String, u32>;

        async fn run(&self, input: Self::Input, _: &StepContext) -> Result<Self::Output, HandlerError> {
            Ok(input.into_iter().map(|(name, number)| (name, number * 2)).collect())
        }
    }

    #[tokio::test]
    async fn a_typed_handler_takes_the_context_and_gives_results() {
        let step = TestStep::new().context(json!({ "a": 2 })).build();
        assert_eq!(StepHandler::run(&Typed(Doubling), &step).await, Outcome::Done(json!({ "a": 4 })));
    }

    #[tokio::test]
    async fn a_context_of_another_shape_never_reaches_a_typed_handler() {
        let step = TestStep::new().context(json!({ "a": "two" })).build();
        let Outcome::Fail(failure) = StepHandler::run(&Typed(Doubling), &step).await else { panic!("ran") };
        assert_eq!(failure.code.as_deref(), Some("INVALID_INPUT"));
    }

    #[tokio::test]
    async fn results_that_are_not_json_are_a_permanent_failure() {
        let odd =
            handler_fn("odd", |_: Value, _| async { Ok::<_, HandlerError>(BTreeMap::from([(vec![1], 1)])) });
        let outcome = odd.handler.run(&TestStep::new().build()).await;
        assert!(
            matches!(outcome, Outcome::Fail(failure) if failure.code.as_deref() == Some("INVALID_RESULTS"))
        );
    }
}
