//! The `health_check` extension: answers by HTTP and gRPC whether the process does its work.

mod answer;
mod config;
mod grpc;

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use otel_tcpretrans_pipeline::component::{Extension, ExtensionError, Host};
use otel_tcpretrans_pipeline::health::{HANGS_AFTER, Health, judge};
use tokio::time::Instant;

pub use config::{Config, GrpcConfig, ResponseBody};

use crate::http::{self, Listening};

/// A `health_check` extension. It answers from before the graph starts until it has stopped.
pub struct HealthCheck {
    id: String,
    config: Arc<Config>,
    running: Vec<Listening>,
}

impl HealthCheck {
    /// An extension that is not started.
    pub fn new(id: &str, config: Config) -> Self {
        HealthCheck { id: id.to_owned(), config: Arc::new(config), running: Vec::new() }
    }
}

/// The health of the process now.
fn health(host: &Host, config: &Config) -> Health {
    let (runs, books) = (host.running.now(), host.books.snapshot());
    judge(&runs, &books, &host.pulses.hanging(HANGS_AFTER), *config.unhealthy_after, Instant::now())
}

impl Extension for HealthCheck {
    fn start<'s>(&'s mut self, host: &'s Host) -> BoxFuture<'s, Result<(), ExtensionError>> {
        async move {
            let place = format!("extensions.{}", self.id);
            let (config, started, of) = (Arc::clone(&self.config), Instant::now(), host.clone());
            let answers =
                move |request: &_| answer::answer(request, &config, started, || health(&of, &config));
            let endpoint = &self.config.endpoint;
            let http = Listening::start(&place, endpoint, |listener, stop| {
                http::serve("health_check", listener, answers, stop)
            });
            self.running.push(http.await?);
            if let Some(grpc) = &self.config.grpc {
                let (config, of) = (Arc::clone(&self.config), host.clone());
                let place = format!("{place}.grpc");
                let grpc = Listening::start(&place, &grpc.endpoint, |listener, stop| {
                    grpc::serve(listener, move || health(&of, &config), stop)
                });
                self.running.push(grpc.await?);
            }
            Ok(())
        }
        .boxed()
    }

    fn stop(&mut self, deadline: Instant) -> BoxFuture<'_, ()> {
        async move {
            for server in self.running.drain(..) {
                server.stop(deadline).await;
            }
        }
        .boxed()
    }
}
