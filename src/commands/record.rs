//! `record`: writes the raw events of a tcpretrans receiver to a file, until a signal or for a given time.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use otel_tcpretrans_pipeline::books::Signal;
use otel_tcpretrans_pipeline::component::{
    AnyReceiver, Exporter, ExporterError, Host, Produces, ReceiverError,
};
use otel_tcpretrans_pipeline::graph::{Factory, Failure, Plan, ReceiverPlan};
use otel_tcpretrans_sandbox::Access;
use otel_tcpretrans_source::{Config, Recorded, Recorder};
use tempfile::NamedTempFile;
use tokio::runtime::Builder;
use tracing::{info, warn};

use crate::balance::reasons;
use crate::cli::RecordArgs;
use crate::components::ReceiverConfig;
use crate::config::{self, Diagnostic, Loaded, LogLevel, Origin, Sandboxing};
use crate::exit::Refused;
use crate::logs;
use crate::sandbox::Confined;
use crate::service::{self, Service};
use crate::signals::Signals;

pub(crate) fn run(args: &RecordArgs) -> anyhow::Result<()> {
    let Configured { receiver, sandbox, logs, warnings } = configured(args)?;
    let log = logs::start(logs.level, args.log_format.unwrap_or(logs.format), None)?;
    for warning in warnings {
        warn!("{warning}");
    }
    refuse_what_is_there(&args.output, args.force)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (end, recorded, file) = runtime.block_on(record(args, receiver, (log, logs.level), sandbox))?;
    let synced = file.sync_all();
    logs::say(summary(&recorded, &args.output));
    let (name, written) = (args.output.display(), recorded.counts.received);
    match (recorded.failed.map_or(synced, Err), end) {
        (Err(error), _) => anyhow::bail!("{name}: {error}; the {written} events before that can be read"),
        (Ok(()), End::ByItself) => {
            anyhow::bail!("the receiver ended by itself; {name} has all events up to then")
        }
        (Ok(()), End::Asked) => Ok(()),
    }
}

/// What a recording takes of a configuration.
#[derive(Default)]
struct Configured {
    receiver: Config,
    sandbox: Sandboxing,
    logs: config::Logs,
    warnings: Vec<Diagnostic>,
}

/// The receiver of the configuration, or a default one without a configuration.
fn configured(args: &RecordArgs) -> anyhow::Result<Configured> {
    if args.files.is_empty() {
        return Ok(Configured::default());
    }
    let Loaded { config, warnings, .. } = config::load(&args.files, &args.sets).map_err(Refused)?;
    let receiver = config.receivers.into_values().find_map(|receiver| match receiver {
        ReceiverConfig::Tcpretrans(receiver) => Some(receiver),
        ReceiverConfig::Replay(_) | ReceiverConfig::TcpStats(_) => None,
    });
    let nothing = || {
        let file = args.files.last().map(String::as_str).unwrap_or_default().into();
        let origin = Origin::File { rank: 0, file, line: 0, column: 0 };
        let message = "there is no tcpretrans to record".to_owned();
        Refused(vec![Diagnostic { origin, path: vec!["receivers".to_owned()], message }])
    };
    let receiver = receiver.ok_or_else(nothing)?;
    Ok(Configured {
        receiver,
        sandbox: config.service.sandbox,
        logs: config.service.telemetry.logs,
        warnings,
    })
}

/// Refuses an output that must not be overwritten. It is called before anything is loaded into the kernel.
fn refuse_what_is_there(output: &Path, force: bool) -> anyhow::Result<()> {
    let name = output.display();
    match fs::symlink_metadata(output) {
        Ok(there) if !there.is_file() => anyhow::bail!("{name}: exists and is no regular file"),
        Ok(_) if !force => anyhow::bail!("{name}: exists; --force overwrites it"),
        _ => Ok(()),
    }
}

/// How long a stop may take. It reads and writes what is left in the kernel's buffer.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(30);

