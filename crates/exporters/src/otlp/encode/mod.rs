//! Batches -> OTLP requests, split to a size limit.
//!
//! The messages are put together around items that are encoded one by one, so that no more than one of them is ever
//! held as an object, the size is known exactly at each step, and resource and scope are encoded once.

mod frame;
mod logs;
mod metrics;
mod value;

use std::time::SystemTime;

use otel_tcpretrans_pipeline::component::Batch;
use otel_tcpretrans_pipeline::delivery::{Encode, Encoded};

use crate::resource::Resource;
use frame::Envelope;

/// How large a request may be before compression, in bytes: what most servers take (gRPC's default of 4 MiB) less some
/// room for those that count headers.
pub const REQUEST_LIMIT: usize = 4 * 1024 * 1024 - 64 * 1024;

/// Encodes batches as OTLP `Export…ServiceRequest`s.
pub struct Encoder {
    envelope: Envelope,
    limit: usize,
}

impl Encoder {
    /// An encoder for what `resource` says in this program's scope; requests take `limit` bytes at most.
    pub fn new(resource: &Resource, limit: usize) -> Self {
        Encoder { envelope: Envelope::new(resource), limit }
    }
}

impl Encode for Encoder {
    fn encode(&self, batch: &Batch) -> Encoded {
        match batch {
            Batch::Logs(records) => logs::encode(records, now(), &self.envelope, self.limit),
            Batch::Metrics(points) => metrics::encode(points, &self.envelope, self.limit),
        }
    }
}

/// ns since the Unix epoch; 0, OTLP's "unknown", before it.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or_default()
}
