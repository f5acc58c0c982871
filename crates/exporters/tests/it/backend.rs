//! An OTLP backend that answers by script and remembers what it was sent.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{LogsService, LogsServiceServer};
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;
use tonic::codec::CompressionEncoding;
use tonic::metadata::MetadataMap;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Server, ServerTlsConfig};
use tonic::{Request, Response, Status};

use crate::PATIENCE;

/// What the backend answers to one request.
pub(crate) enum Answer {
    Partial { rejected: i64, message: String },
    Refuse(Status),
    Hang,
}

/// A request as it arrived.
#[derive(Clone)]
pub(crate) struct Seen<T> {
    pub(crate) message: T,
    pub(crate) metadata: MetadataMap,
    pub(crate) at: Instant,
}

pub(crate) struct State {
    /// Answers to the next requests; success when there are none.
    script: Mutex<VecDeque<Answer>>,
    pub(crate) logs: Mutex<Vec<Seen<ExportLogsServiceRequest>>>,
    pub(crate) metrics: Mutex<Vec<Seen<ExportMetricsServiceRequest>>>,
    arrived: watch::Sender<usize>,
}

#[derive(Clone)]
pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    pub(crate) state: Arc<State>,
}

impl Backend {
    pub(crate) async fn start(script: impl IntoIterator<Item = Answer>) -> Backend {
        Self::serve("127.0.0.1:0".parse().unwrap(), None, script).await
    }

    pub(crate) async fn serve(
        address: SocketAddr,
        tls: Option<ServerTlsConfig>,
        script: impl IntoIterator<Item = Answer>,
    ) -> Backend {
        let listener = TcpListener::bind(address).await.expect("the backend's port is free");
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            script: Mutex::new(script.into_iter().collect()),
            logs: Mutex::default(),
            metrics: Mutex::default(),
            arrived: watch::Sender::new(0),
        });
        let backend = Backend { address, state };
        let mut server = Server::builder();
        if let Some(tls) = tls {
            server = server.tls_config(tls).expect("the server's TLS");
        }
        let logs = LogsServiceServer::new(backend.clone())
            .accept_compressed(CompressionEncoding::Gzip)
            .accept_compressed(CompressionEncoding::Zstd)
            .send_compressed(CompressionEncoding::Gzip);
        let metrics = MetricsServiceServer::new(backend.clone())
            .accept_compressed(CompressionEncoding::Gzip)
            .accept_compressed(CompressionEncoding::Zstd)
            .send_compressed(CompressionEncoding::Zstd);
        let server = server.add_service(logs).add_service(metrics);
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        backend
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until `count` requests have arrived.
    pub(crate) async fn arrived(&self, count: usize) {
        let mut arrived = self.state.arrived.subscribe();
        let waited = timeout(PATIENCE, arrived.wait_for(|arrived| *arrived >= count)).await;
        assert!(waited.is_ok(), "only {} of {count} requests arrived", *self.state.arrived.borrow());
    }

    pub(crate) fn count(&self) -> usize {
        *self.state.arrived.borrow()
    }

    /// The log requests so far.
    pub(crate) fn logs(&self) -> Vec<Seen<ExportLogsServiceRequest>> {
        self.state.logs.lock().unwrap().clone()
    }

    /// The metric requests so far.
    pub(crate) fn metrics(&self) -> Vec<Seen<ExportMetricsServiceRequest>> {
        self.state.metrics.lock().unwrap().clone()
    }

    /// The records of all log requests so far.
    pub(crate) fn records(&self) -> Vec<LogRecord> {
        let logs = self.logs().into_iter().flat_map(|seen| seen.message.resource_logs);
        logs.flat_map(|logs| logs.scope_logs).flat_map(|scope| scope.log_records).collect()
    }

    async fn answer<T>(
        &self,
        store: &Mutex<Vec<Seen<T>>>,
        request: Request<T>,
    ) -> Result<(i64, String), Status> {
        let (metadata, _, message) = request.into_parts();
        store.lock().unwrap().push(Seen { message, metadata, at: Instant::now() });
        let answer = self.state.script.lock().unwrap().pop_front();
        self.state.arrived.send_modify(|arrived| *arrived += 1);
        match answer {
            None => Ok((0, String::new())),
            Some(Answer::Partial { rejected, message }) => Ok((rejected, message)),
            Some(Answer::Refuse(status)) => Err(status),
            Some(Answer::Hang) => std::future::pending().await,
        }
    }
}

#[tonic::async_trait]
impl LogsService for Backend {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        let (rejected_log_records, error_message) = self.answer(&self.state.logs, request).await?;
        let partial = ExportLogsPartialSuccess { rejected_log_records, error_message };
        Ok(Response::new(ExportLogsServiceResponse { partial_success: Some(partial) }))
    }
}

#[tonic::async_trait]
impl MetricsService for Backend {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let (rejected_data_points, error_message) = self.answer(&self.state.metrics, request).await?;
        let partial = ExportMetricsPartialSuccess { rejected_data_points, error_message };
        Ok(Response::new(ExportMetricsServiceResponse { partial_success: Some(partial) }))
    }
}

/// An attribute's value.
pub(crate) fn value(attributes: &[KeyValue], name: &str) -> Option<Value> {
    attributes.iter().find(|attribute| attribute.key == name)?.value.clone()?.value
}

/// A text as a value.
pub(crate) fn text(text: &str) -> Option<Value> {
    AnyValue { value: Some(Value::StringValue(text.into())) }.value
}
