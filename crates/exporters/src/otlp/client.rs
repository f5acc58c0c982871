//! What the clients of both protocols have in common.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use otel_tcpretrans_pipeline::config::Problem;
use otel_tcpretrans_pipeline::rotating::Rotating;

use super::settings::Settings;
use crate::secret::Secret;
use crate::{SCOPE_NAME, VERSION};

/// The largest answer that is read, in bytes (OTLP specification: a client should limit what it reads).
pub(super) const RESPONSE_LIMIT: usize = 4 * 1024 * 1024;

/// Idle time after which the kernel probes whether the backend is still there.
pub(super) const TCP_KEEPALIVE: Duration = Duration::from_secs(30);

/// Who sends.
pub(super) fn user_agent() -> String {
    format!("{SCOPE_NAME}/{VERSION}")
}

/// The configured headers, which no log shows.
///
/// # Errors
/// A file that holds a part of one can't be read, or its content can't be sent.
pub(super) fn headers(settings: &Settings) -> Result<HeaderMap, Vec<Problem>> {
    let pairs = settings.headers.iter().map(|(name, value)| {
        let unfit =
            |error: &dyn fmt::Display| vec![Problem::at(format!("headers.{name}"), error.to_string())];
        let value = value.reveal().map_err(|error| unfit(&error))?;
        let mut value = HeaderValue::from_str(&value).map_err(|error| unfit(&error))?;
        value.set_sensitive(true);
        Ok((HeaderName::from_bytes(name.as_bytes()).map_err(|error| unfit(&error))?, value))
    });
    pairs.collect()
}

/// The headers, read again when a file that holds a part of one is replaced.
///
/// # Errors
/// As [`headers`].
pub(super) fn rotating_headers(settings: &Settings) -> Result<Rotating<HeaderMap>, Vec<Problem>> {
    let own = settings.clone();
    let files = settings.headers.values().flat_map(Secret::files).map(Path::to_owned).collect();
    Rotating::new(files, move || headers(&own))
}
