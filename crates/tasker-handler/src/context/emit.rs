//! Events of the user's own, emitted by handlers.

use serde_json::{Value, json};
use tasker_events::CustomEventError;

use super::StepContext;

impl StepContext {
    /// Tells those who listen of an event that the template lists under `custom_events`, or that was registered in code.
    ///
    /// It is told at once, whatever becomes of the attempt: it is the handler's own fact. An attempt that is repeated
    /// tells it again, with the same `idempotency_key`. Beside `payload`, which stands under `data`, it says `task_id`,
    /// `namespace`, `task_name`, `task_version`, `step_id`, `step_name`, `handler`, `queue`, `attempt_number`,
    /// `idempotency_key`, and `correlation_id` where [`StepContext::correlation_id`] has one. The values of variables
    /// that templates may use are replaced by their names, as in the log.
    ///
    /// # Errors
    ///
    /// [`CustomEventError::Unknown`] if nobody registered an event of this name.
    ///
    /// ```
    /// use serde_json::json;
    /// use tasker_events::Events;
    /// use tasker_handler::testing::TestStep;
    ///
    /// let events = Events::default();
    /// events.custom().register("order.fulfilled", "All is sent.", &[], tasker_core::Timestamp::from_micros(0))?;
    /// let step = TestStep::new().tell(events).build();
    /// step.emit("order.fulfilled", json!({ "parcels": 2 }))?;
    /// # Ok::<(), tasker_events::CustomEventError>(())
    /// ```
    pub fn emit(&self, name: &str, payload: Value) -> Result<(), CustomEventError> {
        let attempt = &self.0;
        if !attempt.events.custom().is_known(name) {
            return Err(CustomEventError::Unknown(name.to_owned()));
        }
        let mut data = payload;
        attempt.secrets.hide_in(&mut data);
        let mut payload = serde_json::to_value(self.as_ref()).expect("invariant: attempts have a JSON form");
        payload["idempotency_key"] = json!(self.idempotency_key());
        if let Some(id) = self.correlation_id() {
            payload["correlation_id"] = json!(id);
        }
        payload["data"] = data;
        attempt.events.emit_custom(name, Some(self.task_id()), payload)
    }
}
