//! What is counted, merged and told.

mod exponential;
mod facade;
mod histogram;
mod registry;
mod support;
mod text;
