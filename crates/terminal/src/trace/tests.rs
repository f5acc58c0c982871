//! What is shown, how it ends, and what the summary says.

use std::io::Read;
use std::os::fd::OwnedFd;

use otel_tcpretrans_pipeline::books::{LedgerKey, Signal};

use super::*;
use crate::fixtures;

fn ledger() -> Ledger {
    let key = LedgerKey { pipeline: "logs".to_owned(), signal: Signal::Logs, exporter: None };
    Ledger::detached(key)
}

/// A trace whose kernel counts `grown` segments in the namespace of the fixtures, and the end of its pipe.
fn piped(settings: Settings, grown: u64) -> (Trace, io::PipeReader) {
    let (reader, writer) = io::pipe().unwrap();
    let readings = Mutex::new(vec![grown, 0, 0]);
    let kernel = Kernel::new(Some(13), move || readings.lock().unwrap().pop());
    (Trace::new(settings, OwnedFd::from(writer).into(), Some(kernel)).unwrap(), reader)
}

/// Shows five records of two segments each, and a summary. Returns what was shown, and the sums.
async fn shown(settings: Settings, grown: u64, dropped: u64) -> (String, Sums) {
    let (trace, mut reader) = piped(settings, grown);
    trace.begin();
    let ledger = ledger();
    for batch in [vec![fixtures::record(); 3], vec![fixtures::record(); 2]] {
        let batch = Batch::Logs(batch.into());
        ledger.accept(batch.len() as u64);
        trace.export(batch, ledger.clone()).await;
    }
    trace.begin_shutdown(Instant::now());
    let sums = trace.finish(dropped).unwrap().expect("somebody reads");
    assert_eq!((ledger.counts().delivered, ledger.counts().in_flight()), (5, 0));
    drop(trace);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    (text, sums)
}

#[tokio::test]
async fn all_records_are_lines_and_the_kernels_count_is_below_the_table() {
    let settings = Settings { summary: Some(By::Peer), ..Settings::default() };
    let (text, sums) = shown(settings, 10, 0).await;
    assert_eq!(sums, Sums { lines: 5, events: 5, segments: 10, gaps: 0 });
    assert_eq!(text.lines().count(), 1 + 5 + 2 + 1, "{text}");
    assert!(text.ends_with(" grew by 10. Shown of it: 10 segments. This is equal.\n"), "{text}");
}

#[tokio::test]
async fn what_is_left_out_is_not_compared() {
    let summary = Settings { summary: Some(By::Peer), ..Settings::default() };
    let conditions = Settings { left_out: Some("It also counts what the conditions leave out."), ..summary };
    let count = Settings { count: Some(3), ..summary };
    for (settings, dropped, why, lines) in [
        (conditions, 0, "It also counts what the conditions leave out.", 5),
        (count, 0, "It also counts what --count leaves out.", 3),
        (summary, 7, "It also counts the 7 lines that were not shown.", 5),
    ] {
        let (text, sums) = shown(settings, 30, dropped).await;
        assert!(text.ends_with(&format!(" grew by 30. {why}\n")), "{text}");
        assert_eq!(
            (sums.lines, text.lines().filter(|line| line.contains("R>")).count()),
            (lines, lines as usize)
        );
    }
}

#[tokio::test]
async fn it_ends_when_all_lines_are_shown() {
    let (trace, _reader) = piped(Settings { count: Some(1), ..Settings::default() }, 0);
    trace.export(Batch::Logs([fixtures::record()].into()), ledger()).await;
    assert_eq!(trace.ended().await, "all lines that were asked for are shown");
}

#[tokio::test]
async fn it_ends_when_nobody_reads() {
    let (trace, reader) = piped(Settings::default(), 0);
    drop(reader);
    assert_eq!(trace.ended().await, "nobody reads the output");
    let ledger = ledger();
    trace.export(Batch::Logs([fixtures::record()].into()), ledger.clone()).await;
    assert_eq!(trace.finish(0).unwrap(), None);
    assert_eq!(ledger.counts().dropped[&DropReason::PermanentError], 1);
}
