//! What the tests stand on.

pub(crate) mod faulty;
pub(crate) mod server;
pub(crate) mod world;
