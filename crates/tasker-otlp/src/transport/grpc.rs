//! Over gRPC.

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use tonic::metadata::{AsciiMetadataKey, AsciiMetadataValue, MetadataMap};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Status};

use super::{Refusal, Remedy, told};
use crate::settings::{OtlpError, Settings};

/// A channel that connects when it is needed, and again when it has to.
#[derive(Debug)]
pub(crate) struct Grpc {
    client: TraceServiceClient<Channel>,
    metadata: MetadataMap,
    timeout: std::time::Duration,
}

impl Grpc {
    pub(super) fn new(settings: &Settings) -> Result<Self, OtlpError> {
        let refused = |reason: &dyn std::error::Error| OtlpError::Endpoint {
            endpoint: settings.endpoint.clone(),
            reason: reason.to_string(),
        };
        let mut endpoint =
            Endpoint::from_shared(settings.endpoint.clone()).map_err(|error| refused(&error))?;
        match endpoint.uri().scheme_str() {
            Some("http") => {}
            Some("https") => {
                endpoint = endpoint.tls_config(tls(settings)?).map_err(|error| refused(&error))?;
            }
            _ => {
                let (endpoint, reason) =
                    (settings.endpoint.clone(), "it is neither http nor https".to_owned());
                return Err(OtlpError::Endpoint { endpoint, reason });
            }
        }
        let channel = endpoint.connect_timeout(settings.timeout).connect_lazy();
        let (client, metadata) = (TraceServiceClient::new(channel), metadata(settings)?);
        Ok(Self { client, metadata, timeout: settings.timeout })
    }

    pub(super) async fn send(
        &self,
        request: &ExportTraceServiceRequest,
    ) -> Result<ExportTraceServiceResponse, Refusal> {
        let mut request = Request::new(request.clone());
        *request.metadata_mut() = self.metadata.clone();
        request.set_timeout(self.timeout);
        match tokio::time::timeout(self.timeout, self.client.clone().export(request)).await {
            Ok(Ok(response)) => Ok(response.into_inner()),
            Ok(Err(status)) => Err(refusal(&status)),
            Err(_) => Err(refusal(&Status::deadline_exceeded("no answer in time"))),
        }
    }
}

fn tls(settings: &Settings) -> Result<ClientTlsConfig, OtlpError> {
    Ok(match super::certificates(settings)? {
        Some(pem) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)),
        None => ClientTlsConfig::new().with_native_roots(),
    })
}

fn metadata(settings: &Settings) -> Result<MetadataMap, OtlpError> {
    let mut metadata = MetadataMap::new();
    for (name, value) in &settings.headers {
        let refused = || OtlpError::Header { name: name.clone() };
        let key: AsciiMetadataKey = name.to_ascii_lowercase().parse().map_err(|_| refused())?;
        let mut value: AsciiMetadataValue = value.expose().parse().map_err(|_| refused())?;
        value.set_sensitive(true);
        metadata.insert(key, value);
    }
    Ok(metadata)
}

fn refusal(status: &Status) -> Refusal {
    let remedy = match status.code() {
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => Remedy::Again(None),
        // Only with the advice that it will have room again.
        Code::ResourceExhausted if !status.details().is_empty() => Remedy::Again(None),
        _ => Remedy::None,
    };
    let reason = std::error::Error::source(status).map_or_else(|| status.message().to_owned(), told);
    Refusal { message: format!("{:?}: {reason}", status.code()), remedy }
}
