//! Messages on stderr: the log, by tracing, as text or as JSON lines, and by OTLP, too, on request; and single lines of
//! commands that have no log.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use otel_tcpretrans_exporters::self_telemetry::{LogBridge, is_sent};
use otel_tcpretrans_pipeline::recent::Recent;
use tracing::Subscriber;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::writer::OptionalWriter;
use tracing_subscriber::layer::{Layered, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, reload};

use crate::config::{LogFormat, LogLevel};
use crate::journal;
use crate::recent::Keep;

/// What the crates of the transport log below info is of use only to their developers.
const QUIET: &str = ",h2=info,hyper=info,hyper_util=info,tonic=info,tower=info,rustls=info";
/// These log each failed request as an error. The processor that asks logs a failure once, with its reason.
const SILENT: &str = ",kube_client=off,kube_runtime=off";

/// Changes the level of the log while it runs.
pub(crate) struct Level {
    filter: reload::Handle<EnvFilter, Registry>,
    recent: Recent,
}

impl Level {
    /// Logs messages of this level and above from now on. If `RUST_LOG` is set, it stays in force, since it can say
    /// more than a level.
    ///
    /// # Errors
    /// `RUST_LOG` can't be read.
    pub(crate) fn set(&self, level: LogLevel) -> anyhow::Result<()> {
        Ok(self.filter.reload(filter(level)?)?)
    }

    /// The last warnings and errors.
    pub(crate) fn recent(&self) -> Recent {
        self.recent.clone()
    }
}

/// Starts the log on stderr, and into `otlp`.
///
/// # Errors
/// `RUST_LOG` can't be read.
pub(crate) fn start(level: LogLevel, format: LogFormat, otlp: Option<LogBridge>) -> anyhow::Result<Level> {
    let output = match journal::layer().filter(|_| format == LogFormat::Text) {
        Some(journal) => journal.boxed(),
        // The log has colours on a terminal, unless NO_COLOR is set.
        None => lines(format, io::stderr().is_terminal(), io::stderr),
    };
    let (subscriber, level) = subscriber(filter(level)?, output, otlp);
    subscriber.init();
    Ok(level)
}

/// Starts the log of a command that has a screen. While `is_shown` is true, nothing is written to a terminal, since that
/// would spoil the screen. Warnings and errors are kept.
///
/// # Errors
/// `RUST_LOG` can't be read.
pub(crate) fn start_beside_screen(
    level: LogLevel,
    is_shown: impl Fn() -> bool + Send + Sync + 'static,
) -> anyhow::Result<Level> {
    let is_terminal = io::stderr().is_terminal();
    let out = move || match is_terminal && is_shown() {
        true => OptionalWriter::none(),
        false => OptionalWriter::some(io::stderr()),
    };
    let (subscriber, level) = subscriber(filter(level)?, lines(LogFormat::Text, is_terminal, out), None);
    subscriber.init();
    Ok(level)
}

/// What lets messages through by their level.
type ByLevel = Layered<reload::Layer<EnvFilter, Registry>, Registry>;
/// What writes messages for people.
type Output = Box<dyn Layer<ByLevel> + Send + Sync>;

/// Writes one line per message to `out`. In colours only with `colours`, and not if NO_COLOR is set.
fn lines<W>(format: LogFormat, colours: bool, out: W) -> Output
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // The process goes on if its log can't be written, because the disk is full or the reader has gone. By default the
    // layer would report that on stderr, and panic if this fails too.
    let layer = tracing_subscriber::fmt::layer().with_writer(out).log_internal_errors(false);
    match format {
        LogFormat::Text if colours => layer.boxed(),
        LogFormat::Text => layer.with_ansi(false).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    }
}

/// What writes the log, and what changes its level.
fn subscriber(
    filter: EnvFilter,
    output: Output,
    otlp: Option<LogBridge>,
) -> (impl Subscriber + Send + Sync, Level) {
    let (filter, handle) = reload::Layer::new(filter);
    let otlp = otlp.map(|bridge| bridge.with_filter(filter_fn(|metadata| is_sent(metadata.target()))));
    let recent = Recent::default();
    let subscriber =
        tracing_subscriber::registry().with(filter).with(output).with(otlp).with(Keep(recent.clone()));
    (subscriber, Level { filter: handle, recent })
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
            let output = lines(format, false, Arc::clone(&written));
            let (subscriber, level) = subscriber(EnvFilter::new("info"), output, None);
            tracing::subscriber::with_default(subscriber, || {
                tracing::debug!("one");
                level.filter.reload(EnvFilter::new("debug")).unwrap();
                tracing::debug!("two");
                level.filter.reload(EnvFilter::new("warn")).unwrap();
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
