//! Settings -> a gRPC endpoint that can be connected to, its certificates read.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use super::settings::Settings;
use super::trust_all::TrustAll;
use crate::{SCOPE_NAME, VERSION};

/// Idle time after which the kernel asks whether the backend is still there.
const TCP_KEEPALIVE: Duration = Duration::from_secs(30);

/// Why a connection can't be set up. That the backend is not there is no such reason.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A file that the configuration names can't be read.
    #[error("tls.{key}: can't read {}: {source}", path.display())]
    Read {
        /// The configuration's key.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds no certificate.
    #[error("tls.{key}: {} holds no PEM certificate", path.display())]
    NoCertificate {
        /// The configuration's key.
        key: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// gRPC or TLS refuses the settings.
    #[error("{endpoint}: can't set up the connection: {message}")]
    Setup {
        /// Where to.
        endpoint: String,
        /// Why.
        message: String,
    },
}

/// Makes an endpoint; nothing is connected yet.
pub(crate) fn endpoint(settings: &Settings) -> Result<Endpoint, ConnectError> {
    let setup = |error: tonic::transport::Error| ConnectError::Setup {
        endpoint: settings.endpoint.to_string(),
        message: super::status::chain(&error),
    };
    let endpoint = Endpoint::from_shared(settings.endpoint.uri().to_string())
        .and_then(|endpoint| endpoint.user_agent(format!("{SCOPE_NAME}/{VERSION}")))
        .map_err(setup)?
        .connect_timeout(settings.timeout)
        .tcp_keepalive(Some(TCP_KEEPALIVE));
    if !settings.endpoint.is_tls() {
        return Ok(endpoint);
    }

    let files = &settings.tls;
    let mut tls = ClientTlsConfig::new();
    if let (Some(certificate), Some(key)) = (&files.cert_file, &files.key_file) {
        tls =
            tls.identity(Identity::from_pem(certificates("cert_file", certificate)?, read("key_file", key)?));
    }
    if files.insecure_skip_verify {
        return endpoint.tls_config_with_verifier(tls, Arc::new(TrustAll::new())).map_err(setup);
    }
    tls = match &files.ca_file {
        Some(path) => tls.ca_certificate(Certificate::from_pem(certificates("ca_file", path)?)),
        None => tls.with_native_roots(),
    };
    endpoint.tls_config(tls).map_err(setup)
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, ConnectError> {
    fs::read(path).map_err(|source| ConnectError::Read { key, path: path.to_owned(), source })
}

/// Reads a PEM file. One without any certificate would be accepted by TLS, which then trusts nobody.
fn certificates(key: &'static str, path: &Path) -> Result<Vec<u8>, ConnectError> {
    let pem = read(key, path)?;
    match CertificateDer::from_pem_slice(&pem) {
        Ok(_) => Ok(pem),
        Err(_) => Err(ConnectError::NoCertificate { key, path: path.to_owned() }),
    }
}
