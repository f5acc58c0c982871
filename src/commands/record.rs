//! `record`: the raw events of a tcpretrans receiver into a file, until a signal or for a time.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use otel_tcpretrans_pipeline::component::Receiver;
use otel_tcpretrans_source::{Config, Recorded, Recorder};
use tempfile::NamedTempFile;
use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tracing::{info, warn};

use crate::cli::RecordArgs;
use crate::components::ReceiverConfig;
use crate::config::{self, Diagnostic, Loaded, Origin};
use crate::exit::Refused;
use crate::logs;
use crate::signals::Signals;

pub(crate) fn run(args: &RecordArgs) -> anyhow::Result<()> {
    let (config, logs, warnings) = configured(args)?;
    logs::start(logs.level, args.log_format.unwrap_or(logs.format))?;
    for warning in warnings {
        warn!("{warning}");
    }
    refuse_what_is_there(&args.output, args.force)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (end, recorded, file) = runtime.block_on(record(args, config))?;
    let synced = file.sync_all();
    logs::say(summary(&recorded, &args.output));
    let (name, written) = (args.output.display(), recorded.counts.received);
    match (recorded.failed.map_or(synced, Err), end) {
        (Err(error), _) => anyhow::bail!("{name}: {error}; the {written} events before that can be read"),
        (Ok(()), End::ByItself) => anyhow::bail!("the receiver ended by itself; {name} is whole up to there"),
        (Ok(()), End::Asked) => Ok(()),
    }
}

/// The receiver of the configuration, or the default one.
fn configured(args: &RecordArgs) -> anyhow::Result<(Config, config::Logs, Vec<Diagnostic>)> {
    if args.files.is_empty() {
        return Ok((Config::default(), config::Logs::default(), Vec::new()));
    }
    let Loaded { config, warnings } = config::load(&args.files, &args.sets).map_err(Refused)?;
    let receiver = config.receivers.into_values().find_map(|receiver| match receiver {
        ReceiverConfig::Tcpretrans(receiver) => Some(receiver),
        ReceiverConfig::Replay(_) => None,
    });
    let nothing = || {
        let file = args.files.last().map(String::as_str).unwrap_or_default().into();
        let origin = Origin::File { rank: 0, file, line: 0, column: 0 };
        let message = "there is no tcpretrans to record".to_owned();
        Refused(vec![Diagnostic { origin, path: vec!["receivers".to_owned()], message }])
    };
    let receiver = receiver.ok_or_else(nothing)?;
    Ok((receiver, config.service.telemetry.logs, warnings))
}

/// Before the kernel is asked: what would be overwritten.
fn refuse_what_is_there(output: &Path, force: bool) -> anyhow::Result<()> {
    let name = output.display();
    match fs::symlink_metadata(output) {
        Ok(there) if !there.is_file() => anyhow::bail!("{name}: exists and is no regular file"),
        Ok(_) if !force => anyhow::bail!("{name}: exists; --force overwrites it"),
        _ => Ok(()),
    }
}

/// Who wanted it to end.
enum End {
    Asked,
    ByItself,
}

async fn record(args: &RecordArgs, config: Config) -> anyhow::Result<(End, Recorded, File)> {
    let name = args.output.display();
    let named = |error| anyhow::anyhow!("{name}: {error}");
    let mut signals = Signals::install()?;
    // It gets its name once the receiver has started: a start that fails leaves everything as it was.
    let folder = args.output.parent().filter(|folder| !folder.as_os_str().is_empty());
    let unnamed = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o666)) // less the umask
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .map_err(named)?;
    let (mut recorder, recording) = Recorder::new(config, unnamed.as_file().try_clone()?);
    let (out, mut events) = mpsc::channel(recorder.channel_capacity());
    recorder.start(out)?;
    let file = give_name(unnamed, args).map_err(named)?;

    let facts = recorder.probe()().info.into_iter().map(|(name, value)| format!("{name}={value}"));
    info!(file = %name, facts = facts.collect::<Vec<_>>().join(" "), "recording");
    let time_is_up = async {
        match args.duration {
            Some(duration) => tokio::time::sleep(*duration).await,
            None => std::future::pending().await,
        }
    };
    let end = tokio::select! {
        signal = signals.stop() => {
            info!(signal, "stopping");
            End::Asked
        }
        () = time_is_up => {
            info!("stopping: the time is up");
            End::Asked
        }
        _ = events.recv() => End::ByItself, // nothing comes: the channel closes when the recorder ends
    };
    recorder.stop();
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
    let reasons = counts.unobserved.iter().filter(|lost| lost.events > 0);
    let reasons: Vec<_> =
        reasons.map(|lost| format!("{}/{}={}", lost.place, lost.reason, lost.events)).collect();
    let reasons = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join(" ")) };
    let (seen, written, file) = (counts.seen, counts.received, output.display());
    format!("{seen} events seen, {written} written to {file}, {lost} lost{reasons}")
}
