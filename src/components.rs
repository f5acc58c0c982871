//! All components that this build has: one enum per kind, and the stability of each type.

use otel_tcpretrans_exporters::otlp::Kind;
use otel_tcpretrans_exporters::{debug, file, otlp, process_environment, prometheus};
use otel_tcpretrans_pipeline::books::Signal;
use otel_tcpretrans_pipeline::component::{ComponentType, Produces, Stability};
use otel_tcpretrans_pipeline::config::Problem;
pub(crate) use otel_tcpretrans_pipeline::processors::ProcessorConfig;
use otel_tcpretrans_pipeline::storage;
use otel_tcpretrans_source::tcp_stats::Scope;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A receiver and its configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, strum::VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub(crate) enum ReceiverConfig {
    /// TCP retransmissions from the kernel.
    Tcpretrans(otel_tcpretrans_source::Config),
    /// TCP retransmissions from a recording.
    Replay(otel_tcpretrans_source::replay::Config),
    /// The kernel's counters of TCP.
    TcpStats(otel_tcpretrans_source::tcp_stats::Config),
}

/// An exporter and its configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, strum::VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub(crate) enum ExporterConfig {
    /// OTLP over gRPC.
    Otlp(Box<otlp::Config>),
    /// OTLP over HTTP.
    OtlpHttp(Box<otlp::Config>),
    /// A page to be scraped.
    Prometheus(prometheus::Config),
    /// OTLP in a file.
    File(file::Config),
    /// Text on stdout.
    Debug(debug::Config),
}

/// An extension and its configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, strum::VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub(crate) enum ExtensionConfig {
    /// Queues on disk.
    FileStorage(storage::Config),
}

const BOTH: &[Signal] = &Signal::ALL;

/// One kind of component. All four enums implement it.
pub(crate) trait Component: Serialize + DeserializeOwned {
    /// The section of the configuration.
    const SECTION: &'static str;
    /// The types, one per variant.
    const TYPES: &'static [ComponentType];
    /// Other names of types, as the Collector has them, and the types that they mean.
    const ALIASES: &'static [(&'static str, &'static str)] = &[];
    /// Types that are not built yet, and that users of the Collector or readers of the documentation may try.
    const NOT_BUILT_YET: &'static [&'static str] = &[];

    /// Finds the problems of the configuration that its types can't express.
    fn validate(&self) -> Vec<Problem>;
}

impl Component for ReceiverConfig {
    const SECTION: &'static str = "receivers";
    const TYPES: &'static [ComponentType] = &[
        ComponentType { name: "tcpretrans", stability: Stability::Alpha, signals: BOTH },
        ComponentType { name: "replay", stability: Stability::Alpha, signals: BOTH },
        ComponentType { name: "tcp_stats", stability: Stability::Alpha, signals: &[Signal::Metrics] },
    ];

    fn validate(&self) -> Vec<Problem> {
        match self {
            ReceiverConfig::Tcpretrans(config) => config.validate(),
            ReceiverConfig::Replay(config) => config.validate(),
            ReceiverConfig::TcpStats(config) => config.validate(),
        }
    }
}

impl ReceiverConfig {
    /// What the receiver makes.
    pub(crate) fn produces(&self) -> Produces {
        match self {
            ReceiverConfig::Tcpretrans(_) | ReceiverConfig::Replay(_) => Produces::Records,
            ReceiverConfig::TcpStats(_) => Produces::Points,
        }
    }
}

impl ReceiverConfig {
    /// Whether its start needs privileges that the process may have given up.
    pub(crate) fn needs_privileges(&self) -> bool {
        match self {
            ReceiverConfig::Tcpretrans(_) => true,
            ReceiverConfig::TcpStats(config) => config.scope == Scope::Host,
            ReceiverConfig::Replay(_) => false,
        }
    }
}

impl Component for ProcessorConfig {
    const SECTION: &'static str = "processors";
    const TYPES: &'static [ComponentType] = ProcessorConfig::TYPES;
    const ALIASES: &'static [(&'static str, &'static str)] = &[("k8sattributes", "k8s_attributes")];

    fn validate(&self) -> Vec<Problem> {
        self.validate()
    }
}

impl Component for ExporterConfig {
    const SECTION: &'static str = "exporters";
    const TYPES: &'static [ComponentType] = &[
        ComponentType { name: "otlp", stability: Stability::Alpha, signals: BOTH },
        ComponentType { name: "otlp_http", stability: Stability::Alpha, signals: BOTH },
        ComponentType { name: "prometheus", stability: Stability::Alpha, signals: &[Signal::Metrics] },
        ComponentType { name: "file", stability: Stability::Alpha, signals: BOTH },
        ComponentType { name: "debug", stability: Stability::Development, signals: BOTH },
    ];
    const ALIASES: &'static [(&'static str, &'static str)] =
        &[("otlp_grpc", "otlp"), ("otlphttp", "otlp_http")];

    fn validate(&self) -> Vec<Problem> {
        match self {
            ExporterConfig::Otlp(config) => config.validate(Kind::Otlp, &process_environment),
            ExporterConfig::OtlpHttp(config) => config.validate(Kind::OtlpHttp, &process_environment),
            ExporterConfig::Prometheus(config) => config.validate(),
            ExporterConfig::File(config) => config.validate(),
            ExporterConfig::Debug(config) => config.validate(),
        }
    }
}

impl ExporterConfig {
    /// The id of the extension that keeps its queue on disk.
    pub(crate) fn storage(&self) -> Option<&str> {
        match self {
            ExporterConfig::Otlp(config) | ExporterConfig::OtlpHttp(config) => {
                config.sending_queue.storage.as_deref()
            }
            ExporterConfig::Prometheus(_) | ExporterConfig::File(_) | ExporterConfig::Debug(_) => None,
        }
    }
}

impl Component for ExtensionConfig {
    const SECTION: &'static str = "extensions";
    const TYPES: &'static [ComponentType] =
        &[ComponentType { name: "file_storage", stability: Stability::Alpha, signals: &[] }];
    const NOT_BUILT_YET: &'static [&'static str] = &["health_check", "zpages"];

    fn validate(&self) -> Vec<Problem> {
        match self {
            ExtensionConfig::FileStorage(config) => config.validate(),
        }
    }
}

#[cfg(test)]
mod tests {
    use strum::VariantNames;

    use super::*;

    #[test]
    fn each_variant_is_in_its_list() {
        fn names<C: Component>() -> Vec<&'static str> {
            C::TYPES.iter().map(|known| known.name).collect()
        }
        assert_eq!(names::<ReceiverConfig>(), ReceiverConfig::VARIANTS);
        assert_eq!(names::<ProcessorConfig>(), ProcessorConfig::VARIANTS);
        assert_eq!(names::<ExporterConfig>(), ExporterConfig::VARIANTS);
        assert_eq!(names::<ExtensionConfig>(), ExtensionConfig::VARIANTS);
    }
}
