//! `trace`: one line per record on the standard output, as they come.

mod columns;
mod compared;
mod kernel;
mod output;
mod row;
mod settings;
mod tally;

use std::fs::File;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use otel_tcpretrans_pipeline::blocking;
use otel_tcpretrans_pipeline::books::{DropReason, Ledger};
use otel_tcpretrans_pipeline::component::{Batch, Exporter};
use otel_tcpretrans_pipeline::record::Record;
use tokio::sync::watch;
use tokio::time::Instant;

use compared::Compared;
pub use kernel::Kernel;
use output::{Output, is_gone};
use row::Rows;
pub use settings::{By, Settings};
pub use tally::Sums;
use tally::Tally;

/// Shows records. It has no queue: a batch is delivered when it is written. Clones share it.
#[derive(Clone)]
pub struct Trace(Arc<Shown>);

struct Shown {
    settings: Settings,
    kernel: Option<Kernel>,
    /// For the watch of its reader. The output has a copy.
    file: File,
    /// Locked while a batch is written, which may take for ever.
    output: Mutex<Output>,
    tally: Mutex<Tally>,
    end: watch::Sender<Option<End>>,
}

/// Why nothing more is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    /// All lines that were asked for are there.
    Counted,
    /// Nobody reads any more.
    Closed,
    /// The output can't be written.
    Failed(String),
}

/// The standard output can't be written.
#[derive(Debug, thiserror::Error)]
#[error("can't write to the standard output: {0}")]
pub struct OutputError(String);

impl Trace {
    /// Shows records on `file`. `kernel` is the count to compare with; a recording has none.
    ///
    /// # Errors
    /// There can be no second handle of the file.
    pub fn new(settings: Settings, file: File, kernel: Option<Kernel>) -> io::Result<Trace> {
        let rows = (!settings.json).then(|| Rows::new(settings.colours));
        Ok(Trace(Arc::new(Shown {
            settings,
            kernel,
            output: Mutex::new(Output::new(file.try_clone()?, rows)),
            file,
            tally: Mutex::new(Tally::new(settings.summary)),
            end: watch::channel(None).0,
        })))
    }

    /// The receiver has started: shows the heading, if no line came before.
    pub fn begin(&self) {
        if let Some(kernel) = &self.0.kernel {
            kernel.begin();
        }
        // Somebody else who has it writes the heading, and may take for ever.
        if let Ok(mut output) = self.0.output.try_lock() {
            self.0.note(output.lines([].into_iter()));
        }
    }

    /// Waits until nothing more is to be shown. Returns the reason, for the log.
    pub async fn ended(&self) -> &'static str {
        let mut end = self.0.end.subscribe();
        let gone = async {
            match self.0.file.try_clone() {
                Ok(file) => is_gone(file).await,
                Err(_) => std::future::pending().await, // a write will show it
            }
        };
        tokio::select! {
            _ = end.wait_for(Option::is_some) => {}
            () = gone => self.0.end_by(End::Closed),
        }
        match self.0.end() {
            Some(End::Counted) => "all lines that were asked for are shown",
            Some(End::Failed(_)) => "the output can't be written",
            Some(End::Closed) | None => "nobody reads the output",
        }
    }

    /// Shows the summary, once everything has stopped. `dropped` is the number of records that were not shown, because the
    /// output was too slow. Returns what was shown; `None` if nobody reads any more.
    ///
    /// # Errors
    /// The output could not be written.
    pub fn finish(&self, dropped: u64) -> Result<Option<Sums>, OutputError> {
        let shown = &self.0;
        if let (Some(summary), None | Some(End::Counted)) = (shown.summary(dropped), shown.end()) {
            // A write that hangs has the lock. Nobody would read the summary then.
            if let Ok(mut output) = shown.output.try_lock() {
                shown.note(output.text(&summary));
            }
        }
        match shown.end() {
            Some(End::Closed) => Ok(None),
            Some(End::Failed(error)) => Err(OutputError(error)),
            Some(End::Counted) | None => Ok(Some(shown.tally().all())),
        }
    }
}

impl Shown {
    fn show(&self, batch: &Batch, ledger: &Ledger) {
        let Batch::Logs(records) = batch else { return }; // the runner has a logs pipeline
        // Of several batches the one that has the output is counted before the next one.
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        if self.end().is_none() {
            let room = self.settings.count.map_or(u64::MAX, |count| count - self.tally().all().lines);
            let room = usize::try_from(room).unwrap_or(usize::MAX);
            self.count(records.iter().take(room));
            self.note(output.lines(records.iter().take(room)));
            if room <= records.len() {
                self.end_by(End::Counted);
            }
        }
        match self.end() {
            None | Some(End::Counted) => ledger.deliver(batch.len() as u64, 0),
            Some(End::Closed | End::Failed(_)) => {
                ledger.drop_items(batch.len() as u64, DropReason::PermanentError);
            }
        }
    }

    fn count<'r>(&self, records: impl Iterator<Item = &'r Record>) {
        let here = self.kernel.as_ref().and_then(Kernel::netns_inode);
        let mut tally = self.tally();
        records.for_each(|record| tally.add(record, here));
    }

    /// Takes note of a write that failed.
    fn note(&self, written: io::Result<()>) {
        match written {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::BrokenPipe => self.end_by(End::Closed),
            Err(error) => self.end_by(End::Failed(error.to_string())),
        }
    }

    /// The first reason stays.
    fn end_by(&self, reason: End) {
        self.end.send_if_modified(|end| {
            let is_first = end.is_none();
            end.get_or_insert(reason);
            is_first
        });
    }

    fn end(&self) -> Option<End> {
        self.end.borrow().clone()
    }

    /// The table, and below it the kernel's count; `None` if none is asked for.
    fn summary(&self, dropped: u64) -> Option<Vec<u8>> {
        self.settings.summary?;
        let tally = self.tally();
        let mut summary = tally.table();
        if let Some(kernel) = &self.kernel {
            let left_out = match (self.end(), self.settings.left_out) {
                (Some(End::Counted), _) => Some("It also counts what --count leaves out.".to_owned()),
                (_, Some(left_out)) => Some(left_out.to_owned()),
                _ if dropped > 0 => Some(format!("It also counts the {dropped} lines that were not shown.")),
                _ => None,
            };
            let compared = Compared { shown: tally.segments_here(), kernel: kernel.grown(), left_out };
            summary.extend_from_slice(compared.sentence().as_bytes());
            summary.push(b'\n');
        }
        Some(summary)
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Exporter for Trace {
    fn export(&self, batch: Batch, ledger: Ledger) -> BoxFuture<'_, ()> {
        let shown = Arc::clone(&self.0);
        Box::pin(blocking::write(batch, ledger, move |batch, ledger| shown.show(batch, ledger)))
    }

    /// The receivers have stopped just now.
    fn begin_shutdown(&self, _deadline: Instant) {
        if let Some(kernel) = &self.0.kernel {
            kernel.end();
        }
    }

    fn shutdown(&self, _deadline: Instant) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

#[cfg(test)]
mod tests;
