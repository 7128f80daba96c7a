//! A real server, a real Prometheus that reads its metrics, and what is used to check both.

mod http;
mod load;
mod process;
mod scraper;
mod tools;

pub use http::get;
pub use load::{Mixture, UNCLAIMED};
pub use process::ServerProcess;
pub use scraper::{Sample, Scraper};
pub use tools::{parse_with_python, promtool, tool};
