//! A web service that answers as it is told, and notes who calls.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

/// Longer than any call takes to come.
const LONG: Duration = Duration::from_mins(1);

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// A status, with an empty object as the body.
    Status(u16),
    /// None, for as long as the caller waits.
    Never,
}

/// A call that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The path.
    pub path: String,
    /// The header `traceparent`; empty if it has none.
    pub traceparent: String,
}

/// A web service. It is gone when it is dropped.
#[derive(Debug)]
pub struct Stub {
    address: SocketAddr,
    calls: UnboundedReceiver<Call>,
    /// The calls that were waited for.
    pub seen: Vec<Call>,
    _serving: JoinSet<()>,
}

/// The answers of each path that are still to be given.
type Answers = Arc<Mutex<BTreeMap<String, VecDeque<Answer>>>>;

impl Stub {
    /// Starts a service that gives these answers by path, first to last, and then 200.
    ///
    /// # Errors
    ///
    /// If there is no free port.
    pub async fn start(answers: &[(&str, &[Answer])]) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let answers = answers.iter().map(|(path, of)| ((*path).to_owned(), of.iter().copied().collect()));
        let answers: Answers = Arc::new(Mutex::new(answers.collect()));
        let (sender, calls) = unbounded_channel();
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, answers, sender));
        Ok(Self { address, calls, seen: Vec::new(), _serving: serving })
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Waits until a path has been called so many times.
    ///
    /// # Errors
    ///
    /// If that takes a long time.
    pub async fn until_called(&mut self, path: &str, times: usize) -> Result<()> {
        while self.seen.iter().filter(|call| call.path == path).count() < times {
            let call = tokio::time::timeout(LONG, self.calls.recv()).await;
            let call = call.with_context(|| format!("{path} is not called: {:?}", self.seen))?;
            self.seen.push(call.context("the service runs")?);
        }
        Ok(())
    }
}

async fn serve(listener: TcpListener, answers: Answers, calls: UnboundedSender<Call>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        // A caller may be killed while it waits.
        let (answers, calls) = (Arc::clone(&answers), calls.clone());
        connections.spawn(async move { answer(stream, &answers, &calls).await.ok() });
    }
}

/// Answers the one request of a connection.
async fn answer(stream: TcpStream, answers: &Answers, calls: &UnboundedSender<Call>) -> Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let path = line.split(' ').nth(1).context("a request has a path")?.to_owned();
    let mut call = Call { path, traceparent: String::new() };
    while line.trim() != "" {
        line.clear();
        stream.read_line(&mut line).await?;
        if let Some(traceparent) = line.strip_prefix("traceparent: ") {
            traceparent.trim().clone_into(&mut call.traceparent);
        }
    }
    let next = {
        let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.get_mut(&call.path).and_then(VecDeque::pop_front).unwrap_or(Answer::Status(200))
    };
    calls.send(call)?;
    match next {
        Answer::Never => std::future::pending().await,
        Answer::Status(status) => {
            let head = format!("HTTP/1.1 {status} Told\r\nContent-Type: application/json\r\n");
            let answer = format!("{head}Content-Length: 2\r\nConnection: close\r\n\r\n{{}}");
            Ok(stream.write_all(answer.as_bytes()).await?)
        }
    }
}
