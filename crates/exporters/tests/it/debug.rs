//! The `debug` exporter's output, also if nobody reads it.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use otel_tcpretrans_exporters::debug::{Config, DebugExporter, Output};
use otel_tcpretrans_pipeline::books::{DropReason, Signal};
use otel_tcpretrans_pipeline::component::Batch;

use crate::{drain, export, fixtures, ledger, logs};

#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn writes_both_signals_and_delivers() {
    let paper = Paper::default();
    let output = Output::new(paper.clone());
    let config: Config = serde_yaml::from_str("verbosity: basic").unwrap();
    let (records, points) = (ledger(Signal::Logs), ledger(Signal::Metrics));
    let exporter = DebugExporter::new("debug", &config, output.clone());
    export(&exporter, logs(3), &records).await;
    drain(&exporter, &records).await;
    let exporter = DebugExporter::new("debug", &config, output);
    export(&exporter, Batch::Metrics([fixtures::point(42)].into()), &points).await;
    drain(&exporter, &points).await;
    let text = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert!(lines[0].contains("ipv4 10.0.0.1:443 -> 10.0.0.2:50000 timeout"), "{text}");
    assert!(lines[3].contains("} 42 {segment} "), "{text}");
    assert_eq!((records.counts().delivered, points.counts().delivered), (3, 1));
}

#[tokio::test]
async fn a_broken_pipe_drops_and_does_not_panic() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let exporter = DebugExporter::new("debug", &Config::default(), Output::new(writer));
    let ledger = ledger(Signal::Logs);
    export(&exporter, logs(3), &ledger).await;
    export(&exporter, logs(4), &ledger).await;
    drain(&exporter, &ledger).await;
    assert_eq!(ledger.counts().dropped.get(&DropReason::PermanentError), Some(&7));
}

#[test]
fn what_is_not_a_verbosity_is_refused() {
    let error = serde_yaml::from_str::<Config>("verbosity: loud").unwrap_err().to_string();
    assert!(error.contains("basic") && error.contains("detailed"), "{error}");
}
