//! The server as a whole: the real binary, on real databases.

mod command_line;
mod controls;
mod lifecycle;
mod metrics;
mod outage;
mod proxy;
mod retention;
mod shared;
