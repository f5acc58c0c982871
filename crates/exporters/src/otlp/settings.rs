//! The settings of a connection: the configuration's values first, then the environment's, then the defaults.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use otel_tcpretrans_pipeline::books::Signal;
use otel_tcpretrans_pipeline::config::{Interval, Problem, fit};
use otel_tcpretrans_pipeline::delivery::Compression;

use super::endpoint::Endpoint;
use super::environment::{self, Variable, Variables};
use super::level;
use super::tls::TlsConfig;
use crate::Environment;
use crate::secret::Secret;

/// The endpoint if none is configured (OpenTelemetry specification, "OTLP Exporter Configuration").
const DEFAULT_ENDPOINT: &str = "http://localhost:4317";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// How to connect to a backend, with the environment and the defaults filled in.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address of the backend.
    pub endpoint: Endpoint,
    /// Compression of requests.
    pub compression: Compression,
    /// Level of the compression, from 1, which is the fastest.
    pub level: u8,
    /// gRPC metadata sent with each request.
    pub headers: BTreeMap<String, Secret>,
    /// TLS. Whether it is used follows from the endpoint's scheme; `insecure` has no further meaning here.
    pub tls: TlsConfig,
    /// How long one attempt may take.
    pub timeout: Duration,
}

/// The keys of a configuration that describe a connection.
pub(crate) struct Fields<'a> {
    pub(crate) endpoint: Option<&'a str>,
    pub(crate) compression: Option<Compression>,
    pub(crate) level: Option<i64>,
    pub(crate) headers: Option<&'a BTreeMap<String, Secret>>,
    pub(crate) tls: &'a TlsConfig,
    pub(crate) timeout: Option<Interval>,
}

/// Fills in the environment and the defaults.
///
/// # Errors
/// All problems, not only the first.
pub(crate) fn resolve(
    fields: &Fields<'_>,
    signal: Signal,
    environment: &Environment<'_>,
) -> Result<Settings, Vec<Problem>> {
    let variables = Variables { signal, environment };
    let mut problems = Vec::new();

    // The variable may have been set for an SDK in the same pod. It counts only if the endpoint is from the environment
    // too.
    if fields.endpoint.is_none() {
        variables.read("PROTOCOL", "", &mut problems, environment::protocol);
    }
    let endpoint = endpoint(fields, &variables, &mut problems);
    let tls = match &endpoint {
        Some(endpoint) if !endpoint.is_tls() => plaintext(fields.tls, &mut problems),
        _ => tls(fields.tls, &variables, &mut problems),
    };
    let compression = fields
        .compression
        .or_else(|| variables.read("COMPRESSION", "compression", &mut problems, environment::compression))
        .unwrap_or_default();
    let level = level::level(compression, fields.level)
        .map_err(|message| problems.push(Problem::at("compression_params.level", message)))
        .unwrap_or(level::DEFAULT);
    let headers = headers(fields, &variables, &mut problems);
    let timeout = match fields.timeout {
        Some(time) => fit(*time).map_err(|message| problems.push(Problem::at("timeout", message))).ok(),
        None => variables.read("TIMEOUT", "timeout", &mut problems, environment::timeout),
    }
    .unwrap_or(DEFAULT_TIMEOUT);

    match endpoint {
        Some(endpoint) if problems.is_empty() => {
            Ok(Settings { endpoint, compression, level, headers, tls, timeout })
        }
        _ => Err(problems),
    }
}

fn endpoint(fields: &Fields<'_>, variables: &Variables<'_>, problems: &mut Vec<Problem>) -> Option<Endpoint> {
    let insecure = fields
        .tls
        .insecure
        .or_else(|| variables.read("INSECURE", "tls.insecure", problems, environment::boolean))
        .unwrap_or(false);
    let parsed = match (fields.endpoint, variables.get("ENDPOINT")) {
        (Some(text), _) => {
            Endpoint::parse(text, insecure).map_err(|message| Problem::at("endpoint", message))
        }
        (None, Some(found)) => {
            Endpoint::parse(&found.value, insecure).map_err(|message| found.problem("endpoint", message))
        }
        (None, None) => Endpoint::parse(DEFAULT_ENDPOINT, insecure).map_err(|m| Problem::at("endpoint", m)),
    };
    parsed.map_err(|problem| problems.push(problem)).ok()
}

