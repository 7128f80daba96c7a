//! What happens next.
//!
//! [`Engine`] takes submissions and commands and answers questions, above all why something is not
//! running ([`Engine::explain`]). The agents keep things going: the [`Rescuer`] turns leases that ran
//! out into failed attempts, the [`Scheduler`] tells workers when waiting steps become due, the
//! [`Pruner`] removes what is older than it is to be kept, the [`Relay`] carries the feed of transitions
//! to those who follow it. Any number of processes may run all of them on one database.
//!
//! This crate knows no database, no network and no handler.

mod agents;
mod engine;
mod error;
mod explain;
mod observed;
mod origin;
mod pruner;
mod relay;
mod request;
mod rescuer;
mod scheduler;
mod submit;
mod view;
mod watched;

pub use agents::{AgentSettings, Agents};
pub use engine::{Engine, EngineSettings};
pub use error::{EngineError, SubmissionError};
pub use explain::{Explanation, Reason, StepExplanation};
pub use observed::Observed;
pub use pruner::Pruner;
pub use relay::Relay;
pub use request::TaskRequest;
pub use rescuer::Rescuer;
pub use scheduler::Scheduler;
pub use view::{StepView, TaskView};
pub use watched::{StoreHealth, Watch, Watched};
