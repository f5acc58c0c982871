//! All components: one enum a kind, and what each type promises.

use otel_tcpretrans_exporters::{debug, otlp, process_environment};
use otel_tcpretrans_pipeline::books::Signal;
use otel_tcpretrans_pipeline::config::Problem;
pub(crate) use otel_tcpretrans_pipeline::graph::ProcessorConfig;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A receiver and its configuration.
#[derive(Clone, Debug, Serialize, Deserialize, strum::VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub(crate) enum ReceiverConfig {
    /// TCP retransmissions, out of the kernel.
    Tcpretrans(otel_tcpretrans_source::Config),
    /// A recording of it, out of a file.
    Replay(otel_tcpretrans_source::replay::Config),
}

/// An exporter and its configuration.
#[derive(Clone, Debug, Serialize, Deserialize, strum::VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub(crate) enum ExporterConfig {
    /// OTLP over gRPC.
    Otlp(Box<otlp::Config>),
    /// Text on stdout.
    Debug(debug::Config),
}

/// What users may rely on; the Collector's words.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stability {
    /// Output for people, which may change with any version.
    Development,
    /// Works, and its configuration may still change with a minor version.
    Alpha,
}

/// A type of component.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ComponentType {
    pub(crate) name: &'static str,
    pub(crate) stability: Stability,
    /// The pipelines that it may stand in.
    pub(crate) signals: &'static [Signal],
}

const BOTH: &[Signal] = &[Signal::Logs, Signal::Metrics];

/// One kind of components: what the three enums have in common.
pub(crate) trait Component: Serialize + DeserializeOwned {
    /// Its section of the configuration.
    const SECTION: &'static str;
    /// Its types, one a variant.
    const TYPES: &'static [ComponentType];
    /// Types that the documentation or the Collector's users know, and that are to come.
    const NOT_BUILT_YET: &'static [&'static str] = &[];

    /// What is wrong with it that its types can't express.
    fn validate(&self) -> Vec<Problem>;
}

impl Component for ReceiverConfig {
    const SECTION: &'static str = "receivers";
    const TYPES: &'static [ComponentType] = &[
        ComponentType { name: "tcpretrans", stability: Stability::Alpha, signals: BOTH },
        ComponentType { name: "replay", stability: Stability::Alpha, signals: BOTH },
    ];

    fn validate(&self) -> Vec<Problem> {
        match self {
            ReceiverConfig::Tcpretrans(config) => config.validate(),
            ReceiverConfig::Replay(config) => config.validate(),
        }
    }
}

impl Component for ProcessorConfig {
    const SECTION: &'static str = "processors";
    const TYPES: &'static [ComponentType] = &[
        ComponentType { name: "filter", stability: Stability::Alpha, signals: BOTH },
        ComponentType { name: "aggregate", stability: Stability::Alpha, signals: &[Signal::Metrics] },
        ComponentType { name: "batch", stability: Stability::Alpha, signals: BOTH },
    ];

    fn validate(&self) -> Vec<Problem> {
        self.validate()
    }
}

impl Component for ExporterConfig {
    const SECTION: &'static str = "exporters";
    const TYPES: &'static [ComponentType] = &[
        ComponentType { name: "otlp", stability: Stability::Alpha, signals: BOTH },
        ComponentType { name: "debug", stability: Stability::Development, signals: BOTH },
    ];
    const NOT_BUILT_YET: &'static [&'static str] = &["otlphttp", "otlp_http", "prometheus", "file"];

    fn validate(&self) -> Vec<Problem> {
        match self {
            ExporterConfig::Otlp(config) => config.validate(&process_environment),
            ExporterConfig::Debug(config) => config.validate(),
        }
    }
}

#[cfg(test)]
mod tests {
    use otel_tcpretrans_pipeline::graph::ProcessorKind;
    use strum::{IntoEnumIterator, VariantNames};

    use super::*;

    #[test]
    fn each_variant_is_in_its_list() {
        fn names<C: Component>() -> Vec<&'static str> {
            C::TYPES.iter().map(|known| known.name).collect()
        }
        assert_eq!(names::<ReceiverConfig>(), ReceiverConfig::VARIANTS);
        assert_eq!(names::<ProcessorConfig>(), ProcessorKind::iter().map(<&str>::from).collect::<Vec<_>>());
        assert_eq!(names::<ExporterConfig>(), ExporterConfig::VARIANTS);
    }
}
