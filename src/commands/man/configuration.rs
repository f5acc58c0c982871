//! The page of the configuration, in section 5.

use clap_mangen::roff::{Roff, bold, roman};

use super::page::{Page, SOURCE, section, see_also};
use crate::components::{Component, ExporterConfig, ExtensionConfig, ProcessorConfig, ReceiverConfig};

pub(super) const NAME: &str = concat!(env!("CARGO_PKG_NAME"), "-config");
pub(super) const SECTION: &str = "5";

/// The example is the configuration that the packages install, so the tests of `config/` check it.
const EXAMPLE: &str = include_str!("../../../config/service.yaml");

const SHAPE: &[(&str, &str)] = &[
    ("receivers", "Where records come from."),
    ("processors", "What happens to them on the way, in the order in which a pipeline names them."),
    ("exporters", "Where they go."),
    ("extensions", "What is beside the pipelines. An extension is started if service.extensions names it."),
    (
        "service.pipelines",
        "A pipeline has a signal, metrics or logs, and names its receivers, processors and exporters.",
    ),
    ("service.telemetry", "The program's own log, metrics and resource attributes."),
    ("service.shutdown_timeout", "How long a stop may take to send what is on its way."),
];

const VALUES: &[(&str, &str)] = &[
    ("200ms, 5s, 1m", "Durations."),
    ("64MiB", "Sizes."),
    ("${env:NAME}, ${env:NAME:-default}", "The value of an environment variable."),
    ("${file:PATH}", "The content of a file."),
    ("$$", "A single dollar sign."),
];

/// `otel-tcpretrans-config(5)`.
pub(super) fn page() -> anyhow::Result<Page> {
    let mut text = Vec::new();
    let mut roff = Roff::new();
    roff.control("TH", [NAME, SECTION, "", SOURCE, "File Formats"]);
    roff.control("SH", ["NAME"]);
    roff.text([roman(format!("{NAME} - the configuration of otel-tcpretrans"))]);
    roff.control("SH", ["DESCRIPTION"]);
    for paragraph in [
        "The configuration is YAML, in the shape and the words of the OpenTelemetry Collector. Each component has an id, \
         which is TYPE or TYPE/NAME. A key that is left out has its default.",
        "There are layers, and a later layer wins: the defaults, each --config in its order, the environment variables \
         OTEL_TCPRETRANS__A__B, and --set a.b=value. An unknown key, a wrong type or a missing reference is refused, with \
         file, line and column.",
        "otel-tcpretrans print-config shows the merged configuration with all defaults. otel-tcpretrans validate checks a \
         configuration without touching the kernel or the network.",
    ] {
        roff.control("PP", []);
        roff.text([roman(paragraph)]);
    }
    roff.to_writer(&mut text)?;
    section(&mut text, "SHAPE", SHAPE)?;
    section(&mut text, "VALUES", VALUES)?;
    components(&mut text)?;
    example(&mut text)?;
    see_also(
        &mut text,
        &[("otel-tcpretrans", "1"), ("otel-tcpretrans-validate", "1"), ("otel-tcpretrans-print-config", "1")],
    )?;
    Ok(Page { file: format!("{NAME}.{SECTION}"), text })
}

/// The types that this build has.
fn components(text: &mut Vec<u8>) -> anyhow::Result<()> {
    let mut roff = Roff::new();
    roff.control("SH", ["COMPONENTS"]);
    for (kind, types) in [
        (ReceiverConfig::SECTION, names::<ReceiverConfig>()),
        (ProcessorConfig::SECTION, names::<ProcessorConfig>()),
        (ExporterConfig::SECTION, names::<ExporterConfig>()),
        (ExtensionConfig::SECTION, names::<ExtensionConfig>()),
    ] {
        roff.control("TP", []);
        roff.text([bold(kind)]);
        roff.text([roman(types)]);
    }
    Ok(roff.to_writer(text)?)
}

fn names<C: Component>() -> String {
    C::TYPES.iter().map(|known| known.name).collect::<Vec<_>>().join(", ")
}

fn example(text: &mut Vec<u8>) -> anyhow::Result<()> {
    let mut roff = Roff::new();
    roff.control("SH", ["EXAMPLE"]);
    roff.control("EX", []);
    for line in EXAMPLE.lines() {
        roff.text([roman(line)]);
    }
    roff.control("EE", []);
    Ok(roff.to_writer(text)?)
}
