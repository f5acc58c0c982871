//! TLS: which servers the exporter trusts, and how it identifies itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use otel_tcpretrans_exporters::otlp::{self, Config, Kind, Protocol};
use otel_tcpretrans_pipeline::books::{Books, Signal};
use otel_tcpretrans_pipeline::delivery::{Compression, Format, Request, SendError, Transport};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tonic::transport::{Certificate, Identity, ServerTlsConfig};

use crate::backend::Backend;
use crate::delivery::exporter;
use crate::{drain, export, http, ledger, logs, no_environment, resource};

/// An authority and what it signs, as files.
struct Authority {
    directory: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let authority = Authority { directory: tempfile::tempdir().unwrap(), issuer };
        fs::write(authority.file("ca.pem"), authority.issuer.pem()).unwrap();
        authority
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Signs a certificate for `name`; PEM of certificate and key.
    fn sign(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    fn server(&self) -> ServerTlsConfig {
        let (certificate, key) = self.sign("localhost");
        ServerTlsConfig::new().identity(Identity::from_pem(certificate, key))
    }
}

async fn backend(tls: ServerTlsConfig) -> (Backend, String) {
    let backend = Backend::serve("127.0.0.1:0".parse().unwrap(), Some(tls), []).await;
    let url = format!("https://localhost:{}", backend.address.port());
    (backend, url)
}

async fn delivers(backend: &Backend, url: &str, tls: &str) {
    let exporter = exporter(url, Signal::Logs, tls);
    let ledger = ledger(Signal::Logs);
    export(&*exporter, logs(3), &ledger).await;
    backend.arrived(1).await;
    drain(&*exporter, &ledger).await;
    assert_eq!(ledger.counts().delivered, 3);
}

fn empty() -> Request {
    Request { body: bytes::Bytes::new(), format: Format::Proto, compression: Compression::None, items: 0 }
}

async fn refusal(url: &str, tls: &str) -> String {
    let config: Config = serde_yaml::from_str(&format!("{{ endpoint: '{url}', {tls} }}")).unwrap();
    let settings = config.resolve(Kind::Otlp, Signal::Logs, &no_environment).unwrap();
    let transport = otlp::GrpcTransport::connect_lazy(Signal::Logs, &settings).unwrap();
    let empty = empty();
    match transport.send(&empty).await {
        Err(SendError::Retryable { message, .. }) => message,
        other => panic!("{other:?}"),
    }
}

fn tls(key: &str, path: &Path) -> String {
    format!("{key}: '{}'", path.display())
}

#[tokio::test]
async fn trusts_the_authority_of_the_file_and_no_other() {
    let authority = Authority::new();
    let (backend, url) = backend(authority.server()).await;
    let trusting =
        |authority: &Authority| format!("tls: {{ {} }}", tls("ca_file", &authority.file("ca.pem")));
    let message = refusal(&url, &trusting(&Authority::new())).await;
    assert!(message.starts_with(&url) && message.contains("certificate"), "{message}");
    assert_eq!(backend.count(), 0);
    delivers(&backend, &url, &trusting(&authority)).await;
    // The same without a scheme, as the Collector writes it.
    let bare = url.strip_prefix("https://").unwrap();
    delivers(&backend, bare, &trusting(&authority)).await;
}

#[tokio::test]
async fn insecure_skip_verify_trusts_any_server() {
    let (backend, url) = backend(Authority::new().server()).await;
    delivers(&backend, &url, "tls: { insecure_skip_verify: true }").await;
}

#[tokio::test]
async fn shows_its_own_certificate_if_it_has_one() {
    let authority = Authority::new();
    let server = authority.server().client_ca_root(Certificate::from_pem(authority.issuer.pem()));
    let (backend, url) = backend(server).await;
    let (certificate, key) = authority.sign("client");
    fs::write(authority.file("cert.pem"), certificate).unwrap();
    fs::write(authority.file("key.pem"), key).unwrap();
    let ca = tls("ca_file", &authority.file("ca.pem"));
    refusal(&url, &format!("tls: {{ {ca} }}")).await;
    let (cert, key) =
        (tls("cert_file", &authority.file("cert.pem")), tls("key_file", &authority.file("key.pem")));
    delivers(&backend, &url, &format!("tls: {{ {ca}, {cert}, {key} }}")).await;
}

/// An HTTP server with a certificate of `authority`.
async fn http_server(authority: &Authority) -> http::Server {
    let (certificate, key) = authority.sign("localhost");
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    http::Server::with_tls(TlsAcceptor::from(Arc::new(config))).await
}

#[tokio::test]
async fn over_http_too_the_authority_of_the_file_is_trusted_and_no_other() {
    let authority = Authority::new();
    for (ca, deliveries) in [(&authority, 1), (&Authority::new(), 0)] {
        let server = http_server(&authority).await;
        let trust = tls("ca_file", &ca.file("ca.pem"));
        let more = format!("tls: {{ {trust} }}, retry_on_failure: {{ enabled: false }}");
        let exporter = http::exporter(&format!("https://localhost:{}", server.port), Signal::Logs, &more);
        let ledger = ledger(Signal::Logs);
        export(&*exporter, logs(3), &ledger).await;
        drain(&*exporter, &ledger).await;
        assert_eq!(server.count(), deliveries);
        assert_eq!(ledger.counts().delivered, 3 * deliveries as u64);
    }
}

/// An authority is replaced on disk while requests fail: the next attempt trusts the new one, by both protocols.
#[tokio::test]
async fn replaced_certificates_are_used_without_a_restart() {
    let authority = Authority::new();
    let (backend, grpc) = backend(authority.server()).await;
    let server = http_server(&authority).await;
    let https = format!("https://localhost:{}", server.port);
    for (kind, url) in [(Kind::Otlp, grpc), (Kind::OtlpHttp, https)] {
        let place = tempfile::tempdir().unwrap();
        let ca = place.path().join("ca.pem");
        fs::copy(Authority::new().file("ca.pem"), &ca).unwrap();
        let yaml = format!("{{ endpoint: '{url}', tls: {{ {} }} }}", tls("ca_file", &ca));
        let config: Config = serde_yaml::from_str(&yaml).unwrap();
        let settings = config.resolve(kind, Signal::Logs, &no_environment).unwrap();
        let empty = empty();
        let replace = || {
            fs::copy(authority.file("ca.pem"), place.path().join("new.pem")).unwrap();
            fs::rename(place.path().join("new.pem"), &ca).unwrap();
        };
        match settings.protocol {
            Protocol::Grpc => {
                let transport = otlp::GrpcTransport::connect_lazy(Signal::Logs, &settings).unwrap();
                transport.send(&empty).await.expect_err("another authority");
                replace();
                transport.send(&empty).await.expect("the replaced authority");
            }
            Protocol::Http(_) => {
                let transport = otlp::HttpTransport::new(Signal::Logs, &settings).unwrap();
                transport.send(&empty).await.expect_err("another authority");
                replace();
                transport.send(&empty).await.expect("the replaced authority");
            }
        }
    }
    assert_eq!((backend.count(), server.count()), (1, 1));
}

#[tokio::test]
async fn files_that_can_not_be_used_are_named_at_start() {
    let directory = tempfile::tempdir().unwrap();
    let empty = directory.path().join("empty.pem");
    fs::write(&empty, "").unwrap();
    let damaged = directory.path().join("damaged.pem");
    fs::write(&damaged, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    for (path, expected) in [
        (directory.path().join("none.pem"), "can't read"),
        (empty, "holds no PEM certificate"),
        (damaged, "holds no PEM certificate"),
    ] {
        let yaml = format!("{{ endpoint: 'https://localhost:1', tls: {{ {} }} }}", tls("ca_file", &path));
        let config: Config = serde_yaml::from_str(&yaml).unwrap();
        let started = otlp::start(
            "otlp",
            Kind::Otlp,
            Signal::Logs,
            &config,
            &no_environment,
            &resource(),
            None,
            &Books::default(),
        );
        let message = match started {
            Err(error) => error.to_string(),
            Ok(_) => panic!("started without {}", path.display()),
        };
        assert!(
            message.starts_with("exporters.otlp: tls.ca_file: ") && message.contains(expected),
            "{message}"
        );
        assert!(message.contains(path.to_str().unwrap()), "{message}");
        assert_eq!(
            config.validate(Kind::Otlp, &no_environment)[0].path,
            "tls.ca_file",
            "known without a start"
        );
    }
}
