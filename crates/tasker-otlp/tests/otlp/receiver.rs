//! A collector in the test: it keeps what it is sent, and answers as it is told.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tasker_otlp::{Protocol, Secret, Settings};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Identity, Server, ServerTlsConfig};
use tonic::{Request, Response, Status};

/// How long a test waits for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What the collector answers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    /// It takes all.
    Taken,
    /// It takes all but one.
    TakenButOne,
    /// It has no room now.
    Busy,
    /// It does not want that.
    Refused,
    /// It never answers.
    Nothing,
}

/// A request as it came.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) authorization: Option<String>,
    pub(crate) resource: Vec<KeyValue>,
    pub(crate) spans: Vec<Span>,
}

/// A collector. It is gone when it is dropped.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    protocol: Protocol,
    received: mpsc::UnboundedReceiver<Received>,
    _tasks: JoinSet<()>,
}

type Certified = rcgen::CertifiedKey<rcgen::KeyPair>;

#[derive(Clone)]
struct Desk {
    sender: mpsc::UnboundedSender<Received>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
}

impl Receiver {
    /// A collector that takes everything.
    pub(crate) async fn start(protocol: Protocol) -> Self {
        Self::answering(protocol, &[]).await
    }

    /// A collector that gives these answers first.
    pub(crate) async fn answering(protocol: Protocol, answers: &[Answer]) -> Self {
        Self::at("127.0.0.1:0".parse().expect("an address"), protocol, answers).await
    }

    pub(crate) async fn at(address: SocketAddr, protocol: Protocol, answers: &[Answer]) -> Self {
        Self::open(address, protocol, answers, None).await
    }

    /// A collector that speaks over TLS, under the name `localhost`; and the certificate it shows.
    pub(crate) async fn secured(protocol: Protocol) -> (Self, String) {
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a valid name");
        let pem = certified.cert.pem();
        let address = "127.0.0.1:0".parse().expect("an address");
        (Self::open(address, protocol, &[], Some(certified)).await, pem)
    }

    async fn open(
        address: SocketAddr,
        protocol: Protocol,
        answers: &[Answer],
        certified: Option<Certified>,
    ) -> Self {
        let listener = TcpListener::bind(address).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (sender, received) = mpsc::unbounded_channel();
        let answers = Arc::new(Mutex::new(answers.iter().copied().collect()));
        let desk = Desk { sender, answers };
        let mut tasks = JoinSet::new();
        match protocol {
            Protocol::Grpc => {
                let (mut server, incoming) = (Server::builder(), TcpListenerStream::new(listener));
                if let Some(Certified { cert, signing_key }) = certified {
                    let identity = Identity::from_pem(cert.pem(), signing_key.serialize_pem());
                    server =
                        server.tls_config(ServerTlsConfig::new().identity(identity)).expect("an identity");
                }
                let serving = server.serve_with_incoming(TraceServiceServer::new(desk), incoming);
                tasks.spawn(async { serving.await.expect("it serves") });
            }
            Protocol::HttpProtobuf => {
                tasks.spawn(serve_http(listener, desk, certified.map(acceptor)));
            }
        }
        Self { address, protocol, received, _tasks: tasks }
    }

    /// Settings with which spans come here at once.
    pub(crate) fn settings(&self) -> Settings {
        settings(self.address, self.protocol)
    }

    /// The next request.
    pub(crate) async fn next(&mut self) -> Received {
        let next = tokio::time::timeout(PATIENCE, self.received.recv()).await.expect("a request in time");
        next.expect("the collector runs")
    }

    /// So many spans, of as many requests as it takes.
    pub(crate) async fn spans(&mut self, count: usize) -> Vec<Span> {
        let mut spans = Vec::new();
        while spans.len() < count {
            spans.extend(self.next().await.spans);
        }
        spans
    }
}

/// Settings with which spans go to an address at once.
pub(crate) fn settings(address: SocketAddr, protocol: Protocol) -> Settings {
    Settings {
        endpoint: format!("http://{address}"),
        protocol,
        headers: vec![("authorization".to_owned(), Secret::new("Bearer hunter2"))],
        timeout: Duration::from_secs(10),
        resource: vec![("service.name".to_owned(), "tasker-worker".to_owned())],
        delay: Duration::from_millis(5),
        ..Settings::default()
    }
}

