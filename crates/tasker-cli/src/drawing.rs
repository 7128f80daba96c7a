//! Templates as pictures: text for the programs that draw graphs.

pub(crate) mod dot;
pub(crate) mod mermaid;
