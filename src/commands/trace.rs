//! `trace`: shows each retransmission as a line, as it comes.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;

use otel_tcpretrans_pipeline::books::{Counts, Snapshot};
use otel_tcpretrans_pipeline::component::Host;
use otel_tcpretrans_source::config::Scope;
use otel_tcpretrans_source::tcp_stats::OwnNamespace;
use otel_tcpretrans_terminal::trace::{Kernel, Settings, Sums, Trace};

use super::watching::{Source, Watching, watch};
use crate::balance::reasons;
use crate::cli::{Shown, TraceArgs};
use crate::config::{LogFormat, LogLevel};
use crate::logs;
use crate::service::{self, Until};

pub(crate) fn run(args: &TraceArgs) -> anyhow::Result<()> {
    let log = logs::start(LogLevel::Warn, LogFormat::Text, None)?;
    // Not by std's handle, which looks for line breaks and has a buffer of its own.
    let stdout = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let trace = Trace::new(settings(args), stdout, kernel(&args.shown))?;
    let host = Host { recent: log.recent(), ..Host::default() };
    let books = host.books.clone();
    let watching = Watching {
        receiver: Source::of(&args.shown),
        conditions: args.shown.conditions.clone(),
        processors: Vec::new(),
        exporter: ("trace", Arc::new(trace.clone())),
        log: (log, LogLevel::Warn),
        host,
    };
    let mut has_begun = false;
    let ready = || {
        has_begun = true;
        trace.begin();
        Ok(())
    };
    let result = watch(watching, || until(args, trace.clone()), ready);
    if has_begun {
        let books = books.snapshot();
        let dropped = dropped(&books);
        if let Some(shown) = trace.finish(dropped)? {
            logs::say(summary(shown, dropped, &books));
        }
    }
    result
}

fn settings(args: &TraceArgs) -> Settings {
    let left_out = if !args.shown.conditions.is_empty() {
        Some("It also counts what the conditions leave out.")
    } else if args.shown.scope == Scope::Cgroup {
        Some("It also counts sockets outside of this process's cgroup.")
    } else {
        None
    };
    Settings {
        json: args.json,
        colours: args.color.on_stdout(),
        count: args.count,
        summary: args.summary,
        left_out,
    }
}

/// The kernel's count of this network namespace; `None` if it can't be read, and for what is not live.
fn kernel(shown: &Shown) -> Option<Kernel> {
    if !shown.is_live() {
        return None;
    }
    let own = OwnNamespace::open().ok()?;
    let inode = own.inode().and_then(|inode| inode.try_into().ok());
    Some(Kernel::new(inode, move || own.retrans_segs().ok()))
}

fn until(args: &TraceArgs, trace: Trace) -> Until {
    let duration = service::after(args.duration.map(|duration| *duration));
    Box::pin(async move {
        tokio::select! {
            reason = duration => reason,
            reason = trace.ended() => reason,
        }
    })
}

/// Records that were not shown, since the output was too slow.
fn dropped(books: &Snapshot) -> u64 {
    books.ledgers.iter().map(|(_, counts)| Counts::dropped_total(counts)).sum()
}

/// `46 lines: 46 retransmissions with 1605 segments, 0 gaps; nothing was lost`
fn summary(shown: Sums, dropped: u64, books: &Snapshot) -> String {
    let Sums { lines, events, segments, gaps } = shown;
    let lost = books.receivers.iter().map(|(_, counts)| reasons(counts)).find(|lost| !lost.is_empty());
    let lost = lost.map_or("nothing was lost".to_owned(), |lost| format!("lost: {lost}"));
    let slow = match dropped {
        0 => String::new(),
        1 => "; 1 line was not shown, since the output was too slow".to_owned(),
        _ => format!("; {dropped} lines were not shown, since the output was too slow"),
    };
    let (lines, events) = (count(lines, "line"), count(events, "retransmission"));
    let (segments, gaps) = (count(segments, "segment"), count(gaps, "gap"));
    format!("{lines}: {events} with {segments}, {gaps}; {lost}{slow}")
}

/// `1 line`, `2 lines`
fn count(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{ending}")
}
