//! What is counted, merged and told.

mod counting;
mod exemplar;
mod exponential;
mod facade;
mod fire;
mod histogram;
mod registry;
mod support;
mod text;
