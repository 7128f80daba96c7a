//! Random operations, the same for the same seed.
//!
//! [`differential`] applies them to two stores in lockstep, [`soak`] to one whose rows it checks after each,
//! [`stampede`] lets many callers loose on one store.

mod differential;
mod operation;
mod side;
mod soak;
mod stampede;
mod world;

pub use differential::{differential, differential_seeds};
pub use soak::soak;
pub use stampede::stampede;
