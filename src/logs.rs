//! What the process says on stderr: its log, by tracing, as text or as JSON lines; and lines where there is no log.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

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
    // A log that can't be written, on a full disk or to a reader that is gone, stops nothing: by default the subscriber
    // would say so on stderr too, and panic there.
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).log_internal_errors(false);
    match format {
        LogFormat::Text if io::stderr().is_terminal() => subscriber.init(), // in colours, but for NO_COLOR
        LogFormat::Text => subscriber.with_ansi(false).init(),
        LogFormat::Json => subscriber.json().flatten_event(true).init(),
    }
    Ok(())
}

/// Prints a line on stderr. Where that fails, the exit code has to tell; `eprintln!` would panic.
pub(crate) fn say(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}
