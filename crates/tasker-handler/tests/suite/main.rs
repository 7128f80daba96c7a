//! Handlers and runner against real servers, real processes and the store in memory.

mod command;
mod emitted;
mod events;
mod http;
mod leases;
mod outage;
mod running;
mod support;
