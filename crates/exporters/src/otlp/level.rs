//! The level of a compression.

use std::ops::RangeInclusive;

use otel_tcpretrans_pipeline::delivery::Compression;
use serde::{Deserialize, Serialize};

/// The level if none is configured: the fastest. Requests repeat much, so that it makes them small, too.
pub(crate) const DEFAULT: u8 = 1;

/// Parameters of the compression (the Collector's `compression_params`, config/confighttp/README.md).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CompressionParams {
    /// From 1, which is the fastest, to 9 for `gzip` and to 11 for `zstd`. Default 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<i64>,
}

impl CompressionParams {
    pub(super) fn is_empty(&self) -> bool {
        *self == CompressionParams::default()
    }
}

/// The level to compress with.
///
/// # Errors
/// The compression does not have the configured level.
pub(super) fn level(compression: Compression, configured: Option<i64>) -> Result<u8, String> {
    let Some(level) = configured else { return Ok(DEFAULT) };
    let Some(levels) = levels(compression) else {
        return Err(
            "there is no compression: set `compression` to gzip or zstd, or leave this out".to_owned()
        );
    };
    u8::try_from(level).ok().filter(|level| levels.contains(level)).ok_or_else(|| {
        let (name, first, last) = (<&str>::from(compression), levels.start(), levels.end());
        format!("expected a level of {name} from {first} to {last}, found {level}")
    })
}

/// The levels that the Collector documents.
fn levels(compression: Compression) -> Option<RangeInclusive<u8>> {
    match compression {
        Compression::None => None,
        Compression::Gzip => Some(1..=9),
        Compression::Zstd => Some(1..=11),
    }
}
