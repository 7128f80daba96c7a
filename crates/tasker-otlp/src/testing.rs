//! A collector for tests: it speaks the protocol over gRPC, and keeps what it is sent as plain data.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span;
use tasker_core::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// Longer than anything takes; a test that waits so long has failed.
const LONG: Duration = Duration::from_mins(1);

/// A collector at a free port of this machine. It is gone when it is dropped.
#[derive(Debug)]
pub struct Collector {
    address: SocketAddr,
    received: UnboundedReceiver<Vec<ReceivedSpan>>,
    spans: Vec<ReceivedSpan>,
    _serving: JoinSet<()>,
}

/// A span as it arrived. Ids are hexadecimal, as the protocol shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedSpan {
    /// The `service.name` of the process that sent it.
    pub service: String,
    /// The trace.
    pub trace: String,
    /// Its id.
    pub id: String,
    /// The span it is part of.
    pub parent: Option<String>,
    /// What it is called.
    pub name: String,
    /// When it began.
    pub start: Timestamp,
    /// When it ended.
    pub end: Timestamp,
    /// Its attributes, as texts.
    pub attributes: BTreeMap<String, String>,
    /// The spans it links to.
    pub links: Vec<ReceivedLink>,
    /// The message of its failure, if it is one.
    pub error: Option<String>,
}

/// A link as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedLink {
    /// The trace.
    pub trace: String,
    /// The span.
    pub span: String,
    /// Its attributes, as texts.
    pub attributes: BTreeMap<String, String>,
}

impl Collector {
    /// Starts it.
    ///
    /// # Panics
    ///
    /// If there is no free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (sender, received) = unbounded_channel();
        let mut serving = JoinSet::new();
        let service = TraceServiceServer::new(Desk(sender));
        serving.spawn(async {
            // What goes wrong shows by what does not arrive.
            let _ = Server::builder().serve_with_incoming(service, TcpListenerStream::new(listener)).await;
        });
        Self { address, received, spans: Vec::new(), _serving: serving }
    }

    /// Where it is, for the setting `traces.endpoint`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every span that has arrived.
    pub fn spans(&mut self) -> &[ReceivedSpan] {
        while let Ok(spans) = self.received.try_recv() {
            self.spans.extend(spans);
        }
        &self.spans
    }

    /// Waits until what has arrived is enough.
    ///
    /// # Panics
    ///
    /// If that takes a long time.
    pub async fn until(&mut self, is_enough: impl Fn(&[ReceivedSpan]) -> bool) -> &[ReceivedSpan] {
        while !is_enough(self.spans()) {
            let Ok(Some(spans)) = tokio::time::timeout(LONG, self.received.recv()).await else {
                let names: Vec<_> = self.spans.iter().map(|span| &span.name).collect();
                panic!("not enough has arrived: {names:?}");
            };
            self.spans.extend(spans);
        }
        &self.spans
    }
}

impl ReceivedSpan {
    /// An attribute, empty if it has none of this name.
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    /// The spans of the same trace that it links to in this way: `tasker.link.type`.
    pub fn linked(&self, kind: &str) -> Vec<&str> {
        let kinds = self.links.iter().filter(|link| {
            link.trace == self.trace && link.attributes.get("tasker.link.type").is_some_and(|of| of == kind)
        });
        kinds.map(|link| link.span.as_str()).collect()
    }

    fn of(service: &str, span: Span) -> Self {
        let link = |link: opentelemetry_proto::tonic::trace::v1::span::Link| ReceivedLink {
            trace: hexadecimal(&link.trace_id),
            span: hexadecimal(&link.span_id),
            attributes: texts(link.attributes),
        };
        // 2 is the code of an error.
        let error = span.status.filter(|status| status.code == 2).map(|status| status.message);
        Self {
            service: service.to_owned(),
            trace: hexadecimal(&span.trace_id),
            id: hexadecimal(&span.span_id),
            parent: Some(hexadecimal(&span.parent_span_id)).filter(|parent| !parent.is_empty()),
            name: span.name,
            start: time(span.start_time_unix_nano),
            end: time(span.end_time_unix_nano),
            attributes: texts(span.attributes),
            links: span.links.into_iter().map(link).collect(),
            error,
        }
    }
}

/// Takes requests in.
struct Desk(UnboundedSender<Vec<ReceivedSpan>>);

#[tonic::async_trait]
impl TraceService for Desk {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for of_process in request.into_inner().resource_spans {
            let resource = texts(of_process.resource.map(|resource| resource.attributes).unwrap_or_default());
            let service = resource.get("service.name").cloned().unwrap_or_default();
            let spans = of_process.scope_spans.into_iter().flat_map(|scope| scope.spans);
            // Nobody may be left to look at them.
            let _ = self.0.send(spans.map(|span| ReceivedSpan::of(&service, span)).collect());
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("invariant: a String takes all");
        text
    })
}

fn time(nanoseconds: u64) -> Timestamp {
    Timestamp::from_micros(i64::try_from(nanoseconds / 1_000).unwrap_or(i64::MAX))
}

fn texts(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    attributes.into_iter().map(|pair| (pair.key, text(pair.value))).collect()
}

fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(any_value::Value::StringValue(text)) => text,
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        Some(any_value::Value::BoolValue(truth)) => truth.to_string(),
        Some(other) => format!("{other:?}"),
        None => String::new(),
    }
}
