//! Where receivers start that need privileges.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::{fmt, io};

use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

type Job = Box<dyn FnOnce() + Send>;

/// Starts receivers that need privileges. That may be a thread which has kept those of the process: what a thread starts
/// inherits its privileges, and all other threads of the process may have none. Clones share the thread.
///
/// The default has no such thread: then the privileges are those of the caller.
#[derive(Clone, Default)]
pub struct Starter(Arc<Mutex<Option<Privileged>>>);

struct Privileged {
    jobs: mpsc::Sender<Job>,
    thread: JoinHandle<()>,
}

impl fmt::Debug for Starter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Starter")
    }
}

impl Starter {
    /// Starts the thread. It has the privileges that the calling thread has now.
    ///
    /// # Errors
    /// The thread can't be started.
    pub fn privileged() -> io::Result<Starter> {
        let (jobs, todo) = mpsc::channel::<Job>();
        let thread = thread::Builder::new().name("starter".to_owned()).spawn(move || {
            // A job that panics drops the sender of its result, by which its caller knows.
            todo.iter().for_each(|job| drop(catch_unwind(AssertUnwindSafe(job))));
        })?;
        Ok(Starter(Arc::new(Mutex::new(Some(Privileged { jobs, thread })))))
    }

    /// Runs a job on the thread, or on one of the runtime's if there is none. `None` if it panics.
    pub(crate) async fn run<O: Send + 'static>(&self, job: impl FnOnce() -> O + Send + 'static) -> Option<O> {
        let (result, done) = oneshot::channel();
        if let Err(job) = self.hand_over(Box::new(move || drop(result.send(job())))) {
            drop(spawn_blocking(job));
        }
        done.await.ok()
    }

    /// Hands a job to the thread, or back if there is none.
    fn hand_over(&self, job: Job) -> Result<(), Job> {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(Privileged { jobs, .. }) => jobs.send(job).map_err(|refused| refused.0),
            None => Err(job),
        }
    }

    /// Ends the thread. What starts later has the privileges of the caller.
    pub fn end(&self) {
        let privileged = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Privileged { jobs, thread }) = privileged {
            drop(jobs);
            let _ = thread.join(); // it does not panic
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;

    #[tokio::test]
    async fn jobs_run_on_the_thread_until_it_ends() {
        let name = || thread::current().name().map(str::to_owned);
        let starter = Starter::privileged().unwrap();
        assert_eq!(starter.run(name).await.unwrap().as_deref(), Some("starter"));
        starter.end();
        assert_ne!(starter.run(name).await.unwrap().as_deref(), Some("starter"));
        assert_ne!(Starter::default().run(name).await.unwrap().as_deref(), Some("starter"));
    }

    #[tokio::test]
    async fn a_panic_is_no_result() {
        let starter = Starter::privileged().unwrap();
        assert_eq!(starter.run(|| panic!("as a bug would")).await, None::<()>);
        assert_eq!(starter.run(|| 1).await, Some(1));
    }
}
