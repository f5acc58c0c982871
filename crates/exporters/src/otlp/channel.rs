//! Settings -> a gRPC endpoint that can be connected to, its certificates read.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use otel_tcpretrans_pipeline::config::Problem;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use super::TlsConfig;
use super::settings::Settings;
use super::trust_all::TrustAll;
use crate::{SCOPE_NAME, VERSION};

/// Idle time after which the kernel asks whether the backend is still there.
const TCP_KEEPALIVE: Duration = Duration::from_secs(30);

/// Makes an endpoint; nothing is connected yet.
///
/// # Errors
/// A file that the settings name can't be used, or TLS refuses them. That the backend is not there is no such reason.
pub(crate) fn endpoint(settings: &Settings) -> Result<Endpoint, Vec<Problem>> {
    build(settings, true)
}

/// Would [`endpoint`] be one? The system's authorities are left out, which are no part of a configuration.
pub(super) fn check(settings: &Settings) -> Result<(), Vec<Problem>> {
    build(settings, false).map(drop)
}

fn build(settings: &Settings, native_roots: bool) -> Result<Endpoint, Vec<Problem>> {
    let setup = |error: tonic::transport::Error| {
        let message = format!("can't set up the connection: {}", super::status::chain(&error));
        vec![Problem::at("tls", message)]
    };
    let endpoint = Endpoint::from_shared(settings.endpoint.uri().to_string())
        .and_then(|endpoint| endpoint.user_agent(format!("{SCOPE_NAME}/{VERSION}")))
        .map_err(setup)?
        .connect_timeout(settings.timeout)
        .tcp_keepalive(Some(TCP_KEEPALIVE));
    if !settings.endpoint.is_tls() {
        return Ok(endpoint);
    }

    let TlsConfig { ca_file, cert_file, key_file, insecure_skip_verify, .. } = &settings.tls;
    let mut problems = Vec::new();
    let mut keep = |content: Result<Vec<u8>, Problem>| content.map_err(|p| problems.push(p)).ok();
    let certificate = cert_file.as_ref().and_then(|path| keep(certificates("cert_file", path)));
    let key = key_file.as_ref().and_then(|path| keep(read("key_file", path)));
    let trusted = ca_file.as_ref().filter(|_| !insecure_skip_verify);
    let trusted = trusted.and_then(|path| keep(authorities(path)));
    if !problems.is_empty() {
        return Err(problems);
    }

    let mut tls = ClientTlsConfig::new();
    if let (Some(certificate), Some(key)) = (certificate, key) {
        tls = tls.identity(Identity::from_pem(certificate, key));
    }
    if *insecure_skip_verify {
        return endpoint.tls_config_with_verifier(tls, Arc::new(TrustAll::new())).map_err(setup);
    }
    tls = match trusted {
        Some(authorities) => tls.ca_certificate(Certificate::from_pem(authorities)),
        None if native_roots => tls.with_native_roots(),
        None => tls,
    };
    endpoint.tls_config(tls).map_err(setup)
}

fn read(key: &str, path: &Path) -> Result<Vec<u8>, Problem> {
    fs::read(path).map_err(|error| unusable(key, format!("can't read {}: {error}", path.display())))
}

fn unusable(key: &str, message: String) -> Problem {
    Problem::at(format!("tls.{key}"), message)
}

fn no_certificate(key: &str, path: &Path) -> Problem {
    unusable(key, format!("{} holds no PEM certificate that can be read", path.display()))
}

/// Reads `ca_file`. TLS passes over certificates that are damaged, and then trusts nobody.
fn authorities(path: &Path) -> Result<Vec<u8>, Problem> {
    let pem = certificates("ca_file", path)?;
    let certificates = CertificateDer::pem_slice_iter(&pem).flatten();
    match RootCertStore::empty().add_parsable_certificates(certificates) {
        (0, _) => Err(no_certificate("ca_file", path)),
        _ => Ok(pem),
    }
}

/// Reads a PEM file. One without any certificate would be accepted by TLS, which then trusts nobody.
fn certificates(key: &str, path: &Path) -> Result<Vec<u8>, Problem> {
    let pem = read(key, path)?;
    match CertificateDer::from_pem_slice(&pem) {
        Ok(_) => Ok(pem),
        Err(_) => Err(no_certificate(key, path)),
    }
}
