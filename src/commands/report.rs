//! `report`: what a recording shows, as a page or as text on the standard output.

use std::io::{self, IsTerminal};
use std::sync::Arc;

use otel_tcpretrans_pipeline::books::Snapshot;
use otel_tcpretrans_pipeline::component::Host;
use otel_tcpretrans_source::replay;
use otel_tcpretrans_terminal::report::{About, Format, Report};

use super::watching::{Source, Watching, watch};
use crate::cli::ReportArgs;
use crate::components::ReceiverConfig;
use crate::config::{LogFormat, LogLevel};
use crate::logs;
use crate::service;

pub(crate) fn run(args: &ReportArgs) -> anyhow::Result<()> {
    if args.format == Format::Html && io::stdout().is_terminal() {
        anyhow::bail!("a page on a terminal helps nobody: add > report.html, or use --format markdown");
    }
    let log = logs::start(LogLevel::Warn, LogFormat::Text, None)?;
    let report = Report::default();
    let host = Host::default();
    let books = host.books.clone();
    let recording = replay::Config { file: args.recording.clone(), ..replay::Config::default() };
    let watching = Watching {
        receiver: Source::Receiver(ReceiverConfig::Replay(recording)),
        conditions: args.conditions.clone(),
        processors: Vec::new(),
        exporter: ("report", Arc::new(report.clone())),
        log: (log, LogLevel::Warn),
        host,
    };
    watch(watching, || service::after(None), || Ok(()))?;
    let about = About {
        recording: args.recording.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        conditions: args.conditions.iter().map(ToString::to_string).collect(),
        lost: lost(&books.snapshot()),
    };
    super::print(report.write(args.format, &about)?.as_bytes())
}

/// What the recording or its replay lost, by place and reason.
fn lost(books: &Snapshot) -> Vec<(String, u64)> {
    let lost = books.receivers.iter().flat_map(|(_, counts)| &counts.unobserved);
    let lost = lost.filter(|lost| lost.events > 0);
    lost.map(|lost| (format!("{}/{}", lost.place, lost.reason), lost.events)).collect()
}
