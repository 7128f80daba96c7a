//! Over gRPC.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use prost::bytes::{BufMut, Bytes};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::{AsciiMetadataKey, AsciiMetadataValue, MetadataMap};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Status};

use super::{Refusal, Remedy, told};
use crate::settings::{OtlpError, Settings};

/// The procedure that takes spans.
const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// A channel that connects when it is needed, and again when it has to.
#[derive(Debug)]
pub(crate) struct Grpc {
    channel: Channel,
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
        Ok(Self { channel, metadata: metadata(settings)?, timeout: settings.timeout })
    }

    pub(super) async fn send(&self, request: Bytes) -> Result<ExportTraceServiceResponse, Refusal> {
        let mut request = Request::new(request);
        *request.metadata_mut() = self.metadata.clone();
        request.set_timeout(self.timeout);
        match tokio::time::timeout(self.timeout, self.export(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(status)) => Err(refusal(&status)),
            Err(_) => Err(refusal(&Status::deadline_exceeded("no answer in time"))),
        }
    }

    async fn export(&self, request: Request<Bytes>) -> Result<ExportTraceServiceResponse, Status> {
        let mut client = tonic::client::Grpc::new(self.channel.clone());
        client.ready().await.map_err(|error| Status::from_error(Box::new(error)))?;
        let answer = client.unary(request, PathAndQuery::from_static(EXPORT), AsItIs).await?;
        Ok(answer.into_inner())
    }
}

/// Requests that are written already.
#[derive(Debug, Clone, Copy)]
struct AsItIs;

impl Codec for AsItIs {
    type Encode = Bytes;
    type Decode = ExportTraceServiceResponse;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for AsItIs {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, request: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(request);
        Ok(())
    }
}

impl Decoder for AsItIs {
    type Item = ExportTraceServiceResponse;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<ExportTraceServiceResponse>, Status> {
        let answer = ExportTraceServiceResponse::decode(buffer);
        answer.map(Some).map_err(|error| Status::internal(error.to_string()))
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
