//! Makes an HTTP client from settings, with the certificates read.

use std::sync::Arc;
use std::time::Duration;

use otel_tcpretrans_pipeline::config::Problem;
use reqwest::redirect::Policy;
use reqwest::{Client, Proxy};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::otlp::client::{TCP_KEEPALIVE, user_agent};
use crate::otlp::explain::chain;
use crate::otlp::settings::Settings;
use crate::otlp::trust_all::TrustAll;
use crate::secret::Secret;

/// How long an idle connection is kept. Many servers close theirs after a minute or more; a request that meets the close
/// would have to be sent again.
const KEEP_IDLE: Duration = Duration::from_secs(30);

/// Makes a client. It follows no redirects: a request that carries a token must not go where nobody configured it to go.
///
/// # Errors
/// A file that the settings name can't be used, TLS refuses its content, or the proxy's URL is none.
pub(super) fn build(settings: &Settings) -> Result<Client, Vec<Problem>> {
    make(settings, true)
}

/// Checks that [`build`] would accept the settings and the files that they name. It does not load the system's
/// authorities, since they are no part of a configuration.
///
/// # Errors
/// As [`build`].
pub(crate) fn check(settings: &Settings) -> Result<(), Vec<Problem>> {
    make(settings, false).map(drop)
}

fn make(settings: &Settings, native_roots: bool) -> Result<Client, Vec<Problem>> {
    let url = settings.proxy_url.as_ref().map(Secret::reveal).transpose();
    let url = url.map_err(|error| vec![Problem::at("proxy_url", error.to_string())])?;
    let proxy = url.as_deref().map(proxy).transpose()?;
    let tls_proxy = url.is_some_and(|url| url.starts_with("https:"));
    let needs_roots = native_roots && (settings.endpoint.is_tls() || tls_proxy);
    let mut builder = Client::builder()
        .user_agent(user_agent())
        .redirect(Policy::none())
        .http1_only()
        .timeout(settings.timeout)
        .tcp_keepalive(TCP_KEEPALIVE)
        .pool_idle_timeout(KEEP_IDLE)
        .tls_backend_preconfigured(tls(settings, needs_roots)?);
    if let Some(proxy) = proxy {
        builder = builder.proxy(proxy); // the environment's proxies no longer count
    }
    builder
        .build()
        .map_err(|error| vec![Problem::at("tls", format!("can't set up the connection: {}", chain(&error)))])
}

/// The URL itself is not repeated, since it may have a password.
fn proxy(url: &str) -> Result<Proxy, Vec<Problem>> {
    let wrong = || vec![Problem::at("proxy_url", "expected a URL such as http://user:password@proxy:3128")];
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return Err(wrong());
    }
    Proxy::all(url).map_err(|_| wrong())
}

fn tls(settings: &Settings, native_roots: bool) -> Result<ClientConfig, Vec<Problem>> {
    let refused = |key: &str, message: String| vec![Problem::at(format!("tls.{key}"), message)];
    let files = settings.tls.read_files()?;
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| refused("ca_file", error.to_string()))?;
    let builder = if settings.tls.insecure_skip_verify {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(TrustAll::new()))
    } else {
        builder.with_root_certificates(authorities(files.authorities, native_roots)?)
    };
    let Some((certificate, key)) = files.identity else { return Ok(builder.with_no_client_auth()) };
    let chain = CertificateDer::pem_slice_iter(&certificate).flatten().collect();
    let key = PrivateKeyDer::from_pem_slice(&key)
        .map_err(|error| refused("key_file", format!("no private key that can be read: {error}")))?;
    builder.with_client_auth_cert(chain, key).map_err(|error| refused("cert_file", error.to_string()))
}

/// Those of `ca_file`, or else the system's. Without TLS there are none.
fn authorities(pem: Option<Vec<u8>>, native: bool) -> Result<RootCertStore, Vec<Problem>> {
    let mut roots = RootCertStore::empty();
    if let Some(pem) = pem {
        roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&pem).flatten());
    } else if native {
        let found = rustls_native_certs::load_native_certs();
        if roots.add_parsable_certificates(found.certs).0 == 0 {
            let message = "the system has no certificates of authorities: install them, or set `ca_file`";
            return Err(vec![Problem::at("tls.ca_file", message)]);
        }
    }
    Ok(roots)
}
