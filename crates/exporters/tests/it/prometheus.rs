//! The `prometheus` exporter, scraped over HTTP as Prometheus does.

use std::net::TcpListener;

use otel_tcpretrans_exporters::prometheus::{Config, PrometheusExporter, Servers};
use otel_tcpretrans_pipeline::books::Signal;
use otel_tcpretrans_pipeline::component::Batch;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{export, fixtures, ledger, resource};

fn free() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn exporter(port: u16, more: &str, servers: &Servers) -> PrometheusExporter {
    let config: Config = serde_yaml::from_str(&format!("{{ endpoint: '127.0.0.1:{port}' {more} }}")).unwrap();
    assert_eq!(config.validate(), []);
    PrometheusExporter::start("prometheus", &config, &resource(), servers).unwrap()
}

/// Head and body of a page.
async fn get(port: u16, path: &str, accept: &str) -> (String, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

async fn exported(exporter: &PrometheusExporter, value: u64) {
    let ledger = ledger(Signal::Metrics);
    export(exporter, Batch::Metrics(vec![fixtures::point(value)].into()), &ledger).await;
    assert_eq!(ledger.counts().delivered, 1);
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

#[tokio::test]
async fn the_text_has_the_names_of_the_specification() {
    let (port, servers) = (free(), Servers::default());
    let exporter = exporter(port, ", namespace: host, const_labels: { 'rack.row': \"a\\\"b\" }", &servers);
    exported(&exporter, 4).await;
    exported(&exporter, 7).await;
    let (head, body) = get(port, "/metrics", "text/plain").await;
    assert!(
        head.starts_with("HTTP/1.1 200 ") && head.contains("content-type: text/plain; version=0.0.4"),
        "{head}"
    );
    let own = body.lines().filter(|line| line.contains("retransmits")).collect::<Vec<_>>();
    let labels = format!(
        "instance=\"the-instance\",job=\"otel-tcpretrans\",network_tcp_retransmit_type=\"fast\",network_type=\"ipv4\",otel_scope_name=\"otel-tcpretrans\",\
         otel_scope_version=\"{VERSION}\",rack_row=\"a\\\"b\""
    );
    let expected = [
        "# HELP host_system_network_tcp_retransmits_total TCP segments retransmitted, as the kernel's RetransSegs counts them"
            .to_owned(),
        "# TYPE host_system_network_tcp_retransmits_total counter".to_owned(),
        format!("host_system_network_tcp_retransmits_total{{{labels}}} 7"),
    ];
    assert_eq!(own, expected, "{body}");
    let target: Vec<_> = body.lines().filter(|line| line.starts_with("target_info{")).collect();
    assert_eq!(target.len(), 1, "{body}");
    for label in [
        "job=\"otel-tcpretrans\"",
        "instance=\"the-instance\"",
        "host_name=\"the-host\"",
        "host_arch=\"amd64\"",
    ] {
        assert!(target[0].contains(label), "{label}: {target:?}");
    }
    assert!(!target[0].contains("service_name"));
    assert!(get(port, "/", "").await.0.starts_with("HTTP/1.1 404 "));
}

#[tokio::test]
async fn a_scraper_that_prefers_openmetrics_gets_it() {
    let (port, servers) = (free(), Servers::default());
    let exporter = exporter(port, ", without_scope_info: true", &servers);
    exported(&exporter, 4).await;
    let (head, body) =
        get(port, "/metrics", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5").await;
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0"), "{head}");
    assert!(body.ends_with("# EOF\n"), "{body}");
    assert!(body.contains("# TYPE system_network_tcp_retransmits counter\n"), "{body}");
    let sample = "\nsystem_network_tcp_retransmits_total{instance=\"the-instance\",job=\"otel-tcpretrans\",\
                  network_tcp_retransmit_type=\"fast\",network_type=\"ipv4\"} 4\n";
    assert!(body.contains(sample), "{body}");
    assert!(body.contains("# TYPE target info\n") && body.contains("target_info{"), "{body}");
}

#[tokio::test]
async fn resource_attributes_become_labels_on_request() {
    let (port, servers) = (free(), Servers::default());
    let exporter = exporter(port, ", resource_to_telemetry_conversion: { enabled: true }", &servers);
    exported(&exporter, 4).await;
    let body = get(port, "/metrics", "").await.1;
    let sample = body.lines().find(|line| line.starts_with("system_network_tcp_retransmits_total{")).unwrap();
    assert!(
        sample.contains("deployment_environment_name=\"test\"") && sample.contains("host_name=\"the-host\""),
        "{sample}"
    );
}

/// A reload: the successor starts while the old exporter still runs.
#[tokio::test]
async fn a_changed_exporter_takes_over_the_endpoint() {
    let (port, servers) = (free(), Servers::default());
    let old = exporter(port, "", &servers);
    exported(&old, 4).await;
    let new = exporter(port, ", namespace: new", &servers);
    drop(old);
    exported(&new, 5).await;
    let body = get(port, "/metrics", "").await.1;
    assert!(
        body.contains("\nnew_system_network_tcp_retransmits_total{") && !body.contains("\nsystem_"),
        "{body}"
    );
    let config: Config = serde_yaml::from_str(&format!("endpoint: '127.0.0.1:{port}'")).unwrap();
    let other = PrometheusExporter::start("prometheus/2", &config, &resource(), &Servers::default());
    let message = other.err().unwrap().to_string();
    assert!(
        message.starts_with(&format!("exporters.prometheus/2: can't listen on 127.0.0.1:{port}: ")),
        "{message}"
    );
    drop(new);
    while TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

/// The series of the page that begin with a name, without what all samples share.
fn series<'p>(body: &'p str, name: &str) -> Vec<&'p str> {
    body.lines().filter(|line| line.starts_with(name)).collect()
}

#[tokio::test]
async fn a_view_adds_up_what_it_does_not_tell_apart() {
    let (port, servers) = (free(), Servers::default());
    let views = ", without_scope_info: true, views: [
        { metric: system.network.tcp.retransmits, name: seen_total, labels: { ip: network.type } },
        { metric: system.network.tcp.retransmits, name: reasons, type: gauge,
          labels: { why: [no.such, network.tcp.retransmit.type], pod: k8s.pod.name }, missing: unknown, const_labels: { a: b } } ]";
    let exporter = exporter(port, views, &servers);
    let ledger = ledger(Signal::Metrics);
    let other = {
        let mut point = fixtures::point(5);
        let attributes = point.attributes.iter().filter(|(key, _)| key.name() == "network.type").cloned();
        point.attributes = attributes.collect();
        point
    };
    export(&exporter, Batch::Metrics(vec![fixtures::point(7), other].into()), &ledger).await;
    let (_, body) = get(port, "/metrics", "text/plain").await;
    let shared = "instance=\"the-instance\",ip=\"ipv4\",job=\"otel-tcpretrans\"";
    assert_eq!(series(&body, "seen_total{"), [format!("seen_total{{{shared}}} 12")], "{body}");
    let shared = "a=\"b\",instance=\"the-instance\",job=\"otel-tcpretrans\",pod=\"unknown\"";
    let reasons =
        [format!("reasons{{{shared},why=\"fast\"}} 7"), format!("reasons{{{shared},why=\"unknown\"}} 5")];
    assert_eq!(series(&body, "reasons{"), reasons, "{body}");
    assert!(
        body.contains("# TYPE reasons gauge")
            && body.contains("# TYPE seen counter") | body.contains("# TYPE seen_total counter")
    );
    assert!(!body.contains("system_network"), "only the views are shown: {body}");
}
