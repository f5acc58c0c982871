//! Requests -> a backend, as they are, by gRPC.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use otel_tcpretrans_pipeline::books::Signal;
use otel_tcpretrans_pipeline::config::Problem;
use otel_tcpretrans_pipeline::delivery::{self, Accepted, SendError, Transport};
use prost::bytes::BufMut;
use prost::{DecodeError, Message};
use tonic::client::Grpc;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::{AsciiMetadataKey, AsciiMetadataValue, MetadataMap};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tower::ServiceExt;

use super::channel;
use super::settings::Settings;
use super::{Compression, status};

/// An answer larger than this is not read, in bytes (OTLP specification: "should limit").
const RESPONSE_LIMIT: usize = 4 * 1024 * 1024;

/// The deadline that the backend is told lies this much behind ours: tonic enforces it on this side too, and whether a
/// connection is to be given up shows only when it is ours that passes first.
const DEADLINE_ROOM: Duration = Duration::from_secs(1);

/// A backend of OTLP over gRPC, for one signal.
pub struct GrpcTransport {
    /// Its name in messages.
    name: String,
    endpoint: Endpoint,
    connection: Mutex<Connection>,
    service: Service,
    compression: Option<CompressionEncoding>,
    metadata: MetadataMap,
    timeout: Duration,
}

/// A channel and its number, by which it is known whether somebody replaced it already.
struct Connection {
    number: u64,
    channel: Channel,
}

impl GrpcTransport {
    /// A transport that connects when it first sends. Call it within a tokio runtime.
    ///
    /// # Errors
    /// The files that the settings name can't be used.
    pub fn connect_lazy(signal: Signal, settings: &Settings) -> Result<Self, Vec<Problem>> {
        let endpoint = channel::endpoint(settings)?;
        Ok(GrpcTransport {
            name: settings.endpoint.to_string(),
            connection: Mutex::new(Connection { number: 0, channel: endpoint.connect_lazy() }),
            endpoint,
            service: Service::of(signal),
            compression: match settings.compression {
                Compression::None => None,
                Compression::Gzip => Some(CompressionEncoding::Gzip),
                Compression::Zstd => Some(CompressionEncoding::Zstd),
            },
            metadata: metadata(settings),
            timeout: settings.timeout,
        })
    }

    fn connection(&self) -> (u64, Channel) {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        (connection.number, connection.channel.clone())
    }

    /// Gives up a connection that does not answer: a peer that vanished without a word would be waited for until TCP
    /// itself gives up, a quarter of an hour later.
    fn abandon(&self, number: u64) {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        if connection.number == number {
            *connection = Connection { number: number + 1, channel: self.endpoint.connect_lazy() };
        }
    }

    async fn call(&self, channel: Channel, body: Bytes) -> Result<Accepted, Status> {
        // grpc-go, and so the Collector, answers compressed as it was asked.
        let mut client = Grpc::new(channel.map_response(status::of_proxy))
            .max_decoding_message_size(RESPONSE_LIMIT)
            .accept_compressed(CompressionEncoding::Gzip)
            .accept_compressed(CompressionEncoding::Zstd);
        if let Some(encoding) = self.compression {
            client = client.send_compressed(encoding);
        }
        client.ready().await.map_err(|error| Status::from_error(Box::new(error)))?;
        let mut request = Request::new(body);
        *request.metadata_mut() = self.metadata.clone();
        request.set_timeout(self.timeout + DEADLINE_ROOM);
        let codec = RawCodec { answer: self.service.answer };
        Ok(client.unary(request, self.service.path.clone(), codec).await?.into_inner())
    }
}

impl Transport for GrpcTransport {
    async fn send(&self, request: &delivery::Request) -> Result<Accepted, SendError> {
        let (number, channel) = self.connection();
        // tonic's own timeout begins when there is a connection; this one includes connecting.
        match tokio::time::timeout(self.timeout, self.call(channel, request.body.clone())).await {
            Ok(answer) => answer.map_err(|status| status::judge(&self.name, &status)),
            Err(_) => {
                self.abandon(number);
                let message = format!("{}: no answer within {:?}", self.name, self.timeout);
                Err(SendError::Retryable { message, after: None })
            }
        }
    }
}

/// The headers of settings as gRPC metadata; `resolve` has refused what can't be.
pub(crate) fn metadata(settings: &Settings) -> MetadataMap {
    let pairs = settings.headers.iter().filter_map(|(name, value)| {
        let name = AsciiMetadataKey::from_bytes(name.to_ascii_lowercase().as_bytes()).ok()?;
        let mut value = AsciiMetadataValue::try_from(value.reveal()).ok()?;
        value.set_sensitive(true);
        Some((name, value))
    });
    let mut metadata = MetadataMap::new();
    for (name, value) in pairs {
        metadata.insert(name, value);
    }
    metadata
}

/// One of OTLP's services.
struct Service {
    path: PathAndQuery,
    answer: Answer,
}

type Answer = fn(&mut DecodeBuf<'_>) -> Result<Accepted, DecodeError>;

impl Service {
    fn of(signal: Signal) -> Self {
        let (path, answer): (_, Answer) = match signal {
            Signal::Logs => ("/opentelemetry.proto.collector.logs.v1.LogsService/Export", logs_answer),
            Signal::Metrics => {
                ("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", metrics_answer)
            }
        };
        Service { path: PathAndQuery::from_static(path), answer }
    }
}

fn logs_answer(buffer: &mut DecodeBuf<'_>) -> Result<Accepted, DecodeError> {
    let partial = ExportLogsServiceResponse::decode(buffer)?.partial_success.unwrap_or_default();
    Ok(accepted(partial.rejected_log_records, partial.error_message))
}

fn metrics_answer(buffer: &mut DecodeBuf<'_>) -> Result<Accepted, DecodeError> {
    let partial = ExportMetricsServiceResponse::decode(buffer)?.partial_success.unwrap_or_default();
    Ok(accepted(partial.rejected_data_points, partial.error_message))
}

fn accepted(rejected: i64, message: String) -> Accepted {
    Accepted { rejected: rejected.try_into().unwrap_or_default(), message: status::cut(message) }
}

/// Sends bytes that are encoded already.
struct RawCodec {
    answer: Answer,
}

impl Codec for RawCodec {
    type Encode = Bytes;
    type Decode = Accepted;
    type Encoder = RawEncoder;
    type Decoder = AnswerDecoder;

    fn encoder(&mut self) -> RawEncoder {
        RawEncoder
    }

    fn decoder(&mut self) -> AnswerDecoder {
        AnswerDecoder(self.answer)
    }
}

struct RawEncoder;

impl Encoder for RawEncoder {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.reserve(item.len());
        out.put(item);
        Ok(())
    }
}

struct AnswerDecoder(Answer);

impl Decoder for AnswerDecoder {
    type Item = Accepted;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Accepted>, Status> {
        // The backend has taken the request; that its answer can't be read must not send it again.
        (self.0)(buffer)
            .map(Some)
            .map_err(|error| Status::internal(format!("can't read the answer: {error}")))
    }
}
