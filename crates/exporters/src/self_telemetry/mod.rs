//! The process's own metrics: instruments of the OpenTelemetry API, scraped as Prometheus text and pushed as OTLP.

mod config;
mod process;
mod push;
mod scrape;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::InstrumentationScope;
use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use otel_tcpretrans_pipeline::config::Problem;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

pub use config::{MetricsConfig, PushConfig};
use push::Push;

use crate::resource::Resource;
use crate::{Environment, SCOPE_NAME, VERSION};

/// What the last push has at least.
const LAST_PUSH: Duration = Duration::from_secs(1);

/// Why the process's own metrics can't be had.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The configuration, the environment where it is silent, or the files that these name can't be.
    #[error("service.telemetry.metrics: {}", crate::joined(.0))]
    Configuration(Vec<Problem>),
    /// The address for scrapes can't be listened on.
    #[error("service.telemetry.metrics.prometheus: can't listen on {address}: {source}")]
    Bind {
        /// The address, as configured.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// The OpenTelemetry SDK refuses.
    #[error("service.telemetry.metrics: {0}")]
    Sdk(String),
}

/// Self-telemetry with instruments and without readers yet: register on [`SelfTelemetry::meter`], then
/// [`SelfTelemetry::start`].
pub struct SelfTelemetry {
    provider: SdkMeterProvider,
    meter: Meter,
    scrape: Option<(String, prometheus::Registry)>,
    push: Option<Push>,
}

impl SelfTelemetry {
    /// Sets it up, the process's own numbers (uptime, CPU time, memory) among the instruments. Call it within a tokio
    /// runtime.
    ///
    /// # Errors
    /// Says what is wrong with configuration, environment or certificate files.
    pub fn new(
        config: &MetricsConfig,
        environment: &Environment<'_>,
        resource: &Resource,
    ) -> Result<Self, TelemetryError> {
        let problems = config.validate(environment);
        if !problems.is_empty() {
            return Err(TelemetryError::Configuration(problems));
        }
        let mut provider = SdkMeterProvider::builder().with_resource(resource.to_sdk());
        let mut scrape = None;
        if let Some(address) = &config.prometheus {
            let (registry, reader) =
                scrape::reader().map_err(|error| TelemetryError::Sdk(error.to_string()))?;
            provider = provider.with_reader(reader);
            scrape = Some((address.clone(), registry));
        }
        let mut push = None;
        if let Some(config) = &config.otlp {
            let (pusher, reader) = push::reader(config, environment)?;
            provider = provider.with_reader(reader);
            push = Some(pusher);
        }
        let provider = provider.build();
        let scope = InstrumentationScope::builder(SCOPE_NAME).with_version(VERSION).build();
        let meter = provider.meter_with_scope(scope);
        process::register(&meter);
        Ok(SelfTelemetry { provider, meter, scrape, push })
    }

    /// The meter on which to register what is to be seen.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Starts to listen and to push. `before_collect` runs right before each scrape and each push reads the instruments,
    /// never twice at once and never while they are being read.
    ///
    /// # Errors
    /// The address for scrapes can't be listened on.
    pub async fn start(
        self,
        before_collect: impl Fn() + Send + Sync + 'static,
    ) -> Result<Running, TelemetryError> {
        let collector = Arc::new(Collector { before: Box::new(before_collect), turn: Mutex::new(()) });
        let (stop, stopped) = watch::channel(());
        let mut tasks = Vec::new();
        let mut address = None;
        if let Some((configured, registry)) = self.scrape {
            let bind = async {
                let listener = TcpListener::bind(&configured).await?;
                Ok((listener.local_addr()?, listener))
            };
            let (bound, listener) =
                bind.await.map_err(|source| TelemetryError::Bind { address: configured.clone(), source })?;
            address = Some(bound);
            tasks.push(tokio::spawn(scrape::serve(listener, registry, collector.clone(), stopped.clone())));
        }
        if let Some(push) = self.push {
            tasks.push(tokio::spawn(push.run(collector, stopped)));
        }
        Ok(Running { address, tasks, stop, provider: self.provider })
    }
}

/// Self-telemetry at work, until it is shut down.
pub struct Running {
    address: Option<SocketAddr>,
    tasks: Vec<JoinHandle<()>>,
    stop: watch::Sender<()>,
    /// Its readers know it only weakly.
    provider: SdkMeterProvider,
}

impl Running {
    /// Where it is scraped.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Pushes a last time, where it pushes, and stops; what is not done at the deadline is given up. A drain that took
    /// all the time leaves numbers that matter, so that the last push has a moment in any case.
    pub async fn shutdown(self, deadline: Instant) {
        let deadline = deadline.max(Instant::now() + LAST_PUSH);
        drop(self.stop);
        for mut task in self.tasks {
            if timeout_at(deadline, &mut task).await.is_err() {
                task.abort();
            }
        }
        if let Err(error) = self.provider.shutdown() {
            tracing::debug!(%error, "shutting down the meter provider");
        }
    }
}

/// Gives each reader its turn, so that all instruments of one reading show one moment.
struct Collector {
    before: Box<dyn Fn() + Send + Sync>,
    turn: Mutex<()>,
}

impl Collector {
    fn collect<T>(&self, read: impl FnOnce() -> T) -> T {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        (self.before)();
        read()
    }
}
