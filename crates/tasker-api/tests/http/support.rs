//! An interface on a free port, and what it is asked.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use tasker_api::{Api, Check, MetricsSource, Readiness};
use tasker_core::{ManualClock, Timestamp};
use tasker_metrics::{Registry, Snapshot};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// 2026-01-02T03:04:05Z.
const NOW: Timestamp = Timestamp::from_micros(1_767_323_045_000_000);

/// Always says the same of its process.
pub(crate) struct Says(pub(crate) Vec<Check>);

#[async_trait]
impl Readiness for Says {
    async fn checks(&self) -> Vec<Check> {
        self.0.clone()
    }
}

/// What a registry holds.
pub(crate) struct Counted(pub(crate) Registry);

#[async_trait]
impl MetricsSource for Counted {
    async fn snapshot(&self) -> Snapshot {
        self.0.snapshot()
    }
}

/// An interface that listens.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: CancellationToken,
    pub(crate) task: JoinHandle<std::io::Result<()>>,
}

pub(crate) async fn serve_both(
    readiness: impl Readiness + 'static,
    metrics: impl MetricsSource + 'static,
) -> Served {
    serve(readiness, metrics, |api| api).await
}

/// Serves what `finish` makes of an interface.
pub(crate) async fn serve(
    readiness: impl Readiness + 'static,
    metrics: impl MetricsSource + 'static,
    finish: impl FnOnce(Api) -> Api,
) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let shutdown = CancellationToken::new();
    let api = Api::new(Arc::new(readiness), Arc::new(metrics), Arc::new(ManualClock::new(NOW)));
    let task = tokio::spawn(finish(api).serve(listener, shutdown.clone()));
    Served { address, shutdown, task }
}

/// Serves what `finish` makes of the interface of a process that tells nothing.
pub(crate) async fn serve_silent(finish: impl FnOnce(Api) -> Api) -> Served {
    serve(Says(Vec::new()), Counted(Registry::default()), finish).await
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The value of a header whose name is in small letters.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// Asks, with further lines of the head, each with its end.
pub(crate) async fn ask(address: SocketAddr, method: &str, path: &str, head: &str) -> Answer {
    send(address, &format!("{method} {path}"), head, "").await
}

/// Asks with a body; `what` is the method and the path.
pub(crate) async fn send(address: SocketAddr, what: &str, head: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let request = format!("{what} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{length}{head}\r\n{body}");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("read");
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a body");
    let (head, bytes) = (String::from_utf8_lossy(&answer[..end]).into_owned(), answer[end + 4..].to_vec());
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    // The names of headers are in small letters already.
    Answer { status, head, body: String::from_utf8_lossy(&bytes).into_owned(), bytes }
}
