//! How requests may be compressed.

use serde::{Deserialize, Serialize};

/// Compression of requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // the names say it
pub enum Compression {
    None,
    #[default]
    Gzip,
    Zstd,
}
