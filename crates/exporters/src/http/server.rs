//! A server of HTTP/1.1 with bounds: it limits the connections at once, the exchanges per connection (to one), and the
//! time of an exchange. A response without an end may take longer, as long as its client takes something of it.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::debug;

use super::connections::accept_all;

/// How long a client may take to send its request and to read the response, or a part of a response without an end. Its
/// connection is closed then.
const EXCHANGE: Duration = Duration::from_secs(10);

/// The body of a response.
pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Whether the client of a response without an end has taken something of it. The response has it as an extension, and its
/// body notes each part that is taken. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken(Arc<AtomicBool>);

impl Taken {
    /// Notes that a part was taken.
    pub(crate) fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether a part was taken since the last call.
    fn since_last(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

/// Answers each request with the response of `handler` until the sender of `stop` is dropped. Connections that are open
/// then are closed.
///
/// `name` is the server's name in the log.
pub(crate) async fn serve<H>(name: &'static str, listener: TcpListener, handler: H, stop: watch::Receiver<()>)
where
    H: Fn(&Request<Incoming>) -> Response<Body> + Send + Sync + 'static,
{
    let handler = Arc::new(handler);
    accept_all(name, listener, stop, |stream| exchange(name, stream, Arc::clone(&handler))).await;
}

/// Reads one request from a connection and answers it.
async fn exchange<H>(name: &str, stream: TcpStream, handler: Arc<H>)
where
    H: Fn(&Request<Incoming>) -> Response<Body>,
{
    let endless = OnceLock::<Taken>::new();
    let service = service_fn(|request| {
        let response = handler(&request);
        if let Some(taken) = response.extensions().get() {
            endless.get_or_init(|| Taken::clone(taken));
        }
        async { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    loop {
        match timeout(EXCHANGE, &mut connection).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => return debug!(server = name, %error, "a connection failed"),
            Err(_) if endless.get().is_some_and(Taken::since_last) => {}
            Err(_) => return debug!(server = name, "closing a connection: the client took too long"),
        }
    }
}

/// The answer to a request that does not ask for `/metrics`.
pub(crate) fn not_metrics(request: &Request<Incoming>) -> Option<Response<Body>> {
    if request.uri().path() != "/metrics" {
        return Some(text(StatusCode::NOT_FOUND, "not found: metrics are at /metrics\n"));
    }
    only_get(request)
}

/// The answer to a request with another method than GET and HEAD.
pub(crate) fn only_get(request: &Request<Incoming>) -> Option<Response<Body>> {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    Some(response)
}

/// A response with a text.
pub(crate) fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Full::new(body.into()).boxed_unsync());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
