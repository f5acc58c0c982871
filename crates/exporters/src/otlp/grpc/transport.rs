//! Sends requests to a backend by OTLP over gRPC.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use http::uri::PathAndQuery;
use otel_tcpretrans_pipeline::books::Signal;
use otel_tcpretrans_pipeline::config::Problem;
use otel_tcpretrans_pipeline::delivery::{Accepted, Format, Request, SendError, Transport};
use otel_tcpretrans_pipeline::rotating::Rotating;
use tonic::Status;
use tonic::client::Grpc;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint};
use tower::ServiceExt;

use super::message::with_message;
use super::{channel, status};
use crate::otlp::accepted;
use crate::otlp::client::{self, RESPONSE_LIMIT};
use crate::otlp::settings::Settings;

/// The deadline that the backend is told is this much later than our own timeout. tonic enforces that deadline on this
/// side too. Our timeout has to pass first, since it shows that the connection does not answer.
const DEADLINE_ROOM: Duration = Duration::from_secs(1);

/// A backend of OTLP over gRPC, for one signal.
pub struct GrpcTransport {
    /// Its name in messages.
    name: String,
    endpoint: Rotating<Endpoint>,
    connection: Mutex<Connection>,
    signal: Signal,
    headers: Rotating<HeaderMap>,
    timeout: Duration,
}

/// A channel and its number. The number shows a caller whether another caller has replaced the channel already.
struct Connection {
    number: u64,
    /// The number of the endpoint that it was made of.
    endpoint: u64,
    channel: Channel,
}

impl GrpcTransport {
    /// A transport that connects when it first sends. Call it within a tokio runtime.
    ///
    /// # Errors
    /// The files that the settings name can't be used.
    pub fn connect_lazy(signal: Signal, settings: &Settings) -> Result<Self, Vec<Problem>> {
        let own = settings.clone();
        let endpoint = Rotating::new(settings.tls.files(), move || channel::endpoint(&own))?;
        let (number, first) = endpoint.current();
        let connection = Connection { number: 0, endpoint: number, channel: first.connect_lazy() };
        Ok(GrpcTransport {
            name: settings.endpoint.to_string(),
            connection: Mutex::new(connection),
            endpoint,
            signal,
            headers: client::rotating_headers(settings)?,
            timeout: settings.timeout,
        })
    }

    /// The connection for the next request. Certificates that were replaced make a new one.
    fn connection(&self) -> (u64, Channel) {
        let (made, endpoint) = self.endpoint.current();
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        if connection.endpoint != made {
            *connection = Connection {
                number: connection.number + 1,
                endpoint: made,
                channel: endpoint.connect_lazy(),
            };
        }
        (connection.number, connection.channel.clone())
    }

    /// Replaces a connection that does not answer. If the peer has vanished without closing it, TCP would keep it for a
    /// quarter of an hour, and every request would wait for its timeout.
    fn replace(&self, number: u64) {
        let (made, endpoint) = self.endpoint.current();
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        if connection.number == number {
            *connection = Connection { number: number + 1, endpoint: made, channel: endpoint.connect_lazy() };
        }
    }

    async fn call(&self, channel: Channel, request: Request) -> Result<Accepted, Status> {
        let channel =
            channel.map_request(move |call| with_message(call, &request)).map_response(status::from_proxy);
        // grpc-go, which the Collector uses, compresses its answer in the same way as the request.
        let mut client = Grpc::new(channel)
            .max_decoding_message_size(RESPONSE_LIMIT)
            .accept_compressed(CompressionEncoding::Gzip)
            .accept_compressed(CompressionEncoding::Zstd);
        client.ready().await.map_err(|error| Status::from_error(Box::new(error)))?;
        let mut call = tonic::Request::new(());
        *call.metadata_mut() = MetadataMap::from_headers(self.headers.current().1);
        call.set_timeout(self.timeout + DEADLINE_ROOM);
        Ok(client.unary(call, method(self.signal), AnswerCodec(self.signal)).await?.into_inner())
    }
}

impl Transport for GrpcTransport {
    async fn send(&self, request: &Request) -> Result<Accepted, SendError> {
        if request.format != Format::Proto {
            let message =
                format!("{}: a stored request is in JSON, and gRPC carries protobuf only", self.name);
            return Err(SendError::Permanent { message });
        }
        let (number, channel) = self.connection();
        // tonic's own timeout begins when there is a connection. This one includes connecting.
        match tokio::time::timeout(self.timeout, self.call(channel, request.clone())).await {
            Ok(answer) => answer.map_err(|status| status::judge(&self.name, &status)),
            Err(_) => {
                self.replace(number);
                let message = format!("{}: no answer within {:?}", self.name, self.timeout);
                Err(SendError::Retryable { message, after: None })
            }
        }
    }
}

/// The headers of settings as gRPC metadata. `resolve` has refused what metadata can't hold.
///
/// # Errors
/// A file that holds a part of a header can't be used.
pub(crate) fn metadata(settings: &Settings) -> Result<MetadataMap, Vec<Problem>> {
    client::headers(settings).map(MetadataMap::from_headers)
}

/// The method that takes the requests of a signal.
fn method(signal: Signal) -> PathAndQuery {
    PathAndQuery::from_static(match signal {
        Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    })
}

/// Decodes answers. It encodes nothing, since [`with_message`] puts in the message of the request.
struct AnswerCodec(Signal);

impl Codec for AnswerCodec {
    type Encode = ();
    type Decode = Accepted;
    type Encoder = NoEncoder;
    type Decoder = AnswerDecoder;

    fn encoder(&mut self) -> NoEncoder {
        NoEncoder
    }

    fn decoder(&mut self) -> AnswerDecoder {
        AnswerDecoder(self.0)
    }
}

struct NoEncoder;

impl Encoder for NoEncoder {
    type Item = ();
    type Error = Status;

    fn encode(&mut self, (): (), _: &mut EncodeBuf<'_>) -> Result<(), Status> {
        Ok(())
    }
}

struct AnswerDecoder(Signal);

impl Decoder for AnswerDecoder {
    type Item = Accepted;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Accepted>, Status> {
        // The backend has taken the request, so an answer that can't be read must not cause another attempt. `internal`
        // is not retried.
        accepted::decode(self.0, buffer)
            .map(Some)
            .map_err(|error| Status::internal(format!("can't read the answer: {error}")))
    }
}
