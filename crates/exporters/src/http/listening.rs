//! A server of an extension: it listens from its start until it is stopped.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tracing::info;

/// A server that runs. If this is dropped, it stops, too.
pub(crate) struct Listening {
    task: JoinHandle<()>,
    stop: watch::Sender<()>,
}

impl Listening {
    /// Listens at `endpoint`, which a configuration has at `place`, and runs `serve` until its watch ends.
    ///
    /// # Errors
    /// The endpoint can't be listened on.
    pub(crate) async fn start<F>(
        place: &str,
        endpoint: &str,
        serve: impl FnOnce(TcpListener, watch::Receiver<()>) -> F,
    ) -> Result<Listening, ListenError>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let bind = async {
            let listener = TcpListener::bind(endpoint).await?;
            Ok::<(SocketAddr, TcpListener), io::Error>((listener.local_addr()?, listener))
        };
        let (address, listener) = bind.await.map_err(|source| ListenError {
            place: place.to_owned(),
            endpoint: endpoint.to_owned(),
            source,
        })?;
        let (stop, stopped) = watch::channel(());
        let task = tokio::spawn(serve(listener, stopped));
        info!(extension = place, %address, "listening");
        Ok(Listening { task, stop })
    }

    /// Stops it, by `deadline` at the latest.
    pub(crate) async fn stop(self, deadline: Instant) {
        let Listening { mut task, stop } = self;
        drop(stop);
        if timeout_at(deadline, &mut task).await.is_err() {
            task.abort();
        }
    }
}

/// An endpoint can't be listened on.
#[derive(Debug, thiserror::Error)]
#[error("{place}: can't listen on {endpoint}: {source}")]
pub(crate) struct ListenError {
    place: String,
    endpoint: String,
    source: io::Error,
}
