//! Durable subscribers, by settings alone: a web service, a program or a file gets every event it wants.
//!
//! This crate knows no database and serves no HTTP.
//!
#![doc = include_str!("guide.md")]

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
pub use subscribers::{Subscribers, Surroundings, Tallies};
