//! Accepts connections, a bounded number at once.

use std::collections::VecDeque;
use std::time::Duration;

use otel_tcpretrans_pipeline::say_once::SayOnce;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet, yield_now};
use tokio::time::sleep;
use tracing::{debug, info, warn};

/// Connections at once. The oldest is closed for a new one. So no number of clients that send nothing, send slowly or do
/// not read can keep another client waiting: it is the newest when it comes, and has its answer within milliseconds.
const CONNECTIONS: usize = 128;
/// Pause after a connection could not be accepted. The usual cause is that the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Runs `serve` on each connection, until the sender of `stop` is dropped. Connections that are open then are closed.
///
/// `name` is the server's name in the log.
pub(crate) async fn accept_all<F>(
    name: &str,
    listener: TcpListener,
    mut stop: watch::Receiver<()>,
    serve: impl Fn(TcpStream) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    let outage = SayOnce::default();
    // In the order in which they came.
    let mut open: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        tokio::select! {
            biased;
            _ = stop.changed() => return,
            Some(ended) = connections.join_next_with_id() => {
                let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
                open.retain(|connection| connection.id() != id);
            }
            stream = accept(name, &listener, &outage) => {
                if open.len() >= CONNECTIONS && let Some(oldest) = open.pop_front() {
                    debug!(server = name, "too many connections: closing the oldest");
                    oldest.abort();
                }
                open.push_back(connections.spawn(serve(stream)));
                // In a flood there is always another one. What is accepted must have its turn before it becomes the oldest,
                // and so must the pipelines.
                yield_now().await;
            }
        }
    }
}

/// Waits for the next connection. Cancel-safe.
async fn accept(name: &str, listener: &TcpListener, outage: &SayOnce) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Some(times) = outage.end() {
                    info!(server = name, times, "connections are accepted again");
                }
                return stream;
            }
            Err(error) => {
                if outage.begin() {
                    warn!(server = name, %error, "can't accept a connection; trying again every second");
                }
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
