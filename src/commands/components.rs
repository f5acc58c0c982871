//! `components`: lists what this build has, in the shape of the Collector's command of that name.

use std::collections::BTreeMap;

use otel_tcpretrans_pipeline::books::Signal;
use otel_tcpretrans_pipeline::component::{ComponentType, Stability};
use serde::Serialize;

use crate::components::{Component, ExporterConfig, ExtensionConfig, ProcessorConfig, ReceiverConfig};

#[derive(Serialize)]
struct Listing {
    buildinfo: BuildInfo,
    receivers: Vec<Entry>,
    processors: Vec<Entry>,
    exporters: Vec<Entry>,
    extensions: Vec<Entry>,
}

#[derive(Serialize)]
struct BuildInfo {
    command: &'static str,
    description: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Entry {
    name: &'static str,
    /// Other names that a configuration may use.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<&'static str>,
    /// The stability by signal. That of an extension has the key `extension`.
    stability: BTreeMap<&'static str, Stability>,
}

pub(crate) fn run() -> anyhow::Result<()> {
    super::print_yaml(&Listing {
        buildinfo: BuildInfo {
            command: env!("CARGO_PKG_NAME"),
            description: env!("CARGO_PKG_DESCRIPTION"),
            version: env!("CARGO_PKG_VERSION"),
        },
        receivers: entries::<ReceiverConfig>(),
        processors: entries::<ProcessorConfig>(),
        exporters: entries::<ExporterConfig>(),
        extensions: entries::<ExtensionConfig>(),
    })
}

fn entries<C: Component>() -> Vec<Entry> {
    let stability = |of: &ComponentType| match of.signals {
        [] => [("extension", of.stability)].into(),
        signals => signals.iter().map(|signal: &Signal| (signal.into(), of.stability)).collect(),
    };
    let aliases = |of: &ComponentType| {
        C::ALIASES.iter().filter(|(_, known)| *known == of.name).map(|(alias, _)| *alias).collect()
    };
    C::TYPES
        .iter()
        .map(|of| Entry { name: of.name, aliases: aliases(of), stability: stability(of) })
        .collect()
}
