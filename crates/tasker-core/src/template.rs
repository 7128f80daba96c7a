//! Task templates: what they hold, and how their files are read.
//!
//! Reading goes in five moves, each a module: the text becomes nodes that know their line (`document`),
//! keys and types are held against a table (`check`, `keys`), the environment's overlay is laid over the rest
//! (`overlay`), values become the model (`build`), and what no single key can show is looked for in the
//! whole (`rules`). No move stops at its first problem.

mod build;
mod check;
mod document;
mod keys;
mod model;
mod overlay;
mod parse;
mod path;
mod problem;
mod report;
mod resemblance;
mod rules;

pub use document::read_document;
pub use model::{CustomEvent, RetryPolicy, StepTemplate, TaskTemplate};
pub use parse::{ParseOptions, Parsed};
pub use problem::{Problem, Severity, TemplateErrors};
