//! What happens, as typed events.
//!
//! Every fact that Tasker tells of stands in one table, the [catalog](EventId::ALL): its name, its payload, when it
//! fires, and where it goes if nobody says otherwise. Whoever causes a fact says so to [`Events`], after the commit that
//! made it true; [`Routes`] decide whether it becomes metrics, a trace, a line of the log, or is delivered to a
//! [`Subscriber`]. An event that goes nowhere costs a load and a comparison; one that only becomes metrics allocates
//! nothing.
//!
//! This crate knows no store, no network and no format of metrics or traces.

mod about;
mod catalog;
mod category;
mod change;
mod custom;
mod envelope;
mod field;
mod interests;
mod queue;
mod redaction;
mod reference;
mod router;
mod routes;
mod subject;
mod subscriber;

pub use about::UnknownEvent;
pub use catalog::{Event, EventId};
pub use category::ErrorCategory;
pub use change::{RouteChange, RouteChangeError};
pub use custom::{CustomEventError, CustomEventInfo, CustomEvents};
pub use envelope::Envelope;
pub use field::Field;
pub use interests::Interests;
pub use redaction::{Redaction, RedactionError};
pub use reference::reference;
pub use router::{Events, EventsBuilder, Sink};
pub use routes::{Backend, Priority, Route, RouteError, Routes};
pub use subject::{AttemptRef, Cache, StepKind, StepRef, TaskKind, TaskRef};
pub use subscriber::{DeliveryError, Subscriber, SubscriberReport, Subscription, SubscriptionSettings};
