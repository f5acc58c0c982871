//! The protocol `grpc.health.v1`: the service `""` is the process, and each pipeline is a service by its id.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use otel_tcpretrans_pipeline::health::Health as Judged;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tracing::debug;

use crate::http::accept_all;

/// How often a watched service is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Requests of a connection at once.
const STREAMS: u32 = 16;
/// The largest request, in bytes. It has the name of a pipeline.
const LARGEST: usize = 4096;
/// A connection that does not answer for so long is closed.
const ALIVE: Duration = Duration::from_secs(20);

/// Answers by gRPC until the sender of `stop` is dropped.
pub(super) async fn serve(
    listener: TcpListener,
    judge: impl Fn() -> Judged + Send + Sync + 'static,
    stop: watch::Receiver<()>,
) {
    let service = Service { judge: Arc::new(judge), last: Arc::default() };
    let server = HealthServer::new(service).max_decoding_message_size(LARGEST);
    accept_all("health_check by gRPC", listener, stop, |stream| exchange(stream, server.clone())).await;
}

async fn exchange(stream: TcpStream, server: HealthServer<Service>) {
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(16 << 10)
        .keep_alive_interval(ALIVE)
        .keep_alive_timeout(ALIVE)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(server));
    if let Err(error) = connection.await {
        debug!(%error, "health_check: a connection by gRPC failed");
    }
}

#[derive(Clone)]
struct Service {
    judge: Arc<dyn Fn() -> Judged + Send + Sync>,
    /// What watchers were told last, and when. They share it, since there may be many.
    last: Arc<Mutex<Option<Told>>>,
}

/// What watchers were told, and when.
type Told = (Instant, Arc<Judged>);

impl Service {
    /// The health for watchers.
    fn shared(&self) -> Arc<Judged> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((at, health)) if at.elapsed() < LOOK / 2 => Arc::clone(health),
            _ => {
                let health = Arc::new((self.judge)());
                *last = Some((Instant::now(), Arc::clone(&health)));
                health
            }
        }
    }
}

/// The status of a service; `None` if there is no such service.
fn status(health: &Judged, service: &str) -> Option<ServingStatus> {
    let pipeline = |id| health.pipelines.get(id).map(|pipeline| &pipeline.overall);
    let condition = if service.is_empty() { Some(&health.overall) } else { pipeline(service) }?;
    // While it starts or stops, no pipeline serves.
    let is_healthy = condition.is_healthy && (service.is_empty() || health.is_running());
    Some(if is_healthy { ServingStatus::Serving } else { ServingStatus::NotServing })
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

type Answers = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

#[tonic::async_trait]
impl Health for Service {
    type WatchStream = Answers;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let service = request.into_inner().service;
        let status = status(&(self.judge)(), &service);
        status.map(|status| Response::new(response(status))).ok_or_else(|| {
            Status::not_found("there is no pipeline of this name; the process is the service \"\"")
        })
    }

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Answers>, Status> {
        let (service, name) = (self.clone(), request.into_inner().service);
        let answers = stream::unfold(None, move |last| {
            let (service, name) = (service.clone(), name.clone());
            async move {
                loop {
                    let now = status(&service.shared(), &name).unwrap_or(ServingStatus::ServiceUnknown);
                    if Some(now) != last {
                        return Some((Ok(response(now)), Some(now)));
                    }
                    sleep(LOOK).await;
                }
            }
        });
        Ok(Response::new(answers.boxed()))
    }
}
