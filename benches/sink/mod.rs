//! A backend for OTLP over gRPC that takes every request and reads none. It counts the bytes that arrive.
//!
//! It costs little, since it decodes nothing: a body is read and dropped, and the answer is always the same.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use h2::RecvStream;
use h2::server::SendResponse;
use http::{HeaderMap, HeaderValue, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_local;
use tokio_util::io::InspectReader;

/// How much a client may send before it has to wait for the sink: grpc-go's own servers let it grow to some MiB.
const WINDOW: u32 = 1 << 20;
/// A gRPC message of no bytes: an `ExportLogsServiceResponse` or `ExportMetricsServiceResponse` without a problem.
const SUCCESS: Bytes = Bytes::from_static(&[0; 5]);

/// What arrived.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Received {
    /// Requests that were answered.
    pub requests: u64,
    /// Bytes of their bodies: what is encoded, compressed, and framed by gRPC.
    pub bodies: u64,
    /// Bytes that came out of the sockets, HTTP/2's own among them.
    pub on_the_wire: u64,
}

/// Shared by the tasks of a sink, which are all on one thread.
pub type Totals = Rc<RefCell<Received>>;

/// Serves connections until the future is dropped. Each answer is held back for `hold`. Has to run in a
/// [`tokio::task::LocalSet`].
pub async fn serve(listener: TcpListener, hold: Duration, totals: Totals) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        // A client that goes away without a word is no error: agents are killed in the middle of a request.
        spawn_local(connection(stream, hold, Rc::clone(&totals)));
    }
}

async fn connection(stream: TcpStream, hold: Duration, totals: Totals) -> Result<(), h2::Error> {
    let counter = Rc::clone(&totals);
    let stream = InspectReader::new(stream, move |bytes| {
        counter.borrow_mut().on_the_wire += bytes.len() as u64;
    });
    let mut builder = h2::server::Builder::new();
    builder.initial_window_size(WINDOW).initial_connection_window_size(WINDOW);
    let mut connection = builder.handshake::<_, Bytes>(stream).await?;
    while let Some(request) = connection.accept().await {
        let (request, respond) = request?;
        spawn_local(answer(request.into_body(), respond, hold, Rc::clone(&totals)));
    }
    Ok(())
}

async fn answer(
    mut body: RecvStream,
    mut respond: SendResponse<Bytes>,
    hold: Duration,
    totals: Totals,
) -> Result<(), h2::Error> {
    while let Some(data) = body.data().await {
        let length = data?.len();
        body.flow_control().release_capacity(length)?;
        totals.borrow_mut().bodies += length as u64;
    }
    totals.borrow_mut().requests += 1;
    if !hold.is_zero() {
        tokio::time::sleep(hold).await;
    }
    let mut head = Response::new(());
    head.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    let mut stream = respond.send_response(head, false)?;
    stream.send_data(SUCCESS, false)?;
    let status = ("grpc-status".parse().expect("a header's name"), HeaderValue::from_static("0"));
    stream.send_trailers(HeaderMap::from_iter([status]))
}
