//! A wire to the test server that counts what is sent over it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};

/// Carries bytes to the server and back.
pub(crate) struct Wire {
    port: u16,
    messages: Arc<AtomicUsize>,
}

impl Wire {
    /// Listens for connections, as long as the test runs.
    pub(crate) async fn start(database: &str) -> Self {
        let server: PgConnectOptions = database.parse().expect("a URL");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let messages = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&messages);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect((server.get_host(), server.get_port()));
                let server = server.await.expect("the test server listens");
                tokio::spawn(carry(client, server, Arc::clone(&count)));
            }
        });
        Self { port, messages }
    }

    /// The URL that leads to a database of the test server over the wire.
    pub(crate) fn url(&self, database: &str) -> String {
        let database: PgConnectOptions = database.parse().expect("a URL");
        database.host("127.0.0.1").port(self.port).to_url_lossy().to_string()
    }

    /// How often something was sent to the server. Whoever sends waits for the answer before sending more.
    pub(crate) fn messages(&self) -> usize {
        self.messages.load(Ordering::SeqCst)
    }
}

async fn carry(client: TcpStream, server: TcpStream, count: Arc<AtomicUsize>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    tokio::spawn(async move { copy(&mut from_server, &mut to_client).await });
    let mut bytes = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from_client.read(&mut bytes).await {
        count.fetch_add(1, Ordering::SeqCst);
        if to_server.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
}