/// How a recording ended.
enum End {
    /// By a signal, or because its time was up.
    Asked,
    /// Because the receiver ended.
    ByItself,
}

/// A factory that gives out one recorder, once.
struct OneRecorder(Mutex<Option<Recorder>>);

impl Factory for OneRecorder {
    type Receiver = ();
    type Exporter = ();

    fn receiver(&self, _id: &str, (): &()) -> Result<AnyReceiver, ReceiverError> {
        let recorder = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let ended = || ReceiverError::Failed("the recording has ended".to_owned());
        Ok(AnyReceiver::Records(Box::new(recorder.ok_or_else(ended)?)))
    }

    fn exporter(
        &self,
        id: &str,
        _signal: Signal,
        (): &(),
        _host: &Host,
    ) -> Result<Arc<dyn Exporter>, ExporterError> {
        Err(format!("{id}: a recording has no exporters").into())
    }
}

async fn record(
    args: &RecordArgs,
    config: Config,
    log: (logs::Level, LogLevel),
    sandbox: Sandboxing,
) -> anyhow::Result<(End, Recorded, File)> {
    let name = args.output.display();
    let named = |error| anyhow::anyhow!("{name}: {error}");
    let signals = Signals::install()?;
    // The file gets its name once the receiver has started, so that a failed start changes nothing.
    let folder = args.output.parent().filter(|folder| !folder.as_os_str().is_empty());
    let unnamed = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o666)) // less the umask
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .map_err(named)?;
    let (recorder, recording) = Recorder::new(config, unnamed.as_file().try_clone()?);
    // All that it opens is open when it is ready.
    let confined = Confined::prepare(sandbox, Access::default())?;
    let recorder = recorder.confined_by(&confined.confinement());
    let plan = ReceiverPlan { produces: Produces::Records, config: () };
    let service = Service {
        factory: OneRecorder(Mutex::new(Some(recorder))),
        plan: Plan { receivers: [("tcpretrans".to_owned(), plan)].into(), ..Plan::default() },
        log,
        extensions: Vec::new(),
        shutdown_timeout: SHUTDOWN_TIMEOUT,
        until: service::after(args.duration.map(|duration| *duration)),
        read_again: None,
    };
    let host = Host { starter: confined.starter()?, ..Host::default() };
    let mut file = None;
    let ready = || {
        file = Some(give_name(unnamed, args).map_err(named)?);
        host.starter.end();
        confined.enter()?;
        confined.seal()?;
        let receivers = host.books.snapshot().receivers;
        let facts = receivers.iter().flat_map(|(_, counts)| &counts.info);
        let facts: Vec<_> = facts.map(|(name, value)| format!("{name}={value}")).collect();
        info!(file = %name, facts = facts.join(" "), "recording");
        Ok(())
    };
    let end = match service::run(service, &host, signals, ready).await {
        Ok(()) => End::Asked,
        Err(error) if error.is::<Failure>() => End::ByItself,
        Err(error) => return Err(error),
    };
    let file = file.ok_or_else(|| anyhow::anyhow!("{name}: it was never named"))?; // ready() named it
    Ok((end, recording.recorded(), file))
}

fn give_name(unnamed: NamedTempFile, args: &RecordArgs) -> std::io::Result<File> {
    let named = match args.force {
        true => unnamed.persist(&args.output),
        false => unnamed.persist_noclobber(&args.output),
    };
    named.map_err(|failed| failed.error)
}

/// `12 events seen, 10 written to FILE, 2 lost: kernel/ring_full=2`
fn summary(recorded: &Recorded, output: &Path) -> String {
    let counts = &recorded.counts;
    let lost: u64 = counts.unobserved.iter().map(|lost| lost.events).sum();
    let reasons = reasons(counts);
    let reasons = if reasons.is_empty() { reasons } else { format!(": {reasons}") };
    let (seen, written, file) = (counts.seen, counts.received, output.display());
    format!("{seen} events seen, {written} written to {file}, {lost} lost{reasons}")
}
