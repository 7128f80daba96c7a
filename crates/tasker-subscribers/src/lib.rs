//! Durable subscribers, by settings alone: a web service, a program or a file gets every event it wants.
//!
//! A subscriber follows the feed of transitions with a place of its own in it, which the store keeps. So none of its
//! events is missed, whatever is restarted or killed; one may come more than once, with the same id.
//!
//! **Order.** The events of one task come one after another, each only when the one before was taken. Those of different
//! tasks come at the same time, as many as `max_in_flight`; a file gets all in the order of the feed. The place moves only
//! over what was taken without a gap: after a crash everything behind the first event that was not taken comes again.
//!
//! **Failures.** What a receiver does not take is offered again, for ever, after a wait of anything up to 0.5 s, 1 s, 2 s
//! and so on up to 60 s, or after what its `Retry-After` asks, at most an hour, for which it then gets nothing at all.
//! What it refuses for good is logged, counted, kept as a dead letter if the settings name a file, and passed over. An
//! event that is never taken holds up its task and, once as many events are read as fit into memory, its subscriber;
//! nothing else. What waits, waits in the feed.
//!
//! **Who delivers.** One process at a time: it holds the place by a lease, and gives it back when it stops. Of a process
//! that dies another takes over when the lease has run out.
//!
//! **What is pruned is gone.** With a task its transitions leave the feed. A subscriber that is behind by more than tasks
//! are kept misses their events, and nobody counts them.
//!
//! This crate knows no database and serves no HTTP.

mod command;
mod courier;
mod file;
mod follower;
mod journal;
mod lanes;
mod mapping;
mod names;
mod patience;
mod receiver;
mod report;
mod round;
mod secret;
mod selection;
mod settings;
mod subscribers;
mod webhook;
mod window;
mod wire;

pub use report::{Standing, SubscriberReport};
pub use secret::Secret;
pub use selection::Selection;
pub use settings::{
    CommandSettings, FileSettings, ReceiverSettings, SettingsError, Start, SubscriberSettings,
    WebhookSettings,
};
pub use subscribers::{Subscribers, Surroundings};
