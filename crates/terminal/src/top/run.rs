//! `top` from outside: its exporter, and its screen.

use std::io;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use otel_tcpretrans_pipeline::books::Books;
use otel_tcpretrans_pipeline::component::Exporter;
use otel_tcpretrans_pipeline::recent::Recent;
use tokio::sync::watch;

use crate::top::counter::{Counter, Shared};
use crate::top::gather::{Gather, Origin};
use crate::top::kernel::{KernelCount, ReadCounter};
use crate::top::model::{By, Model};
use crate::top::screen::Screen;
use crate::top::signals::Flags;
use crate::top::terminal::{Taken, give_back};
use crate::top::view::Look;

/// How often who waits for the screen looks whether it has ended.
const LOOK: Duration = Duration::from_millis(20);
/// How long the thread of the screen may take to end. It does not end if the terminal takes nothing.
const END: Duration = Duration::from_secs(1);

/// How the screen begins.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The rows that are shown first.
    pub by: By,
    /// The largest number of rows of each kind. What exceeds it is added up in one row.
    pub max_rows: usize,
    /// What the terminal can show.
    pub look: Look,
}

/// What is watched.
pub enum Watched {
    /// The kernel. Its count of this network namespace is compared with that of the records, if there is one: what reads
    /// it, and what it was before the receiver started.
    Kernel(Option<(ReadCounter, u64)>),
    /// A recording: the name of its file.
    Recording(String),
    /// A running agent: its address.
    Agent(String),
}

/// The counts, and what asks them to end. It is made before the receiver starts.
pub struct Top {
    model: Shared,
    flags: Flags,
    options: Options,
    taken: Taken,
}

impl Top {
    /// Counts nothing yet. Segments of the network namespace `own_netns`, an inode, are counted apart, too. From now on
    /// signals are taken note of.
    ///
    /// # Errors
    /// The handlers of the signals can't be installed.
    pub fn new(options: Options, own_netns: Option<u32>) -> io::Result<Top> {
        let model = Arc::new(Mutex::new(Model::new(options.max_rows, own_netns)));
        Ok(Top { model, flags: Flags::install()?, options, taken: Taken::default() })
    }

    /// The exporter of the logs pipeline.
    pub fn exporter(&self) -> Arc<dyn Exporter> {
        Arc::new(Counter(Arc::clone(&self.model)))
    }

    /// Whether the screen has the terminal.
    pub fn taken(&self) -> Taken {
        self.taken.clone()
    }

    /// Waits until a key or a signal asks for the end.
    pub fn ending(&self) -> impl Future<Output = ()> + 'static {
        let flags = self.flags.clone();
        async move {
            while !flags.is_ending() {
                tokio::time::sleep(LOOK).await;
            }
        }
    }

    /// Shows the screen. Call it when the receiver has started.
    ///
    /// # Errors
    /// The kernel's count can't be read, or the thread can't start.
    pub fn show(&self, watched: Watched, books: Books, recent: Recent) -> io::Result<Shown> {
        let (over, is_over) = watch::channel(false);
        let origin = match watched {
            Watched::Kernel(counter) => {
                let begin = |(read, before)| KernelCount::begin(read, before);
                Origin::Kernel(counter.map(begin).transpose()?)
            }
            Watched::Recording(file) => Origin::Recording(file, is_over),
            Watched::Agent(address) => Origin::Agent(address),
        };
        let screen = Screen {
            model: Arc::clone(&self.model),
            gather: Gather { origin, books, recent, started: Instant::now() },
            flags: self.flags.clone(),
            look: self.options.look,
            frozen: None,
        };
        let (by, taken, ends) = (self.options.by, self.taken.clone(), Ends(self.flags.clone()));
        let run = move || {
            let _ends = ends;
            screen.run(by, taken)
        };
        let thread = thread::Builder::new().name("screen".to_owned()).spawn(run)?;
        Ok(Shown { thread, flags: self.flags.clone(), taken: self.taken.clone(), over })
    }
}

/// Asks for the end when the thread of the screen ends, also by an error or a panic.
struct Ends(Flags);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// A screen that is shown.
pub struct Shown {
    thread: JoinHandle<io::Result<()>>,
    flags: Flags,
    taken: Taken,
    over: watch::Sender<bool>,
}

impl Shown {
    /// Tells the person that no more records come, and waits until a key or a signal asks for the end.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn stay(self) -> io::Result<()> {
        self.over.send_replace(true);
        while !self.flags.is_ending() {
            thread::sleep(LOOK);
        }
        self.end()
    }

    /// Ends the screen, and gives the terminal back.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn end(self) -> io::Result<()> {
        self.flags.end();
        let deadline = Instant::now() + END;
        while !self.thread.is_finished() {
            if Instant::now() > deadline {
                give_back(&self.taken);
                return Err(io::Error::other("the terminal takes nothing"));
            }
            thread::sleep(LOOK);
        }
        // A panic has told of itself.
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the screen ended by a panic")))
    }
}
