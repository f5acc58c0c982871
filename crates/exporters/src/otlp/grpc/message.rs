//! A request as gRPC's message on the wire, sent without copying or encoding its body again.

use bytes::Bytes;
use futures::stream;
use http::{HeaderName, HeaderValue};
use http_body_util::StreamBody;
use hyper::body::Frame;
use otel_tcpretrans_pipeline::delivery::{Compression, Request};
use tonic::Status;
use tonic::body::Body;

/// Names the compression of all messages of a call that have the flag ("Message-Encoding" in gRPC's PROTOCOL-HTTP2.md).
const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");

/// A call with `request` as its message, in place of the one that tonic's codec would make.
pub(super) fn with_message(mut call: http::Request<Body>, request: &Request) -> http::Request<Body> {
    if request.compression != Compression::None {
        call.headers_mut().insert(ENCODING, HeaderValue::from_static(request.compression.into()));
    }
    let frames = [prefix(request), request.body.clone()].map(|bytes| Ok::<_, Status>(Frame::data(bytes)));
    call.map(|_| Body::new(StreamBody::new(stream::iter(frames))))
}

/// What goes before a message ("Length-Prefixed-Message" in gRPC's PROTOCOL-HTTP2.md): one byte that says whether it is
/// compressed, and its length in four bytes, big-endian.
fn prefix(request: &Request) -> Bytes {
    let is_compressed = u8::from(request.compression != Compression::None);
    // The encoder's limit is far below 4 GiB.
    let [a, b, c, d] = u32::try_from(request.body.len()).unwrap_or(u32::MAX).to_be_bytes();
    Bytes::copy_from_slice(&[is_compressed, a, b, c, d])
}
