//! TLS of a connection: the `tls` section of the configuration, and the certificates and keys that its files hold.

use std::fs;
use std::path::{Path, PathBuf};

use otel_tcpretrans_pipeline::config::Problem;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};

/// TLS of a connection to a backend.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsConfig {
    /// PEM file of the authorities to trust, in place of the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// PEM file of this client's certificate and its chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert_file: Option<PathBuf>,
    /// PEM file of the certificate's private key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// Whether an endpoint without a scheme is reached in plaintext. Default false.
    pub insecure: Option<bool>,
    /// Whether any certificate of the server is accepted, without verifying it. Default false.
    pub insecure_skip_verify: bool,
}

impl TlsConfig {
    /// The files that it names.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        [&self.ca_file, &self.cert_file, &self.key_file].into_iter().flatten().cloned().collect()
    }
}

/// The content of the files that a [`TlsConfig`] names, in PEM.
pub(super) struct TlsFiles {
    /// This client's certificate, with its chain, and its private key.
    pub(super) identity: Option<(Vec<u8>, Vec<u8>)>,
    /// The authorities to trust in place of the system's.
    pub(super) authorities: Option<Vec<u8>>,
}

impl TlsConfig {
    /// Reads the files. `ca_file` is not read if the server's certificate is not verified.
    ///
    /// # Errors
    /// Each file that can't be read, or that has no certificate in it.
    pub(super) fn read_files(&self) -> Result<TlsFiles, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut keep = |content: Result<Vec<u8>, Problem>| content.map_err(|p| problems.push(p)).ok();
        let certificate = self.cert_file.as_ref().and_then(|path| keep(certificates("cert_file", path)));
        let key = self.key_file.as_ref().and_then(|path| keep(read("key_file", path)));
        let ca_file = self.ca_file.as_ref().filter(|_| !self.insecure_skip_verify);
        let authorities = ca_file.and_then(|path| keep(authorities(path)));
        match problems.is_empty() {
            true => Ok(TlsFiles { identity: certificate.zip(key), authorities }),
            false => Err(problems),
        }
    }
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

/// Reads `ca_file`. rustls skips certificates that it can't parse. Without this check, a file of such certificates
/// alone would be accepted, and no server would be trusted.
fn authorities(path: &Path) -> Result<Vec<u8>, Problem> {
    let pem = certificates("ca_file", path)?;
    let certificates = CertificateDer::pem_slice_iter(&pem).flatten();
    match RootCertStore::empty().add_parsable_certificates(certificates) {
        (0, _) => Err(no_certificate("ca_file", path)),
        _ => Ok(pem),
    }
}

/// Reads a PEM file and checks that it begins with a certificate, since rustls accepts a file without one.
fn certificates(key: &str, path: &Path) -> Result<Vec<u8>, Problem> {
    let pem = read(key, path)?;
    match CertificateDer::from_pem_slice(&pem) {
        Ok(_) => Ok(pem),
        Err(_) => Err(no_certificate(key, path)),
    }
}
