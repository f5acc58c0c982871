//! `print-config`: prints the merged configuration as one file. The file is valid as input again, except for the masked
//! secrets.

use otel_tcpretrans_exporters::otlp::Kind;
use otel_tcpretrans_exporters::process_environment;
use serde_yaml::Value;

use crate::cli::Sources;
use crate::components::ExporterConfig;
use crate::config::Config;

pub(crate) fn run(sources: &Sources) -> anyhow::Result<()> {
    let loaded = super::load_and_warn(sources)?;
    let mut config = serde_yaml::to_value(filled_in(loaded.config))?;
    escape(&mut config);
    super::print_yaml(&config)
}

/// Doubles each dollar sign, since a single one may begin a reference when the file is read again.
fn escape(value: &mut Value) {
    match value {
        Value::String(text) => *text = text.replace('$', "$$"),
        Value::Sequence(items) => items.iter_mut().for_each(escape),
        Value::Mapping(entries) => entries.values_mut().for_each(escape),
        _ => {}
    }
}

/// Fills in what the environment sets and the files do not.
fn filled_in(mut config: Config) -> Config {
    for exporter in config.exporters.values_mut() {
        let (kind, otlp) = match exporter {
            ExporterConfig::Otlp(otlp) => (Kind::Otlp, otlp),
            ExporterConfig::OtlpHttp(otlp) => (Kind::OtlpHttp, otlp),
            ExporterConfig::Prometheus(_) | ExporterConfig::File(_) | ExporterConfig::Debug(_) => continue,
        };
        if let Ok(filled) = otlp.filled_in(kind, &process_environment) {
            **otlp = filled;
        }
    }
    if let Ok(filled) = config.service.telemetry.metrics.filled_in(&process_environment) {
        config.service.telemetry.metrics = filled;
    }
    if let Some(otlp) = &mut config.service.telemetry.logs.otlp
        && let Ok(filled) = otlp.filled_in(&process_environment)
    {
        *otlp = filled;
    }
    config
}
