//! What the backend answers, in the form of the request's protocol.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsPartialSuccess, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceResponse,
};
use prost::Message;

use crate::request::Received;

pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// An answer to one request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The request is taken.
    Accept,
    /// The request is taken, and the answer comes later.
    Delay(Duration),
    /// The request is taken, but for so many items.
    Partial(i64),
    /// The request is taken, and the connection ends in the middle of the answer.
    Cut,
    /// The request is taken, and the answer is larger than any client reads.
    Oversized,
    /// The request is not taken: the status of HTTP, the code of gRPC, and how long the client is asked to wait.
    Refuse {
        /// Such as 503.
        http: u16,
        /// Such as 14 (unavailable).
        grpc: i32,
        /// `Retry-After` or `RetryInfo`.
        wait: Option<Duration>,
    },
    /// The request is not taken, and there is no answer.
    Hang,
}

impl Answer {
    /// Not now; the next attempt may succeed.
    pub fn unavailable() -> Answer {
        Answer::Refuse { http: 503, grpc: 14, wait: None }
    }

    /// One of the answers after which a client sends a request again, or is done with it.
    pub fn any(random: &mut fastrand::Rng) -> Answer {
        match random.u8(..8) {
            0 => Answer::unavailable(),
            1 => Answer::Refuse { http: 429, grpc: 8, wait: Some(Duration::ZERO) },
            2 => Answer::Refuse { http: 502, grpc: 14, wait: None },
            3 => Answer::Refuse { http: 504, grpc: 4, wait: None },
            4 => Answer::Cut,
            5 => Answer::Hang,
            6 => Answer::Delay(Duration::from_millis(random.u64(1..50))),
            _ => Answer::Accept,
        }
    }

    /// Whether the backend has the records after it.
    pub(crate) fn takes(&self) -> bool {
        !matches!(self, Answer::Refuse { .. } | Answer::Hang)
    }

    pub(crate) async fn response(&self, to: &Received) -> Response<Body> {
        match self {
            Answer::Accept => success(to, 0),
            Answer::Partial(rejected) => success(to, *rejected),
            Answer::Delay(delay) => {
                tokio::time::sleep(*delay).await;
                success(to, 0)
            }
            Answer::Hang => std::future::pending().await,
            Answer::Cut => head(to).body(Cut(false).boxed_unsync()).unwrap(),
            Answer::Oversized => head(to).body(full(Bytes::from(vec![b' '; 5 << 20]))).unwrap(),
            Answer::Refuse { http, grpc, wait } => match to.is_grpc {
                true => head(to).body(trailers(*grpc, *wait, None)).unwrap(),
                false => {
                    let mut response = Response::builder().status(*http);
                    if let Some(wait) = wait {
                        response = response.header("retry-after", wait.as_secs());
                    }
                    response.body(empty()).unwrap()
                }
            },
        }
    }
}

fn head(to: &Received) -> http::response::Builder {
    let kind = match (to.is_grpc, to.is_json) {
        (true, _) => "application/grpc",
        (false, true) => "application/json",
        (false, false) => "application/x-protobuf",
    };
    Response::builder().header("content-type", kind)
}

fn success(to: &Received, rejected: i64) -> Response<Body> {
    let message = if rejected > 0 { "some are too old" } else { "" }.to_owned();
    let body = match (to.is_json, to.is_logs) {
        (true, _) if rejected == 0 => b"{}".to_vec(),
        (true, logs) => {
            let name = if logs { "rejectedLogRecords" } else { "rejectedDataPoints" };
            format!(r#"{{"partialSuccess":{{"{name}":"{rejected}","errorMessage":"{message}"}}}}"#)
                .into_bytes()
        }
        (false, true) => {
            let partial = ExportLogsPartialSuccess { rejected_log_records: rejected, error_message: message };
            ExportLogsServiceResponse { partial_success: Some(partial) }.encode_to_vec()
        }
        (false, false) => {
            let partial =
                ExportMetricsPartialSuccess { rejected_data_points: rejected, error_message: message };
            ExportMetricsServiceResponse { partial_success: Some(partial) }.encode_to_vec()
        }
    };
    let body = match to.is_grpc {
        true => trailers(0, None, Some(body)),
        false => full(body.into()),
    };
    head(to).body(body).unwrap()
}

pub(crate) fn empty() -> Body {
    full(Bytes::new())
}

fn full(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never: Infallible| match never {}).boxed_unsync()
}

/// A gRPC answer: perhaps a message, and the trailers.
fn trailers(code: i32, wait: Option<Duration>, message: Option<Vec<u8>>) -> Body {
    let mut frames = Vec::new();
    if let Some(message) = message {
        let mut framed = vec![0];
        framed.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
        framed.extend_from_slice(&message);
        frames.push(Ok(Frame::data(Bytes::from(framed))));
    }
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", code.into());
    if let Some(wait) = wait {
        let details = STANDARD_NO_PAD.encode(status(code, wait).encode_to_vec());
        trailers.insert("grpc-status-details-bin", HeaderValue::from_str(&details).unwrap());
    }
    frames.push(Ok(Frame::trailers(trailers)));
    StreamBody::new(futures::stream::iter(frames)).boxed_unsync()
}

/// An answer that breaks off after its first bytes.
struct Cut(bool);

impl http_body::Body for Cut {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(Some(match std::mem::replace(&mut self.0, true) {
            false => Ok(Frame::data(Bytes::from_static(&[0, 0, 0]))),
            true => Err(io::Error::other("cut")),
        }))
    }
}

/// `google.rpc.Status` with a `RetryInfo`.
fn status(code: i32, wait: Duration) -> Status {
    let delay =
        Seconds { seconds: i64::try_from(wait.as_secs()).unwrap(), nanos: wait.subsec_nanos().cast_signed() };
    let info = RetryInfo { delay: Some(delay) }.encode_to_vec();
    let detail = Any { type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(), value: info };
    Status { code, message: String::new(), details: vec![detail] }
}

#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    delay: Option<Seconds>,
}

#[derive(Clone, PartialEq, Message)]
struct Seconds {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}
