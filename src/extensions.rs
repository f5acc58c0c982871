//! Makes the extensions of a configuration.

use std::collections::BTreeMap;

use otel_tcpretrans_exporters::health_check::HealthCheck;
use otel_tcpretrans_pipeline::component::Extension;

use crate::components::ExtensionConfig;
use crate::config::Config;

/// The extensions that a configuration starts, in its order. Other parts use the rest of them as a configuration only.
pub(crate) fn extensions(config: &Config) -> Vec<Box<dyn Extension>> {
    let of = |id: &String| Some((id.clone(), config.extensions.get(id)?.clone()));
    let wanted = config.service.extensions.iter().filter_map(of);
    wanted.filter_map(|(id, config)| extension(&id, config)).collect()
}

fn extension(id: &str, config: ExtensionConfig) -> Option<Box<dyn Extension>> {
    match config {
        ExtensionConfig::FileStorage(_) => None,
        ExtensionConfig::HealthCheck(config) => Some(Box::new(HealthCheck::new(id, config))),
    }
}

/// The extensions that run by themselves, by id. A process can't change them while it runs.
pub(crate) fn fixed(config: &Config) -> BTreeMap<String, ExtensionConfig> {
    let of = |id: &String| Some((id.clone(), config.extensions.get(id)?.clone()));
    let runs = |(_, config): &(String, ExtensionConfig)| !matches!(config, ExtensionConfig::FileStorage(_));
    config.service.extensions.iter().filter_map(of).filter(runs).collect()
}
