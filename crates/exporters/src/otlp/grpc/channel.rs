//! Makes a gRPC endpoint from settings, with the certificates read.

use std::sync::Arc;

use otel_tcpretrans_pipeline::config::Problem;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use crate::otlp::client::{TCP_KEEPALIVE, user_agent};
use crate::otlp::explain::chain;
use crate::otlp::settings::Settings;
use crate::otlp::trust_all::TrustAll;

/// Makes an endpoint, which connects when it is first used.
///
/// # Errors
/// A file that the settings name can't be used, or TLS refuses its content. A backend that can't be reached is no
/// error, since the connection is made later.
pub(crate) fn endpoint(settings: &Settings) -> Result<Endpoint, Vec<Problem>> {
    build(settings, true)
}

/// Reads the files that the settings name and checks that [`endpoint`] would accept them. It does not load the system's
/// authorities, since they are no part of a configuration.
///
/// # Errors
/// As [`endpoint`].
pub(crate) fn check_files(settings: &Settings) -> Result<(), Vec<Problem>> {
    build(settings, false).map(drop)
}

fn build(settings: &Settings, native_roots: bool) -> Result<Endpoint, Vec<Problem>> {
    let setup = |error: tonic::transport::Error| {
        let message = format!("can't set up the connection: {}", chain(&error));
        vec![Problem::at("tls", message)]
    };
    let endpoint = Endpoint::from_shared(settings.endpoint.uri().to_string())
        .and_then(|endpoint| endpoint.user_agent(user_agent()))
        .map_err(setup)?
        .connect_timeout(settings.timeout)
        .tcp_keepalive(Some(TCP_KEEPALIVE));
    if !settings.endpoint.is_tls() {
        return Ok(endpoint);
    }

    let files = settings.tls.read_files()?;
    let mut tls = ClientTlsConfig::new();
    if let Some((certificate, key)) = files.identity {
        tls = tls.identity(Identity::from_pem(certificate, key));
    }
    if settings.tls.insecure_skip_verify {
        return endpoint.tls_config_with_verifier(tls, Arc::new(TrustAll::new())).map_err(setup);
    }
    tls = match files.authorities {
        Some(authorities) => tls.ca_certificate(Certificate::from_pem(authorities)),
        None if native_roots => tls.with_native_roots(),
        None => tls,
    };
    endpoint.tls_config(tls).map_err(setup)
}
