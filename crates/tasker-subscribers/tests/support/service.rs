//! A web service that answers as it is told, and tells what it was called with.

use std::collections::VecDeque;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::Value;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Longer than anything takes here.
const PATIENCE: Duration = Duration::from_secs(60);

/// How the service answers one call.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Status(u16),
    With(u16, &'static str, &'static str),
    Never,
}

/// One call, as it arrived.
pub(crate) struct Call {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) at: Instant,
    pub(crate) answer: Answer,
}

impl Call {
    pub(crate) fn event(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON object")
    }

    pub(crate) fn is_taken(&self) -> bool {
        matches!(self.answer, Answer::Status(200))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().expect("a text")
    }
}

pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    pub(crate) calls: mpsc::UnboundedReceiver<Call>,
    script: Arc<Script>,
    running: JoinHandle<()>,
}

struct Script {
    next: Mutex<VecDeque<Answer>>,
    all: Mutex<Option<Answer>>,
    calls: mpsc::UnboundedSender<Call>,
}

impl Service {
    /// A service that gives these answers, and then takes everything.
    pub(crate) fn start(answers: &[Answer]) -> Self {
        Self::at(([127, 0, 0, 1], 0).into(), answers)
    }

    /// The same at an address that was used before.
    pub(crate) fn at(address: SocketAddr, answers: &[Answer]) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_reuseaddr(true).expect("allowed");
        socket.bind(address).expect("a free port");
        let listener: TcpListener = socket.listen(64).expect("it listens");
        let (sender, calls) = mpsc::unbounded_channel();
        let next = Mutex::new(answers.to_vec().into());
        let script = Arc::new(Script { next, all: Mutex::default(), calls: sender });
        let address = listener.local_addr().expect("an address");
        let router = Router::new().route("/events", post(answer)).with_state(Arc::clone(&script));
        let running = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { address, calls, script, running }
    }

    /// Gives this answer from now on, or again takes everything.
    pub(crate) fn answer_all(&self, answer: Option<Answer>) {
        *self.script.all.lock().expect("nobody panicked") = answer;
    }

    /// Returns when nobody listens any more.
    pub(crate) async fn stop(&mut self) {
        self.running.abort();
        let _ = (&mut self.running).await;
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/events", self.address)
    }

    pub(crate) async fn call(&mut self) -> Call {
        tokio::time::timeout(PATIENCE, self.calls.recv()).await.expect("in time").expect("it runs")
    }

    /// The next calls, so many.
    pub(crate) async fn some_calls(&mut self, number: usize) -> Vec<Call> {
        let mut calls = Vec::new();
        while calls.len() < number {
            calls.push(self.call().await);
        }
        calls
    }

    /// The events of the next calls that are taken, so many.
    pub(crate) async fn taken(&mut self, number: usize) -> Vec<Value> {
        let mut taken = Vec::new();
        while taken.len() < number {
            let call = self.call().await;
            if call.is_taken() {
                taken.push(call.event());
            }
        }
        taken
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.running.abort();
    }
}

async fn answer(State(script): State<Arc<Script>>, headers: HeaderMap, body: Bytes) -> Response {
    let all = script.all.lock().expect("nobody panicked").clone().unwrap_or(Answer::Status(200));
    let answer = script.next.lock().expect("nobody panicked").pop_front().unwrap_or(all);
    let call = Call { headers, body: body.to_vec(), at: Instant::now(), answer: answer.clone() };
    let _ = script.calls.send(call);
    let status = |number| StatusCode::from_u16(number).expect("a status");
    match answer {
        Answer::Status(number) => status(number).into_response(),
        Answer::With(number, header, value) => (status(number), [(header, value)]).into_response(),
        Answer::Never => pending().await,
    }
}
