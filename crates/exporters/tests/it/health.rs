//! `health_check` by gRPC, as the client of the field asks.

use std::net::TcpListener;

use otel_tcpretrans_exporters::health_check::{Config, GrpcConfig, HealthCheck};
use otel_tcpretrans_pipeline::component::{Extension, Host};
use otel_tcpretrans_pipeline::running::Phase;
use tokio::time::{Instant, timeout};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::PATIENCE;

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

fn of(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.to_owned() }
}

#[tokio::test]
async fn grpc_health_is_checked_and_watched() {
    let (host, address) = (Host::default(), free_address());
    let config = Config {
        endpoint: free_address(),
        grpc: Some(GrpcConfig { endpoint: address.clone() }),
        ..Config::default()
    };
    let mut extension = HealthCheck::new("health_check", config);
    extension.start(&host).await.unwrap();
    let channel = tonic::transport::Endpoint::new(format!("http://{address}")).unwrap().connect().await;
    let mut client = HealthClient::new(channel.unwrap());

    let status =
        async |client: &mut HealthClient<_>| client.check(of("")).await.unwrap().into_inner().status();
    assert_eq!(status(&mut client).await, ServingStatus::NotServing);
    let unknown = client.check(of("logs/none")).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);

    let mut watched = client.watch(of("")).await.unwrap().into_inner();
    for (phase, expected) in [
        (Phase::Starting, ServingStatus::NotServing),
        (Phase::Running, ServingStatus::Serving),
        (Phase::Stopping, ServingStatus::NotServing),
    ] {
        host.running.enter(phase);
        let next = timeout(PATIENCE, watched.message()).await.expect("a change").unwrap().expect("a status");
        assert_eq!(next.status(), expected, "{phase:?}");
        assert_eq!(status(&mut client).await, expected);
    }
    extension.stop(Instant::now() + PATIENCE).await;
    assert!(client.check(of("")).await.is_err(), "it has stopped");
}

#[tokio::test]
async fn an_address_that_is_taken_is_an_error_that_names_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = taken.local_addr().unwrap().to_string();
    let mut extension =
        HealthCheck::new("health_check/b", Config { endpoint: endpoint.clone(), ..Config::default() });
    let error = extension.start(&Host::default()).await.unwrap_err().to_string();
    let expected = format!("extensions.health_check/b: can't listen on {endpoint}: Address already in use");
    assert!(error.starts_with(&expected), "{error}");
}
