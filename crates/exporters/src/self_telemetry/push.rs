//! Pushes the process's own metrics as OTLP, by opentelemetry-otlp.

use std::sync::{Arc, Weak};
use std::time::Duration;

use opentelemetry_otlp::MetricExporter;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::reader::MetricReader;
use opentelemetry_sdk::metrics::{InstrumentKind, ManualReader, Pipeline, Temporality};
use otel_tcpretrans_pipeline::config::Problem;
use otel_tcpretrans_pipeline::say_once::SayOnce;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tracing::{info, warn};

use super::config::temporality;
use super::connection::connected;
use super::error::TelemetryError;
use super::push_config::{PushConfig, below_otlp};
use super::refresher::Refresher;
use crate::Environment;
use crate::otlp::Settings;

/// A pusher, not started yet.
pub(super) struct Push {
    reader: Arc<ManualReader>,
    exporter: MetricExporter,
    settings: Settings,
    temporality: Temporality,
    interval: Duration,
}

/// Why a push did not arrive.
#[derive(Debug, thiserror::Error)]
enum PushError {
    #[error(transparent)]
    Sdk(#[from] OTelSdkError),
    #[error("no answer within {0:?}")]
    NoAnswer(Duration),
    #[error("setting up a new connection: {0}")]
    Connect(#[from] TelemetryError),
}

/// A pusher, and the reader that collects what it pushes.
pub(super) fn reader(
    config: &PushConfig,
    environment: &Environment<'_>,
) -> Result<(Push, SharedReader), TelemetryError> {
    let settings = config.resolve(environment).map_err(unusable)?;
    let temporality =
        temporality(environment).map_err(|problem| TelemetryError::Configuration(vec![problem]))?;
    let reader = Arc::new(ManualReader::builder().with_temporality(temporality).build());
    let push = Push {
        reader: reader.clone(),
        exporter: exporter(&settings, temporality)?,
        settings,
        temporality,
        interval: *config.interval,
    };
    Ok((push, SharedReader(reader)))
}

fn unusable(problems: Vec<Problem>) -> TelemetryError {
    TelemetryError::Configuration(below_otlp(problems))
}

fn exporter(settings: &Settings, temporality: Temporality) -> Result<MetricExporter, TelemetryError> {
    let builder = MetricExporter::builder().with_temporality(temporality).with_tonic();
    let builder = connected(builder, settings).map_err(unusable)?;
    builder.build().map_err(|error| TelemetryError::Sdk(error.to_string()))
}

impl Push {
    /// Pushes once per interval, and a last time when the sender of `stop` is dropped.
    pub(super) async fn run(mut self, refresher: Arc<Refresher>, mut stop: watch::Receiver<()>) {
        let mut ticks = interval_at(Instant::now() + self.interval, self.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let outage = SayOnce::default();
        loop {
            let last = tokio::select! {
                _ = ticks.tick() => false,
                _ = stop.changed() => true,
            };
            let pushed = self.push(&refresher).await;
            let endpoint = &self.settings.endpoint;
            match pushed {
                Err(error) if outage.begin() => {
                    warn!(%endpoint, %error, "can't push the process's own metrics; this is logged once until it works");
                }
                Ok(()) => {
                    if let Some(failures) = outage.end() {
                        info!(%endpoint, failures, "the process's own metrics are pushed again");
                    }
                }
                Err(_) => {}
            }
            if last {
                return;
            }
        }
    }

    async fn push(&mut self, refresher: &Refresher) -> Result<(), PushError> {
        let mut metrics = ResourceMetrics::default();
        refresher.collect(|| self.reader.collect(&mut metrics))?;
        // opentelemetry-otlp does not apply its timeout to a channel that it is given. Without this one, the channel
        // would wait for a silent peer until TCP gives up.
        match timeout(self.settings.timeout, self.exporter.export(&metrics)).await {
            Ok(answer) => Ok(answer?),
            Err(_) => {
                self.exporter = exporter(&self.settings, self.temporality)?;
                Err(PushError::NoAnswer(self.settings.timeout))
            }
        }
    }
}

/// A reader that the provider and the pusher share.
#[derive(Debug)]
pub(super) struct SharedReader(Arc<ManualReader>);

impl MetricReader for SharedReader {
    fn register_pipeline(&self, pipeline: Weak<Pipeline>) {
        self.0.register_pipeline(pipeline);
    }

    fn collect(&self, metrics: &mut ResourceMetrics) -> OTelSdkResult {
        self.0.collect(metrics)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn temporality(&self, kind: InstrumentKind) -> Temporality {
        self.0.temporality(kind)
    }
}
