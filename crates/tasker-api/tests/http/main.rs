//! What is asked over a real socket.

mod health;
mod metrics;
mod support;
