//! What the clients of both protocols have in common.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::settings::Settings;
use crate::{SCOPE_NAME, VERSION};

/// The largest answer that is read, in bytes (OTLP specification: a client should limit what it reads).
pub(super) const RESPONSE_LIMIT: usize = 4 * 1024 * 1024;

/// Idle time after which the kernel probes whether the backend is still there.
pub(super) const TCP_KEEPALIVE: Duration = Duration::from_secs(30);

/// Who sends.
pub(super) fn user_agent() -> String {
    format!("{SCOPE_NAME}/{VERSION}")
}

/// The configured headers, which no log shows. `resolve` has refused what can't be sent.
pub(super) fn headers(settings: &Settings) -> HeaderMap {
    let pairs = settings.headers.iter().filter_map(|(name, value)| {
        let mut value = HeaderValue::from_str(value.reveal()).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, value))
    });
    pairs.collect()
}
