//! The process's own log: tracing to stderr, as text or as JSON lines.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, LogLevel};

/// What the transport's own crates say below info is for who works on them.
const QUIET: &str = ",h2=info,hyper=info,hyper_util=info,tonic=info,tower=info,rustls=info";

/// Starts logging. `RUST_LOG` says more than a level can, and wins.
///
/// # Errors
/// `RUST_LOG` can't be read.
pub(crate) fn start(level: LogLevel, format: LogFormat) -> anyhow::Result<()> {
    let word: &str = level.into();
    let filter = match std::env::var(EnvFilter::DEFAULT_ENV) {
        Ok(directives) if !directives.is_empty() => EnvFilter::try_new(directives)
            .map_err(|error| anyhow::anyhow!("{}: {error}", EnvFilter::DEFAULT_ENV))?,
        _ if matches!(level, LogLevel::Debug | LogLevel::Trace) => EnvFilter::new(format!("{word}{QUIET}")),
        _ => EnvFilter::new(word),
    };
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match format {
        LogFormat::Text => subscriber.with_ansi(io::stderr().is_terminal()).init(),
        LogFormat::Json => subscriber.json().flatten_event(true).init(),
    }
    Ok(())
}
