//! A gRPC server made by hand: it shows each call as it came over the wire, and answers with the bytes that it is given.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::{BufMut, Bytes};
use futures::stream;
use http::{HeaderMap, HeaderValue, Response};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tonic::Code;

/// A call as it arrived.
pub(crate) struct Call {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What a call is answered with.
pub(crate) struct Reply {
    pub(crate) code: Code,
    /// The name in `grpc-encoding`; the message's flag is set if there is one.
    pub(crate) encoding: Option<&'static str>,
    /// The message, compressed as `encoding` says.
    pub(crate) message: Bytes,
}

impl Reply {
    /// A code with an empty message.
    pub(crate) fn code(code: Code) -> Reply {
        Reply { code, encoding: None, message: Bytes::new() }
    }

    fn into_http(
        self,
    ) -> Response<StreamBody<impl futures::Stream<Item = Result<Frame<Bytes>, Infallible>>>> {
        let mut message = vec![u8::from(self.encoding.is_some())];
        message.put_u32(self.message.len().try_into().expect("a length below 4 GiB"));
        message.put(self.message);
        let trailers =
            HeaderMap::from_iter([("grpc-status".parse().unwrap(), HeaderValue::from(self.code as i32))]);
        let frames = [Frame::data(message.into()), Frame::trailers(trailers)].map(Ok);
        let mut response = Response::builder().header("content-type", "application/grpc");
        if let Some(encoding) = self.encoding {
            response = response.header("grpc-encoding", encoding);
        }
        response.body(StreamBody::new(stream::iter(frames))).expect("a response")
    }
}

/// Serves one connection, with one of `replies` per call: its URL, and the calls.
pub(crate) async fn serve(
    replies: impl IntoIterator<Item = Reply>,
) -> (String, mpsc::UnboundedReceiver<Call>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (seen, calls) = mpsc::unbounded_channel();
    let replies = Arc::new(Mutex::new(replies.into_iter().collect::<Vec<_>>().into_iter()));
    let answer = service_fn(move |request: http::Request<Incoming>| {
        let (seen, replies) = (seen.clone(), Arc::clone(&replies));
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let reply = replies.lock().unwrap().next().expect("no more calls than replies");
            seen.send(Call { headers: head.headers, body }).expect("the test waits for calls");
            Ok::<_, hyper::Error>(reply.into_http())
        }
    });
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), answer).await
    });
    (url, calls)
}
