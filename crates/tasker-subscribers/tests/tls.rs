//! Webhooks over TLS: the receiver must prove who it is.

mod support;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use support::{Bench, report};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A service that takes everything, under a certificate that it signed itself; its port, and the certificate.
async fn secured() -> (u16, String) {
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
    let port = listener.local_addr().expect("bound").port();
    tokio::spawn(async move {
        let tls = TlsAcceptor::from(Arc::new(config));
        while let Ok((connection, _)) = listener.accept().await {
            let Ok(mut connection) = tls.accept(connection).await else { continue };
            let mut read = Vec::new();
            while !read.ends_with(b"}}") && connection.read_buf(&mut read).await.is_ok_and(|bytes| bytes > 0)
            {
            }
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            connection.write_all(answer).await.expect("it listens");
            let _ = connection.shutdown().await;
        }
    });
    (port, cert.pem())
}

fn webhook(port: u16) -> Value {
    json!({
        "name": "billing", "type": "webhook", "events": ["*"], "start": "beginning",
        "url": format!("https://localhost:{port}/events?token=hunter2"),
    })
}

#[tokio::test]
async fn a_receiver_with_a_certificate_of_a_known_authority_gets_events() {
    let bench = Bench::in_memory().await;
    let (port, certificate) = secured().await;
    std::fs::write(bench.folder.path().join("authority.pem"), certificate).expect("written");
    let mut settings = webhook(port);
    settings["ca_file"] = json!("authority.pem");
    let subscribers = bench.start(settings, 1);
    bench.run().await;
    bench.caught_up().await;
    assert_eq!((report(&subscribers).taken, report(&subscribers).retried), (7, 0));
    subscribers.stop().await;
}

#[tokio::test]
async fn a_receiver_with_any_other_certificate_gets_nothing() {
    let bench = Bench::in_memory().await;
    let (port, _) = secured().await;
    let subscribers = bench.start(webhook(port), 1);
    bench.submit().await;
    let is_told = async {
        loop {
            match report(&subscribers).last_error {
                Some(error) => return error,
                None => tokio::task::yield_now().await,
            }
        }
    };
    let error = tokio::time::timeout(Duration::from_secs(60), is_told).await.expect("in time");
    assert!(error.starts_with(&format!("https://localhost:{port} could not be reached")), "{error}");
    assert!(error.contains("certificate") && !error.contains("hunter2"), "{error}");
    subscribers.stop().await;
}
