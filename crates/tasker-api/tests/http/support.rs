//! An interface on a free port, and what it is asked.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
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
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let shutdown = CancellationToken::new();
    let api = Api::new(Arc::new(readiness), Arc::new(metrics), Arc::new(ManualClock::new(NOW)));
    let task = tokio::spawn(api.serve(listener, shutdown.clone()));
    Served { address, shutdown, task }
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Asks, with further lines of the head, each with its end.
pub(crate) async fn ask(address: SocketAddr, method: &str, path: &str, head: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let request = format!("{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{head}\r\n");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("read");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Answer { status, head: head.to_lowercase(), body: body.to_owned() }
}
