//! Whether the parts that must not hang go on: the watchdog of a service manager is fed by this, and health depends on it.
//!
//! A part that works without an end, or waits for something that is there already, hangs. A part that has much to do does
//! not: it shows progress. A part that has nothing to do need not show any.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::time::Instant;

/// How a part looks at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Another number than before if it got something done in between.
    pub progress: u64,
    /// Whether it has something to do, or is doing it.
    pub has_work: bool,
}

/// Looks at a part; `None` while it does not run.
pub type Probe = Box<dyn FnMut() -> Option<Look> + Send>;

/// All parts that must not hang. Clones share them.
#[derive(Clone, Default)]
pub struct Pulses(Arc<Mutex<BTreeMap<String, Part>>>);

struct Part {
    probe: Probe,
    /// Its progress, since a look at which it had work. `None` if it had none at the last look.
    working: Option<(u64, Instant)>,
}

impl Pulses {
    /// Watches a part from now on. It takes the place of an earlier part of that name.
    pub fn watch(&self, name: String, probe: Probe) {
        let part = Part { probe, working: None };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, part);
    }

    /// The names of the parts that hang: those that had work at a look at least `for_so_long` ago, had some at each look
    /// since then, and got nothing done. A call of this is a look, whoever calls it.
    pub fn hanging(&self, for_so_long: Duration) -> Vec<String> {
        let mut parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let hanging = parts
            .iter_mut()
            .filter_map(|(name, part)| (part.hangs_since(now)? >= for_so_long).then(|| name.clone()));
        hanging.collect()
    }
}

impl Part {
    /// Looks at it. For how long it has had work without getting anything done; `None` if that began just now, or not.
    fn hangs_since(&mut self, now: Instant) -> Option<Duration> {
        let look = (self.probe)().filter(|look| look.has_work);
        match (self.working, look) {
            (Some((progress, since)), Some(look)) if progress == look.progress => {
                Some(now.saturating_duration_since(since))
            }
            (_, look) => {
                self.working = look.map(|look| (look.progress, now));
                None
            }
        }
    }
}

/// The pulse of a part that works in turns: an odd number while a turn lasts, the next even one after it.
#[derive(Debug, Default)]
pub struct Turns(AtomicU64);

impl Turns {
    /// Begins a turn, which ends when the result is dropped.
    pub fn begin(&self) -> Turn<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Turn(self)
    }

    /// How the part looks.
    pub fn look(&self) -> Look {
        let number = self.0.load(Ordering::Relaxed);
        Look { progress: number, has_work: number % 2 == 1 }
    }
}

/// A turn that lasts.
#[derive(Debug)]
#[must_use = "the turn ends at once"]
pub struct Turn<'t>(&'t Turns);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Runs a task whose every poll is a turn. Watches it under `name` until it ends. Between two polls it waits for the
/// runtime, which calls it when there is work.
pub(crate) async fn watched<O>(pulses: &Pulses, name: String, work: impl Future<Output = O>) -> O {
    let turns = Arc::new(Turns::default());
    let running: Weak<Turns> = Arc::downgrade(&turns);
    pulses.watch(name, Box::new(move || running.upgrade().map(|turns| turns.look())));
    let mut work = pin!(work);
    poll_fn(|context| {
        let _turn = turns.begin();
        work.as_mut().poll(context)
    })
    .await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::mpsc;
    use std::thread;

    use super::*;

    /// For how long a part hangs at the last of these looks, one second apart.
    fn hangs(looks: &[(u64, bool)]) -> Option<Duration> {
        let (mut rest, begin) = (Vec::from(looks).into_iter(), Instant::now());
        let probe =
            Box::new(move || rest.next().map(|(progress, has_work)| Look { progress, has_work })) as Probe;
        let mut part = Part { probe, working: None };
        let seconds = (0..looks.len() as u64).map(Duration::from_secs);
        seconds.map(|second| part.hangs_since(begin + second)).last().unwrap()
    }

    #[test]
    fn only_a_part_with_work_and_without_progress_hangs() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(hangs(&[(7, true), (7, true)]), seconds(1));
        assert_eq!(hangs(&[(5, true), (7, true), (7, true), (7, true)]), seconds(2));
        assert_eq!(hangs(&[(7, true), (9, true)]), None, "it is busy");
        assert_eq!(hangs(&[(7, false), (7, false)]), None, "it is idle");
        assert_eq!(hangs(&[(7, false), (7, true)]), None, "the work may have come just now");
        assert_eq!(hangs(&[(7, true), (8, false)]), None, "it is done");
    }

    #[tokio::test]
    async fn a_task_hangs_while_a_poll_of_it_does_not_return() {
        let pulses = Pulses::default();
        let (release, released) = mpsc::channel::<()>();
        let (begun, has_begun) = mpsc::channel();
        let (own, (go_on, going_on)) = (pulses.clone(), tokio::sync::oneshot::channel::<()>());
        let task = thread::spawn(move || {
            let work = async move {
                going_on.await.unwrap();
                begun.send(()).unwrap();
                released.recv().unwrap(); // blocks, as no task may
            };
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(watched(&own, "a task".to_owned(), work));
        });
        while pulses.0.lock().unwrap().is_empty() {
            thread::yield_now();
        }
        assert_eq!(pulses.hanging(Duration::ZERO), [""; 0]);
        assert_eq!(pulses.hanging(Duration::ZERO), [""; 0], "it waits, and is not polled");
        go_on.send(()).unwrap();
        has_begun.recv().unwrap();
        assert_eq!(pulses.hanging(Duration::ZERO), [""; 0], "it may have begun just now");
        assert_eq!(pulses.hanging(Duration::ZERO), ["a task"]);
        release.send(()).unwrap();
        task.join().unwrap();
        assert_eq!(pulses.hanging(Duration::ZERO), [""; 0]);
        assert_eq!(pulses.hanging(Duration::ZERO), [""; 0], "it has ended");
    }
}
