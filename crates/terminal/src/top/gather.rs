//! Gathers what the header says, when the screen is drawn.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use otel_tcpretrans_pipeline::books::{Books, Counts};
use otel_tcpretrans_pipeline::recent::Recent;
use tokio::sync::watch;
use tracing::warn;

use crate::top::kernel::KernelCount;
use crate::top::model::Model;
use crate::top::view::{Facts, Source};

/// Where the records come from.
pub(crate) enum Origin {
    /// The kernel, whose count is compared if it can be.
    Kernel(Option<KernelCount>),
    /// A recording: its file, and whether its end was reached.
    Recording(String, watch::Receiver<bool>),
    /// A running agent: its address.
    Agent(String),
}

/// What the header says, beside the sums.
pub(crate) struct Gather {
    pub(crate) origin: Origin,
    pub(crate) books: Books,
    pub(crate) recent: Recent,
    pub(crate) started: Instant,
}

impl Gather {
    /// The second, in the time of the records. After the latest record of a recording, so that its second is whole.
    pub(crate) fn now(&self, model: &Model) -> u64 {
        match &self.origin {
            Origin::Kernel(_) | Origin::Agent(_) => {
                SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
            }
            Origin::Recording(..) => model.span().map_or(0, |(_, newest)| newest + 1),
        }
    }

    /// Whether the end of a recording was reached.
    pub(crate) fn is_over(&self) -> bool {
        matches!(&self.origin, Origin::Recording(_, over) if *over.borrow())
    }

    /// What is true now.
    pub(crate) fn facts(&mut self, model: &Model) -> Facts {
        let now = self.now(model);
        let over = self.is_over();
        let snapshot = self.books.snapshot();
        let unobserved = snapshot.receivers.iter().flat_map(|(_, counts)| &counts.unobserved);
        let (source, elapsed) = match &mut self.origin {
            Origin::Kernel(kernel) => {
                let compare = |kernel: &mut KernelCount| {
                    kernel.compare(model.own_segments(), model.placeless_segments())
                };
                let compared = kernel.as_mut().map(compare).transpose();
                let compared = compared.unwrap_or_else(|error| {
                    warn!("the kernel's count can't be read: {error}");
                    *kernel = None;
                    None
                });
                (Source::Live(compared), self.started.elapsed().as_secs())
            }
            Origin::Recording(file, _) => {
                let elapsed = model.span().map_or(0, |(first, newest)| newest - first);
                (Source::Recording { file: file.clone(), ended: over }, elapsed)
            }
            Origin::Agent(address) => (Source::Agent(address.clone()), self.started.elapsed().as_secs()),
        };
        Facts {
            now,
            source,
            elapsed,
            lost: unobserved.map(|lost| lost.events).sum(),
            dropped: snapshot.ledgers.iter().map(|(_, counts)| Counts::dropped_total(counts)).sum(),
            warning: self.recent.messages().into_iter().next().map(|message| message.text),
        }
    }
}
