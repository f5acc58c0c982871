//! Requests, and the trait of encoders, which make them out of batches.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::component::Batch;
use crate::metric::Temporality;

/// Turns batches into requests.
pub trait Encode: Send + Sync + 'static {
    /// The temporality of the metric points in its requests; `None` leaves it to the pipeline.
    fn temporality(&self) -> Option<Temporality> {
        None
    }

    /// Encodes a batch as one request, or as several if a size limit demands it, and compresses each of them.
    fn encode(&self, batch: &Batch) -> Encoded;
}

/// An encoded batch.
#[derive(Clone, Debug, Default)]
pub struct Encoded {
    /// The requests, in the batch's order.
    pub requests: Vec<Request>,
    /// Number of items that were left out because each of them alone is larger than a request may be.
    pub too_large: u64,
}

/// One request. Each attempt sends it as it is. A clone shares the body.
#[derive(Clone, Debug)]
pub struct Request {
    /// The encoded message, compressed as `compression` says.
    pub body: Bytes,
    /// The form of the message.
    pub format: Format,
    /// How `body` is compressed.
    pub compression: Compression,
    /// Number of log records or metric points in it.
    pub items: u64,
}

impl Request {
    /// Size of the body, in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.body.len() as u64
    }
}

/// The form of a message, as the Collector's `encoding` names it. It belongs to the request, since a request that was
/// stored can be sent after the configuration has changed.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    strum::EnumString,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Format {
    /// Binary protobuf.
    #[default]
    Proto,
    /// JSON, as the OTLP specification maps it ("JSON Protobuf Encoding").
    Json,
}

/// Compression of requests.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    strum::EnumString,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Compression {
    /// Not compressed.
    None,
    /// gzip (RFC 1952).
    #[default]
    Gzip,
    /// Zstandard (RFC 8878).
    Zstd,
}
