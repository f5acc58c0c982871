//! Makes the extensions of a configuration.

use std::collections::BTreeMap;

use otel_tcpretrans_exporters::health_check::{self, HealthCheck};
use otel_tcpretrans_exporters::zpages::{About, Zpages};
use otel_tcpretrans_pipeline::component::Extension;
use tokio::time::Instant;

use crate::components::ExtensionConfig;
use crate::config::Config;

/// The extensions that a configuration starts, in its order. A `file_storage` does not run by itself: exporters use it.
/// Names of metrics that the Collector does not have begin with `namespace`.
pub(crate) fn extensions(config: &Config, namespace: &'static str) -> Vec<Box<dyn Extension>> {
    let about = About {
        namespace,
        extensions: config.service.extensions.clone(),
        unhealthy_after: *health_check(config).unhealthy_after,
        started: Instant::now(),
    };
    let extension = |(id, of): (String, ExtensionConfig)| -> Option<Box<dyn Extension>> {
        Some(match of {
            ExtensionConfig::FileStorage(_) => return None,
            ExtensionConfig::HealthCheck(of) => Box::new(HealthCheck::new(&id, of)),
            ExtensionConfig::Zpages(of) => Box::new(Zpages::new(&id, of, about.clone())),
        })
    };
    started(config).filter_map(extension).collect()
}

/// The first `health_check` that is started, or its defaults: the page calls unhealthy what that does.
fn health_check(config: &Config) -> health_check::Config {
    let of = |(_, of)| match of {
        ExtensionConfig::HealthCheck(of) => Some(of),
        ExtensionConfig::FileStorage(_) | ExtensionConfig::Zpages(_) => None,
    };
    started(config).find_map(of).unwrap_or_default()
}

/// The extensions that run by themselves, by id. A process can't change them while it runs.
pub(crate) fn fixed(config: &Config) -> BTreeMap<String, ExtensionConfig> {
    started(config).filter(|(_, config)| !matches!(config, ExtensionConfig::FileStorage(_))).collect()
}

fn started(config: &Config) -> impl Iterator<Item = (String, ExtensionConfig)> {
    let of = |id: &String| Some((id.clone(), config.extensions.get(id)?.clone()));
    config.service.extensions.iter().filter_map(of)
}
