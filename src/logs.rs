//! Messages on stderr: the log, by tracing, as text or as JSON lines; and single lines of commands that have no log.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use tracing::Subscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, reload};

use crate::config::{LogFormat, LogLevel};
use crate::journal;

/// What the crates of the transport log below info is of use only to their developers.
const QUIET: &str = ",h2=info,hyper=info,hyper_util=info,tonic=info,tower=info,rustls=info";
/// These log each failed request as an error. The processor that asks logs a failure once, with its reason.
const SILENT: &str = ",kube_client=off,kube_runtime=off";

/// Changes the level of the log while it runs.
pub(crate) struct Level(reload::Handle<EnvFilter, Registry>);

impl Level {
    /// Logs messages of this level and above from now on. If `RUST_LOG` is set, it stays in force, since it can say
    /// more than a level.
    ///
    /// # Errors
    /// `RUST_LOG` can't be read.
    pub(crate) fn set(&self, level: LogLevel) -> anyhow::Result<()> {
        Ok(self.0.reload(filter(level)?)?)
    }
}

/// Starts the log.
///
/// # Errors
/// `RUST_LOG` can't be read.
pub(crate) fn start(level: LogLevel, format: LogFormat) -> anyhow::Result<Level> {
    if let Some(journal) = journal::layer().filter(|_| format == LogFormat::Text) {
        let (filter, handle) = reload::Layer::new(filter(level)?);
        tracing_subscriber::registry().with(filter).with(journal).init();
        return Ok(Level(handle));
    }
    // The log has colours on a terminal, unless NO_COLOR is set.
    let (subscriber, level) = subscriber(filter(level)?, format, io::stderr().is_terminal(), io::stderr);
    subscriber.init();
    Ok(level)
}

/// What writes the log to `out`, and what changes its level. In colours only with `colours`, and not if NO_COLOR is set.
fn subscriber<W>(
    filter: EnvFilter,
    format: LogFormat,
    colours: bool,
    out: W,
) -> (impl Subscriber + Send + Sync, Level)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let (filter, handle) = reload::Layer::new(filter);
    // The process goes on if its log can't be written, because the disk is full or the reader has gone. By default the
    // layer would report that on stderr, and panic if this fails too.
    let layer = tracing_subscriber::fmt::layer().with_writer(out).log_internal_errors(false);
    let layer = match format {
        LogFormat::Text if colours => layer.boxed(),
        LogFormat::Text => layer.with_ansi(false).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    };
    (tracing_subscriber::registry().with(filter).with(layer), Level(handle))
}

fn filter(level: LogLevel) -> anyhow::Result<EnvFilter> {
    let word: &str = level.into();
    Ok(match std::env::var(EnvFilter::DEFAULT_ENV) {
        Ok(directives) if !directives.is_empty() => EnvFilter::try_new(directives)
            .map_err(|error| anyhow::anyhow!("{}: {error}", EnvFilter::DEFAULT_ENV))?,
        _ if matches!(level, LogLevel::Debug | LogLevel::Trace) => {
            EnvFilter::new(format!("{word}{QUIET}{SILENT}"))
        }
        _ => EnvFilter::new(format!("{word}{SILENT}")),
    })
}

/// Prints a line on stderr. A failure to print is ignored, since the exit code still tells the outcome. `eprintln!`
/// would panic.
pub(crate) fn say(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    //! The level changes while the log is written.

    use std::io::{Read, Seek};
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_changed_level_holds_for_what_is_logged_afterwards() {
        for format in [LogFormat::Text, LogFormat::Json] {
            let written = Arc::new(tempfile::tempfile().unwrap());
            let (subscriber, level) = subscriber(EnvFilter::new("info"), format, false, Arc::clone(&written));
            tracing::subscriber::with_default(subscriber, || {
                tracing::debug!("one");
                level.0.reload(EnvFilter::new("debug")).unwrap();
                tracing::debug!("two");
                level.0.reload(EnvFilter::new("warn")).unwrap();
                tracing::info!("three");
                tracing::warn!("four");
            });
            let (mut file, mut text) = (written.as_ref(), String::new());
            file.rewind().unwrap();
            file.read_to_string(&mut text).unwrap();
            let shown = ["one", "two", "three", "four"].map(|word| text.contains(word));
            assert_eq!(shown, [false, true, false, true], "{text}");
        }
    }
}
