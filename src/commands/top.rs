//! `top`: the worst peers, processes, workloads and connections on a screen, live, of a recording or of an agent.

use std::env;

use otel_tcpretrans_pipeline::component::Host;
use otel_tcpretrans_pipeline::processors::ProcessorConfig;
use otel_tcpretrans_pipeline::processors::cgroup::CgroupConfig;
use otel_tcpretrans_source::config::Scope;
use otel_tcpretrans_source::tcp_stats::OwnNamespace;
use otel_tcpretrans_terminal::top::{Look, Options, Top, Watched, check};

use super::watching::{Source, Watching, watch};
use crate::cli::{Shown, TopArgs};
use crate::config::LogLevel;
use crate::exit::Usage;
use crate::logs;

pub(crate) fn run(args: &TopArgs) -> anyhow::Result<()> {
    let variable = |name: &str| env::var(name).ok();
    check(variable("TERM").as_deref()).map_err(|unfit| Usage(unfit.to_string()))?;
    let namespace = args.shown.is_live().then(OwnNamespace::open).transpose()?;
    let own_netns = namespace.as_ref().and_then(|own| own.inode()?.try_into().ok());
    let options =
        Options { by: args.by, max_rows: usize::try_from(args.max_rows)?, look: Look::of(variable) };
    let top = Top::new(options, own_netns)?;
    let taken = top.taken();
    let log = logs::start_beside_screen(LogLevel::Warn, move || taken.is_taken())?;
    let host = Host { recent: log.recent(), ..Host::default() };
    let watched = watched(&args.shown, namespace)?;
    let watching = Watching {
        receiver: Source::of(&args.shown),
        conditions: args.shown.conditions.clone(),
        processors: workloads(&args.shown),
        exporter: ("top", top.exporter()),
        log: (log, LogLevel::Warn),
        host: host.clone(),
    };
    let mut screen = None;
    let until = || {
        let ending = top.ending();
        Box::pin(async move {
            ending.await;
            "the screen has ended"
        }) as _
    };
    let ready = || {
        screen = Some(top.show(watched, host.books.clone(), host.recent.clone())?);
        Ok(())
    };
    let result = watch(watching, until, ready);
    let Some(screen) = screen else { return result };
    match result {
        // The end of a recording, or of the screen.
        Ok(()) => Ok(screen.stay()?),
        Err(error) => {
            screen.end()?;
            Err(error)
        }
    }
}

/// Finds units and containers by the socket's cgroup. The cgroups of a recording are those of another time or machine. An
/// agent's records name what the agent has found.
fn workloads(shown: &Shown) -> Vec<(String, ProcessorConfig)> {
    let cgroup = || ("cgroup".to_owned(), ProcessorConfig::Cgroup(CgroupConfig::default()));
    shown.is_live().then(cgroup).into_iter().collect()
}

/// What the screen says of the source. Only what is live has a `namespace`.
fn watched(shown: &Shown, namespace: Option<OwnNamespace>) -> anyhow::Result<Watched> {
    if let Some(file) = &shown.replay {
        let name = file.file_name().unwrap_or(file.as_os_str());
        return Ok(Watched::Recording(name.display().to_string()));
    }
    if let Some(address) = &shown.connect {
        return Ok(Watched::Agent(address.to_string()));
    }
    let Some(namespace) = namespace else { return Ok(Watched::Kernel(None)) };
    // Conditions leave out a part of what the kernel counts, and so does a cgroup.
    let is_all = shown.conditions.is_empty() && shown.scope != Scope::Cgroup;
    let before = namespace.retrans_segs()?;
    let count = is_all.then(|| (Box::new(move || namespace.retrans_segs()) as _, before));
    Ok(Watched::Kernel(count))
}