/// Settings without TLS. Keys of the configuration that need TLS are problems. Variables are ignored, since they may
/// be set for other programs.
fn plaintext(file: &TlsConfig, problems: &mut Vec<Problem>) -> TlsConfig {
    for (key, is_set) in [
        ("tls.ca_file", file.ca_file.is_some()),
        ("tls.cert_file", file.cert_file.is_some()),
        ("tls.key_file", file.key_file.is_some()),
        ("tls.insecure_skip_verify", file.insecure_skip_verify),
    ] {
        if is_set {
            problems.push(Problem::at(key, "the endpoint has no TLS: use https://, or leave this out"));
        }
    }
    TlsConfig { insecure: file.insecure, ..TlsConfig::default() }
}

fn tls(file: &TlsConfig, variables: &Variables<'_>, problems: &mut Vec<Problem>) -> TlsConfig {
    let found = |file: &Option<PathBuf>, name| if file.is_none() { variables.get(name) } else { None };
    let (ca, cert, key) = (
        found(&file.ca_file, "CERTIFICATE"),
        found(&file.cert_file, "CLIENT_CERTIFICATE"),
        found(&file.key_file, "CLIENT_KEY"),
    );
    let path = |file: &Option<PathBuf>, found: &Option<Variable>| {
        file.clone().or_else(|| found.as_ref().map(|found| PathBuf::from(&found.value)))
    };
    let tls = TlsConfig {
        ca_file: path(&file.ca_file, &ca),
        cert_file: path(&file.cert_file, &cert),
        key_file: path(&file.key_file, &key),
        insecure: file.insecure,
        insecure_skip_verify: file.insecure_skip_verify,
    };
    match (&tls.cert_file, &tls.key_file) {
        (Some(_), None) => {
            problems.push(at(&cert, "tls.cert_file", "a certificate needs its key: set `key_file` too"));
        }
        (None, Some(_)) => {
            problems.push(at(&key, "tls.key_file", "a key needs its certificate: set `cert_file` too"));
        }
        _ => {}
    }
    if tls.insecure_skip_verify && file.ca_file.is_some() {
        problems.push(Problem::at(
            "tls.insecure_skip_verify",
            "contradicts `ca_file`: either the certificate is verified or it is not",
        ));
    }
    tls
}

/// A problem with a value. It names the variable that the value is from; without one, the value is from the
/// configuration.
fn at(found: &Option<Variable>, path: &str, message: impl fmt::Display) -> Problem {
    match found {
        Some(found) => found.problem(path, message),
        None => Problem::at(path, message.to_string()),
    }
}

fn headers(
    fields: &Fields<'_>,
    variables: &Variables<'_>,
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, Secret> {
    if let Some(headers) = fields.headers {
        let unfit = unfit(headers).map(|(name, why)| Problem::at(format!("headers.{name}"), why));
        problems.extend(unfit);
        return headers.clone();
    }
    let Some(found) = variables.get("HEADERS") else { return BTreeMap::new() };
    let headers = environment::headers(&found.value)
        .map_err(|message| problems.push(found.problem("headers", message)))
        .unwrap_or_default();
    problems.extend(unfit(&headers).map(|(name, why)| found.problem("headers", format!("{name}: {why}"))));
    headers
}

/// The headers that can't be sent, by name, and why.
fn unfit(headers: &BTreeMap<String, Secret>) -> impl Iterator<Item = (&str, &'static str)> {
    let why = |name: &str, value: &Secret| match HeaderName::from_bytes(name.as_bytes()) {
        Err(_) => Some("this is not a name that a header may have"),
        Ok(name) if name.as_str().starts_with("grpc-") => {
            Some("names that begin with grpc- belong to gRPC itself")
        }
        Ok(name) if name.as_str().ends_with("-bin") => {
            Some("binary metadata (names that end in -bin) is not built yet")
        }
        Ok(lower) if name != lower.as_str() && headers.contains_key(lower.as_str()) => {
            Some("this header is also set in small letters; a header may be set only once")
        }
        Ok(_) if HeaderValue::from_str(value.reveal()).is_err() => {
            Some("its value has characters that a header may not have")
        }
        Ok(_) => None,
    };
    headers.iter().filter_map(move |(name, value)| Some((name.as_str(), why(name, value)?)))
}

#[cfg(test)]
mod tests;
