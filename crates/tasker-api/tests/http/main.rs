//! What is asked over a real socket.

mod controls;
mod correlation;
mod events;
mod health;
mod logs;
mod metrics;
mod status;
mod support;
mod tokens;