/// An address where nobody listens.
pub(crate) async fn nowhere() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    listener.local_addr().expect("an address")
}

/// The text of an attribute.
pub(crate) fn fact(facts: &[KeyValue], key: &str) -> Option<String> {
    let value = facts.iter().find(|fact| fact.key == key)?.value.as_ref()?.value.as_ref()?;
    Some(match value {
        any_value::Value::StringValue(text) => text.clone(),
        any_value::Value::IntValue(number) => number.to_string(),
        any_value::Value::BoolValue(truth) => truth.to_string(),
        other => format!("{other:?}"),
    })
}

impl Desk {
    fn take(&self, authorization: Option<&str>, request: ExportTraceServiceRequest) -> Answer {
        for of_resource in request.resource_spans {
            let resource = of_resource.resource.map(|resource| resource.attributes).unwrap_or_default();
            let spans = of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans).collect();
            let received = Received { authorization: authorization.map(str::to_owned), resource, spans };
            // Nobody may be left to look at it.
            let _ = self.sender.send(received);
        }
        self.answers.lock().expect("no panic").pop_front().unwrap_or(Answer::Taken)
    }
}

fn taken(rejected_spans: i64) -> ExportTraceServiceResponse {
    let error_message = "one too many".to_owned();
    let partial = ExportTracePartialSuccess { rejected_spans, error_message };
    ExportTraceServiceResponse { partial_success: (rejected_spans > 0).then_some(partial) }
}

#[tonic::async_trait]
impl TraceService for Desk {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let authorization = request.metadata().get("authorization").and_then(|value| value.to_str().ok());
        let authorization = authorization.map(str::to_owned);
        match self.take(authorization.as_deref(), request.into_inner()) {
            Answer::Taken => Ok(Response::new(taken(0))),
            Answer::TakenButOne => Ok(Response::new(taken(1))),
            Answer::Busy => Err(Status::unavailable("no room")),
            Answer::Refused => Err(Status::invalid_argument("no")),
            Answer::Nothing => std::future::pending().await,
        }
    }
}

fn acceptor(Certified { cert, signing_key }: Certified) -> TlsAcceptor {
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(signing_key.serialize_der());
    let config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("known versions")
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key.into())
            .expect("a key for its certificate");
    TlsAcceptor::from(Arc::new(config))
}

async fn serve_http(listener: TcpListener, desk: Desk, tls: Option<TlsAcceptor>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (desk, tls) = (desk.clone(), tls.clone());
        connections.spawn(async move {
            match tls {
                None => converse(stream, &desk).await,
                // Who does not trust the certificate goes away.
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        converse(stream, &desk).await;
                    }
                }
            }
        });
    }
}

async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin, desk: &Desk) {
    let mut stream = BufReader::new(stream);
    while answer_http(&mut stream, desk).await.is_some() {}
}

/// Answers one request; `None` when there is none.
async fn answer_http(stream: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>, desk: &Desk) -> Option<()> {
    let (mut length, mut authorization) = (0, None);
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let is_right = line.starts_with("POST /v1/traces ");
    loop {
        line.clear();
        stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
        match line.trim().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().expect("a length"),
            Some(("authorization", value)) => authorization = Some(value.to_owned()),
            Some(("content-type", value)) => assert_eq!(value, "application/x-protobuf"),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    assert!(is_right, "a request to the right path");
    let request = ExportTraceServiceRequest::decode(body.as_slice()).expect("protocol buffers");
    let (status, body) = match desk.take(authorization.as_deref(), request) {
        Answer::Taken => ("200 OK", taken(0).encode_to_vec()),
        Answer::TakenButOne => ("200 OK", taken(1).encode_to_vec()),
        Answer::Busy => ("503 Service Unavailable\r\nretry-after: 0", Vec::new()),
        Answer::Refused => ("400 Bad Request", Vec::new()),
        Answer::Nothing => std::future::pending().await,
    };
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), &body].concat()).await.ok()
}
