//! Encodes batches as OTLP requests, splits these at a size limit, and compresses them.
//!
//! A request is put together around items that are encoded one by one. So only one item at a time exists as an object,
//! the size is known exactly at each step, and resource and scope are encoded once for all requests.

mod compress;
mod frame;
mod logs;
mod metrics;
mod value;

use otel_tcpretrans_pipeline::clock::unix_nano;
use otel_tcpretrans_pipeline::component::Batch;
use otel_tcpretrans_pipeline::delivery::{Compression, Encode, Encoded};
use otel_tcpretrans_pipeline::metric::Temporality;

use crate::resource::Resource;
use frame::{Envelope, Requests};

/// The largest request, in bytes and before compression: 4 MiB, which most servers take (it is gRPC's default limit of a
/// message), less some room for servers that count headers.
pub const REQUEST_LIMIT: usize = 4 * 1024 * 1024 - 64 * 1024;

/// Encodes batches as OTLP `ExportLogsServiceRequest`s and `ExportMetricsServiceRequest`s.
pub struct Encoder {
    envelope: Envelope,
    limit: usize,
    compression: Compression,
    temporality: Option<Temporality>,
}

impl Encoder {
    /// An encoder for this program's scope and for `resource`. A request takes at most `limit` bytes before
    /// compression: servers limit what they decompress. The exporter wants metric points in `temporality`; `None`
    /// leaves the choice to the pipeline.
    pub fn new(
        resource: &Resource,
        limit: usize,
        compression: Compression,
        temporality: Option<Temporality>,
    ) -> Self {
        Encoder { envelope: Envelope::new(resource), limit, compression, temporality }
    }
}

impl Encode for Encoder {
    fn temporality(&self) -> Option<Temporality> {
        self.temporality
    }

    fn encode(&self, batch: &Batch) -> Encoded {
        let requests = Requests::new(&self.envelope, self.limit, self.compression);
        match batch {
            Batch::Logs(records) => logs::encode(records.iter(), unix_nano(), requests),
            Batch::Metrics(points) => metrics::encode(points.iter(), requests),
        }
    }
}
