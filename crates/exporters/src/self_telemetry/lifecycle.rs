//! The life of the process's own metrics: set up, started, shut down.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::InstrumentationScope;
use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::config::MetricsConfig;
use super::error::TelemetryError;
use super::push::{self, Push};
use super::refresher::Refresher;
use super::{process, scrape};
use crate::resource::Resource;
use crate::{Environment, SCOPE_NAME, VERSION};

/// How long the last push may take, even if the deadline is earlier.
const LAST_PUSH: Duration = Duration::from_secs(1);

/// Self-telemetry that is set up and not yet started. Register instruments on [`SelfTelemetry::meter`], then call
/// [`SelfTelemetry::start`].
pub struct SelfTelemetry {
    provider: SdkMeterProvider,
    meter: Meter,
    scrape: Option<(String, prometheus::Registry)>,
    push: Option<Push>,
}

impl SelfTelemetry {
    /// Sets it up and registers the process's own numbers: uptime, CPU time and memory. Call it within a tokio runtime.
    ///
    /// # Errors
    /// Something is wrong in the configuration, in the environment or in a certificate file.
    pub fn new(
        config: &MetricsConfig,
        environment: &Environment<'_>,
        resource: &Resource,
    ) -> Result<Self, TelemetryError> {
        let problems = config.validate(environment);
        if !problems.is_empty() {
            return Err(TelemetryError::Configuration(problems));
        }
        let (config, _) = config.short().map_err(TelemetryError::Configuration)?;
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

    /// The meter on which to register instruments.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Starts to listen and to push. Each scrape and each push calls `refresh` before it reads the instruments. Calls
    /// never overlap, neither with each other nor with a reading.
    ///
    /// # Errors
    /// The address for scrapes can't be listened on.
    pub async fn start(
        self,
        refresh: impl Fn() + Send + Sync + 'static,
    ) -> Result<RunningTelemetry, TelemetryError> {
        let refresher = Arc::new(Refresher::new(refresh));
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
            tasks.push(tokio::spawn(scrape::serve(listener, registry, refresher.clone(), stopped.clone())));
        }
        if let Some(push) = self.push {
            tasks.push(tokio::spawn(push.run(refresher, stopped)));
        }
        Ok(RunningTelemetry { address, tasks, stop, provider: self.provider })
    }
}

/// Self-telemetry that is scraped and pushed until it is shut down.
pub struct RunningTelemetry {
    address: Option<SocketAddr>,
    tasks: Vec<JoinHandle<()>>,
    stop: watch::Sender<()>,
    /// The readers hold only weak references to it, so it is kept here.
    provider: SdkMeterProvider,
}

impl RunningTelemetry {
    /// The address that it is scraped at; `None` if it is not scraped.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Pushes a last time if pushing is configured, and stops. What is not done at the deadline is given up. The last
    /// push may take a second even if the deadline has passed. Otherwise a drain that took all the time would leave no
    /// numbers.
    pub async fn shutdown(self, deadline: Instant) {
        let deadline = deadline.max(Instant::now() + LAST_PUSH);
        drop(self.stop);
        for mut task in self.tasks {
            if timeout_at(deadline, &mut task).await.is_err() {
                task.abort();
            }
        }
        if let Err(error) = self.provider.shutdown() {
            tracing::debug!(%error, "can't shut down the meter provider");
        }
    }
}
