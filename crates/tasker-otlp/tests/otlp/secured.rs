//! Collectors that speak over TLS.

use std::time::Duration;

use tasker_otlp::{OtlpError, Protocol, Settings, Traces, Written};

use crate::arriving::trace;
use crate::receiver::{PATIENCE, Receiver};

const BOTH: [Protocol; 2] = [Protocol::Grpc, Protocol::HttpProtobuf];

fn settings(receiver: &Receiver) -> Settings {
    let endpoint = format!("https://localhost:{}", receiver.address.port());
    Settings { endpoint, patience: Duration::ZERO, ..receiver.settings() }
}

#[tokio::test]
async fn a_collector_whose_certificate_is_trusted_gets_spans() {
    for protocol in BOTH {
        let (mut receiver, pem) = Receiver::secured(protocol).await;
        let settings = Settings { certificates: Some(pem), ..settings(&receiver) };
        let traces = Traces::start(&settings).expect("settings");
        let written = trace().await;
        traces.offer(Written::of(&written));
        assert_eq!(receiver.next().await.spans.len(), written.len(), "{protocol}");
        assert_eq!(traces.shutdown(PATIENCE).await.exported, written.len() as u64, "{protocol}");
    }
}

#[tokio::test]
async fn a_collector_whose_certificate_is_not_trusted_gets_nothing() {
    for protocol in BOTH {
        let (receiver, _) = Receiver::secured(protocol).await;
        let (_, other) = Receiver::secured(protocol).await;
        let settings = Settings { certificates: Some(other), ..settings(&receiver) };
        let traces = Traces::start(&settings).expect("settings");
        let written = trace().await;
        traces.offer(Written::of(&written));
        let report = traces.shutdown(PATIENCE).await;
        assert_eq!((report.exported, report.failed), (0, written.len() as u64), "{protocol}");
    }
}

#[tokio::test]
async fn certificates_that_cannot_be_read_are_refused() {
    for protocol in BOTH {
        for pem in ["", "no certificate", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
            let endpoint = "https://localhost:4317".to_owned();
            let certificates = Some(pem.to_owned());
            let started =
                Traces::start(&Settings { endpoint, certificates, protocol, ..Settings::default() });
            assert!(matches!(started, Err(OtlpError::Certificates { .. })), "{started:?}");
        }
    }
}
