//! Spans that really go to a collector.

mod arriving;
mod live;
mod names;
mod receiver;
mod secured;
mod trouble;
