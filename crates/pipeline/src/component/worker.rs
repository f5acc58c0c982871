//! The thread of a receiver that has async work and nothing to do with the pipelines' runtime.

use std::io;
use std::thread::{self, JoinHandle};

use tokio::runtime::Runtime;
use tokio::sync::watch;
use tracing::error;

/// A thread with a runtime of its own. When this is dropped, the thread is asked to end, and waited for.
#[derive(Debug)]
pub struct Worker {
    /// `None` while it is dropped.
    running: Option<(JoinHandle<()>, watch::Sender<()>)>,
}

impl Worker {
    /// Starts a thread of this name, which runs the work until that ends. The work gets a watch whose sender is gone when it
    /// is to end.
    ///
    /// # Errors
    /// The thread can't be started.
    pub fn start<F: Future<Output = ()>>(
        name: &str,
        runtime: Runtime,
        work: impl FnOnce(watch::Receiver<()>) -> F + Send + 'static,
    ) -> io::Result<Worker> {
        let (stop, stopped) = watch::channel(());
        let work = move || runtime.block_on(work(stopped));
        let thread = thread::Builder::new().name(name.to_owned()).spawn(work)?;
        Ok(Worker { running: Some((thread, stop)) })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let Some((thread, stop)) = self.running.take() else { return };
        let name = thread.thread().name().unwrap_or_default().to_owned();
        drop(stop);
        if thread.join().is_err() {
            error!("the thread {name} panicked");
        }
    }
}
