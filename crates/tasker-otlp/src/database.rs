//! Calls to a database, by the [conventions for clients of databases][conventions].
//!
//! Many attempts have a part in one call, whose answer they all wait for. So nothing is made of it here: it is written as a
//! span when its batch is sent.
//!
//! [conventions]: https://opentelemetry.io/docs/specs/semconv/database/database-spans/

use std::sync::Arc;

use opentelemetry::trace::{SpanKind, TraceFlags};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};
use tasker_core::Timestamp;
use tasker_trace::{TraceContext, attributes};

use crate::convert;
use crate::wire::Message;

/// A call to a database that was answered.
#[derive(Debug, Clone)]
pub struct DatabaseCall {
    /// What it was a part of.
    pub parent: TraceContext,
    /// Where the database is.
    pub database: Arc<DatabasePlace>,
    /// What was done.
    pub operation: &'static str,
    /// The table it was mostly about.
    pub collection: &'static str,
    /// How many were done at once.
    pub batch: usize,
    /// When it was sent.
    pub start: Timestamp,
    /// When the answer was there.
    pub end: Timestamp,
    /// What kind of failure the answer was, if it was one.
    pub error: Option<&'static str>,
}

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabasePlace {
    /// What it is, such as `postgresql` or `sqlite`.
    pub system: &'static str,
    /// Its name.
    pub namespace: Option<String>,
    /// The host of its server.
    pub address: Option<String>,
    /// The port of its server.
    pub port: Option<u16>,
}

impl DatabaseCall {
    /// Writes it as a span, the numbers of whose fields are those of [`convert`].
    pub(crate) fn write(&self, span: &mut Message) {
        let Self { parent, operation, collection, .. } = self;
        let DatabasePlace { system, namespace, address, port } = &*self.database;
        span.bytes(1, &parent.trace.as_u128().to_be_bytes());
        span.bytes(2, &RandomIdGenerator::default().new_span_id().to_bytes());
        span.bytes(4, &parent.span.as_u64().to_be_bytes());
        span.text(5, &format!("{operation} {collection}"));
        span.number(6, convert::kind(&SpanKind::Client));
        span.fixed64(7, convert::nanos(self.start));
        span.fixed64(8, convert::nanos(self.end));
        let texts = [
            ("db.system.name", Some(*system)),
            ("db.namespace", namespace.as_deref()),
            ("db.operation.name", Some(*operation)),
            ("db.collection.name", Some(*collection)),
            ("server.address", address.as_deref()),
            (attributes::ERROR_TYPE, self.error),
        ];
        for (key, value) in texts {
            if let Some(value) = value {
                convert::attribute(span, 9, key, |any| any.text(1, value));
            }
        }
        // One is no batch.
        let batch = Some(self.batch as u64).filter(|batch| *batch > 1);
        for (key, value) in [("db.operation.batch.size", batch), ("server.port", port.map(u64::from))] {
            if let Some(value) = value {
                convert::attribute(span, 9, key, |any| any.number(3, value));
            }
        }
        if self.error.is_some() {
            convert::status(span, StatusCode::Error, "");
        }
        // What it was a part of is written elsewhere.
        span.fixed32(16, convert::flags(TraceFlags::SAMPLED, true));
    }
}
