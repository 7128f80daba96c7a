//! An HTTP/1.1 server that gives the answers it was made with, one a connection.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A server that answers by its script.
pub(crate) struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Received>>>,
}

/// A request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// Method and path.
    pub(crate) line: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// What the server does with a connection.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Sends this.
    Raw(String),
    /// Never answers.
    Silence,
    /// Closes it.
    HangUp,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

impl Answer {
    /// A status, headers (one a line) and a body.
    pub(crate) fn new(status: u16, headers: &[&str], body: &str) -> Self {
        let headers: String = headers.iter().flat_map(|header| [header, "\r\n"]).collect();
        let length =
            if status == 204 { String::new() } else { format!("content-length: {}\r\n", body.len()) };
        Self::Raw(format!("HTTP/1.1 {status} Reason\r\n{headers}{length}connection: close\r\n\r\n{body}"))
    }
}

impl Server {
    /// A server that gives these answers in turn, and hangs up when they are used up.
    pub(crate) async fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let answers: VecDeque<Answer> = answers.into_iter().collect();
        tokio::spawn(serve(listener, answers, Arc::clone(&requests), None));
        Self { address, requests }
    }

    /// The same over TLS, under the name `localhost`; and the certificate it shows, which it signed itself.
    pub(crate) async fn secured(answers: impl IntoIterator<Item = Answer>) -> (Self, String) {
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a valid name");
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from(signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("known versions")
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key.into())
            .expect("a key for its certificate");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let answers: VecDeque<Answer> = answers.into_iter().collect();
        let tls = TlsAcceptor::from(Arc::new(config));
        tokio::spawn(serve(listener, answers, Arc::clone(&requests), Some(tls)));
        (Self { address, requests }, cert.pem())
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<Received> {
        self.requests.lock().expect("no test panicked while it held the lock").clone()
    }
}

/// A connection, with TLS or without.
trait Connection: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Connection for T {}

async fn serve(
    listener: TcpListener,
    mut answers: VecDeque<Answer>,
    requests: Arc<Mutex<Vec<Received>>>,
    tls: Option<TlsAcceptor>,
) {
    let mut silent = Vec::new();
    while let Ok((connection, _)) = listener.accept().await {
        let mut connection: Box<dyn Connection> = match &tls {
            None => Box::new(connection),
            Some(tls) => match tls.accept(connection).await {
                Ok(connection) => Box::new(connection),
                // A client that does not trust the server goes away; the answer is for the next.
                Err(_) => continue,
            },
        };
        if let Some(request) = receive(&mut connection).await {
            requests.lock().expect("no test panicked while it held the lock").push(request);
        }
        match answers.pop_front().unwrap_or(Answer::HangUp) {
            Answer::Raw(text) => {
                // A client that goes away early is part of some tests.
                let _ = connection.write_all(text.as_bytes()).await;
                let _ = connection.shutdown().await;
            }
            Answer::Silence => silent.push(connection),
            Answer::HangUp => {}
        }
    }
}

async fn receive(connection: &mut Box<dyn Connection>) -> Option<Received> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        let is_tls = |bytes: &[u8]| bytes.first() == Some(&0x16);
        if connection.read_buf(&mut bytes).await.ok()? == 0 || is_tls(&bytes) {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let mut lines = head.lines();
    let line = lines.next()?.trim_end_matches(" HTTP/1.1").to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: usize = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    while bytes.len() < head_end + length {
        connection.read_buf(&mut bytes).await.ok()?;
    }
    let body = String::from_utf8_lossy(&bytes[head_end..]).into_owned();
    Some(Received { line, headers, body })
}
