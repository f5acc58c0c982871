//! `report`: what a recording shows, as one page for people.

mod charts;
mod collected;
mod html;
mod markdown;
mod ranking;
mod tables;

use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use otel_tcpretrans_pipeline::books::Ledger;
use otel_tcpretrans_pipeline::component::{Batch, Exporter};
use strum::{EnumString, VariantNames};
use tokio::time::Instant;

use collected::Collected;

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum Format {
    /// A page that needs no other file.
    Html,
    /// Text for a ticket.
    Markdown,
}

/// What the records do not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The name of the recording.
    pub recording: String,
    /// The conditions by which records were chosen, as they were written.
    pub conditions: Vec<String>,
    /// Events that are not in the report, by place and reason, such as `recording/lost`.
    pub lost: Vec<(String, u64)>,
}

/// Collects records. Clones share what is collected.
#[derive(Clone, Default)]
pub struct Report(Arc<Mutex<Collected>>);

/// There is nothing to report.
#[derive(Debug, thiserror::Error)]
#[error("no record to report: {0}")]
pub struct Empty(&'static str);

impl Report {
    /// Writes the report.
    ///
    /// # Errors
    /// Nothing was collected.
    pub fn write(&self, format: Format, about: &About) -> Result<String, Empty> {
        let collected = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if collected.is_empty() {
            return Err(Empty(match about.conditions.is_empty() {
                true => "the recording has none",
                false => "none matches the conditions",
            }));
        }
        Ok(match format {
            Format::Html => html::page(&collected, about),
            Format::Markdown => markdown::text(&collected, about),
        })
    }
}

impl Exporter for Report {
    fn export(&self, batch: Batch, ledger: Ledger) -> BoxFuture<'_, ()> {
        if let Batch::Logs(records) = &batch {
            let mut collected = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            records.iter().for_each(|record| collected.add(record));
        }
        ledger.deliver(batch.len() as u64, 0);
        Box::pin(async {})
    }

    fn shutdown(&self, _deadline: Instant) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

#[cfg(test)]
mod tests;
