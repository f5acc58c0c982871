//! Exit codes, which tell a shell or a service manager why the process ended.

use std::fmt;
use std::process::ExitCode;

use otel_tcpretrans_exporters::otlp;
use otel_tcpretrans_exporters::self_telemetry::TelemetryError;
use otel_tcpretrans_pipeline::component::ReceiverError;

use crate::config::Diagnostic;

const FAILURE: u8 = 1;
/// That of clap.
const USAGE: u8 = 2;
/// Test harnesses such as automake's read this code as "can't run here".
const UNSUPPORTED: u8 = 77;
/// `EX_CONFIG` of sysexits.h.
const CONFIGURATION: u8 = 78;

/// A configuration that was refused.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) Vec<Diagnostic>);

impl std::error::Error for Refused {}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|problem| writeln!(f, "{problem}"))?;
        match self.0.len() {
            1 => f.write_str("1 problem in the configuration"),
            many => write!(f, "{many} problems in the configuration"),
        }
    }
}

/// A privilege or a kernel feature that is needed is missing.
#[derive(Debug)]
pub(crate) struct Unsupported(pub(crate) String);

impl std::error::Error for Unsupported {}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The command can't be used in this way here.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl std::error::Error for Usage {}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The exit code for a failure. It follows from the causes of the failure.
pub(crate) fn code(error: &anyhow::Error) -> ExitCode {
    let of_cause = |cause: &(dyn std::error::Error + 'static)| {
        // An exporter starts even if its backend can't be reached. So if its start fails, the configuration or a file
        // that it names is wrong. Its storage is another matter: a full disk or a process that still has the directory
        // may be gone when a service manager tries again.
        let exporter = matches!(cause.downcast_ref(), Some(otlp::StartError::Unfit { .. }));
        let telemetry = matches!(cause.downcast_ref(), Some(TelemetryError::Configuration(_)));
        if cause.is::<Refused>() || exporter || telemetry {
            return Some(CONFIGURATION);
        }
        if cause.is::<Usage>() {
            return Some(USAGE);
        }
        match cause.downcast_ref() {
            Some(ReceiverError::Unsupported(_)) => Some(UNSUPPORTED),
            Some(ReceiverError::Configuration(_)) => Some(CONFIGURATION),
            Some(ReceiverError::Failed(_)) => None,
            None => cause.is::<Unsupported>().then_some(UNSUPPORTED),
        }
    };
    ExitCode::from(error.chain().find_map(of_cause).unwrap_or(FAILURE))
}
