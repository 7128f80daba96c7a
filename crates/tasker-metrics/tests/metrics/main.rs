//! What is counted, merged and told.

mod facade;
mod histogram;
mod registry;
mod support;
mod text;
