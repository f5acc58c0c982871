//! Encodes batches as OTLP requests, splits these at a size limit, and compresses them.
//!
//! Items are written straight into the buffer that is sent or compressed, without objects or texts in between. What is
//! the same in many items, such as the names of attributes, the resource and the scope, is encoded once at the start.

mod attribute;
mod body;
mod compress;
mod frame;
mod json;
mod logs;
mod metrics;
mod requests;
mod wire;

use otel_tcpretrans_pipeline::clock::unix_nano;
use otel_tcpretrans_pipeline::component::Batch;
use otel_tcpretrans_pipeline::delivery::{Compression, Encode, Encoded};
use otel_tcpretrans_pipeline::metric::Temporality;

use super::protocol::Format;
use crate::resource::Resource;
use body::Spare;
use compress::Compressor;
use frame::Envelope;
use json::Translate;
use logs::LogEncoder;
use requests::{Last, Requests};

/// The largest request, in bytes and before compression: 4 MiB, which most servers take (it is gRPC's default limit of a
/// message), less some room for servers that count headers.
pub const REQUEST_LIMIT: usize = 4 * 1024 * 1024 - 64 * 1024;

/// How an [`Encoder`] encodes.
#[derive(Clone, Debug)]
pub struct Encoding {
    /// The largest request, in bytes and before compression, since servers limit what they decompress.
    pub limit: usize,
    /// The form of requests.
    pub format: Format,
    /// Compression of requests.
    pub compression: Compression,
    /// Level of the compression, as [`Settings`](super::Settings) has it.
    pub level: u8,
    /// The temporality in which the exporter wants metric points; `None` leaves the choice to the pipeline.
    pub temporality: Option<Temporality>,
    /// Whether a log record has a readable line as its body.
    pub body: bool,
}

/// The defaults of the `otlp` exporter, without compression.
impl Default for Encoding {
    fn default() -> Self {
        Encoding {
            limit: REQUEST_LIMIT,
            format: Format::Proto,
            compression: Compression::None,
            level: 1,
            temporality: None,
            body: true,
        }
    }
}

/// Encodes batches as OTLP `ExportLogsServiceRequest`s and `ExportMetricsServiceRequest`s.
pub struct Encoder {
    envelope: Envelope,
    logs: LogEncoder,
    compressor: Compressor,
    limit: usize,
    format: Format,
    temporality: Option<Temporality>,
    spare: Spare,
}

impl Encoder {
    /// An encoder for this program's scope and for `resource`.
    pub fn new(resource: &Resource, encoding: &Encoding) -> Self {
        let Encoding { limit, format, compression, level, temporality, body } = *encoding;
        Encoder {
            envelope: Envelope::new(resource),
            logs: LogEncoder::new(body),
            compressor: Compressor::new(compression, level),
            limit,
            format,
            temporality,
            spare: Spare::default(),
        }
    }

    /// What makes the form of requests out of protobuf.
    fn translation(&self, batch: &Batch) -> Option<Translate> {
        match (self.format, batch) {
            (Format::Proto, _) => None,
            (Format::Json, Batch::Logs(_)) => Some(json::logs),
            (Format::Json, Batch::Metrics(_)) => Some(json::metrics),
        }
    }
}

impl Encode for Encoder {
    fn temporality(&self) -> Option<Temporality> {
        self.temporality
    }

    fn encode(&self, batch: &Batch) -> Encoded {
        let last = Last { translate: self.translation(batch), compressor: &self.compressor };
        let mut requests = Requests::new(&self.envelope, last, self.limit, batch.len(), &self.spare);
        match batch {
            Batch::Logs(records) => self.logs.encode(records.iter(), unix_nano(), &mut requests),
            Batch::Metrics(points) => metrics::encode(points.iter(), &mut requests),
        }
        requests.finish()
    }
}
