//! Reads the configuration again, and decides whether a running process can take it over.

use std::collections::BTreeMap;
use std::sync::Arc;

use otel_tcpretrans_exporters::resource::Resource;
use otel_tcpretrans_pipeline::graph::Plan;

use crate::access::access;
use crate::cli::Sources;
use crate::components::ReceiverConfig;
use crate::config::{self, Config, Diagnostic, LogFormat, Service};
use crate::exit::Refused;
use crate::factory::{Components, ExporterPlan};
use crate::plan::plan;
use crate::sandbox::Confined;
use crate::service::Next;

/// Where the configuration is read from, and what a process can't change of it while it runs.
pub(crate) struct Reloader {
    sources: Sources,
    /// `service` as the process has started with it, and the receivers that needed privileges for their start.
    started: Service,
    privileged: BTreeMap<String, ReceiverConfig>,
    /// The format on the command line, which wins over the configuration's.
    log_format: Option<LogFormat>,
    /// The same for all generations: the id of the instance is part of it.
    resource: Arc<Resource>,
    confined: Arc<Confined>,
}

impl Reloader {
    /// For a process that has started with a configuration from `sources`.
    pub(crate) fn new(
        sources: &Sources,
        started: &Config,
        log_format: Option<LogFormat>,
        resource: Arc<Resource>,
        confined: Arc<Confined>,
    ) -> Reloader {
        let receivers = started.receivers.iter().map(|(id, config)| (id.clone(), config.clone()));
        Reloader {
            sources: sources.clone(),
            started: started.service.clone(),
            privileged: receivers.filter(|(_, config)| config.needs_privileges()).collect(),
            log_format,
            resource,
            confined,
        }
    }

    /// Reads and checks the configuration. Changes nothing. Logs its warnings.
    ///
    /// # Errors
    /// [`Refused`] with all problems, or the keys for which a restart is needed.
    pub(crate) fn read(&self) -> anyhow::Result<Next<Components>> {
        let loaded = config::load(&self.sources.files, &self.sources.sets)
            .map_err(|problems| self.refused(problems))?;
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        let config = &loaded.config;
        let fixed = restart_needed(&self.started, &config.service, self.log_format);
        if !fixed.is_empty() {
            anyhow::bail!("restart needed: {} changed", fixed.join(", "));
        }
        let plan = plan(config, Arc::clone(&self.resource));
        if let Some(allowed) = self.confined.access() {
            self.check_privileges(&plan)?;
            if let Some(outside) = access(&self.sources.files, &loaded).outside(allowed).next() {
                anyhow::bail!(
                    "restart needed: {} is outside of the folders that the process may still open (service.sandbox)",
                    outside.display()
                );
            }
        }
        let shutdown_timeout = *config.service.shutdown_timeout;
        Ok(Next { level: config.service.telemetry.logs.level, shutdown_timeout, plan, hash: loaded.hash })
    }

    /// A sandboxed process can't read a file in a new place, which looks like a wrong mode of the file.
    fn refused(&self, problems: Vec<Diagnostic>) -> Refused {
        let is_forbidden = |problem: &Diagnostic| problem.message.contains("Permission denied");
        if self.confined.access().is_some() && problems.iter().any(is_forbidden) {
            tracing::error!(
                "the process may open files in the folders that its configuration named at the start (service.sandbox); \
                 a file elsewhere, or one that only root may read, needs a restart"
            );
        }
        Refused(problems)
    }

    /// A receiver that needs privileges for its start must be one that runs.
    fn check_privileges(&self, plan: &Plan<ReceiverConfig, ExporterPlan>) -> anyhow::Result<()> {
        let is_new = |id: &String, config: &ReceiverConfig| self.privileged.get(id) != Some(config);
        for (id, receiver) in &plan.receivers {
            if receiver.config.needs_privileges() && is_new(id, &receiver.config) {
                anyhow::bail!(
                    "restart needed: receivers.{id} is new or changed, and the process has given up the privileges for its \
                     start (service.sandbox)"
                );
            }
        }
        Ok(())
    }
}

/// The keys that differ and that a running process can't change: what the log and the own telemetry were set up with.
fn restart_needed(old: &Service, new: &Service, log_format: Option<LogFormat>) -> Vec<&'static str> {
    let mut keys = Vec::new();
    if old.sandbox != new.sandbox {
        keys.push("service.sandbox");
    }
    let (old, new) = (&old.telemetry, &new.telemetry);
    if old.metrics != new.metrics {
        keys.push("service.telemetry.metrics");
    }
    if old.resource != new.resource {
        keys.push("service.telemetry.resource");
    }
    if log_format.is_none() && old.logs.format != new.logs.format {
        keys.push("service.telemetry.logs.format");
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{LogLevel, Sandboxing};

    #[test]
    fn what_only_a_restart_can_change_is_named() {
        let old = Service::default();
        let mut new = old.clone();
        new.telemetry.logs.level = LogLevel::Debug;
        assert_eq!(restart_needed(&old, &new, None), [""; 0]);
        new.sandbox = Sandboxing::Off;
        new.telemetry.logs.format = LogFormat::Json;
        new.telemetry.metrics.prometheus = None;
        new.telemetry.resource.insert("a".to_owned(), None);
        let keys = restart_needed(&old, &new, None);
        assert_eq!(
            keys,
            [
                "service.sandbox",
                "service.telemetry.metrics",
                "service.telemetry.resource",
                "service.telemetry.logs.format"
            ]
        );
        assert_eq!(restart_needed(&old, &new, Some(LogFormat::Text)).len(), 3, "the command line wins");
    }
}
