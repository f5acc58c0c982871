//! The settings of a connection: the configuration's values first, then the environment's, then the defaults.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use otel_tcpretrans_pipeline::books::Signal;
use otel_tcpretrans_pipeline::config::{Interval, Problem, fit};
use otel_tcpretrans_pipeline::delivery::Compression;

use super::endpoint::Endpoint;
use super::environment::{self, Variable, Variables};
use super::level;
use super::protocol::{Format, Kind, Protocol};
use super::tls::TlsConfig;
use crate::Environment;
use crate::secret::Secret;

/// The endpoint if none is configured (OpenTelemetry specification, "OTLP Exporter Configuration").
const DEFAULT_ENDPOINT: &str = "http://localhost:4317";
const DEFAULT_HTTP_ENDPOINT: &str = "http://localhost:4318";
/// Headers that follow from a request's body.
const OF_HTTP: [&str; 4] = ["content-type", "content-encoding", "content-length", "transfer-encoding"];
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// How to connect to a backend, with the environment and the defaults filled in.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How requests travel.
    pub protocol: Protocol,
    /// The address of the backend. Over HTTP it has the path to which requests go.
    pub endpoint: Endpoint,
    /// The proxy, over HTTP. `None` leaves the choice to `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`.
    pub proxy_url: Option<Secret>,
    /// Compression of requests.
    pub compression: Compression,
    /// Level of the compression, from 1, which is the fastest.
    pub level: u8,
    /// Headers (gRPC: metadata) sent with each request.
    pub headers: BTreeMap<String, Secret>,
    /// TLS. Whether it is used follows from the endpoint's scheme; `insecure` has no further meaning here.
    pub tls: TlsConfig,
    /// How long one attempt may take.
    pub timeout: Duration,
}

impl Settings {
    /// The files that it needs: certificates, keys, and those in headers.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let secrets = self.headers.values().chain(&self.proxy_url);
        self.tls.files().into_iter().chain(secrets.flat_map(Secret::files).map(Path::to_owned)).collect()
    }
}

/// The keys of a configuration that describe a connection.
pub(crate) struct Fields<'a> {
    pub(crate) kind: Kind,
    pub(crate) http: HttpFields<'a>,
    pub(crate) endpoint: Option<&'a str>,
    pub(crate) compression: Option<Compression>,
    pub(crate) level: Option<i64>,
    pub(crate) headers: Option<&'a BTreeMap<String, Secret>>,
    pub(crate) tls: &'a TlsConfig,
    pub(crate) timeout: Option<Interval>,
}

/// The keys that only OTLP over HTTP has.
#[derive(Default)]
pub(crate) struct HttpFields<'a> {
    /// The address for the signal, taken as it is.
    pub(crate) own_endpoint: Option<&'a str>,
    pub(crate) encoding: Option<Format>,
    pub(crate) proxy_url: Option<&'a Secret>,
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

    let protocol = protocol(fields, &variables, &mut problems);
    let endpoint = endpoint(fields, protocol, &variables, &mut problems);
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
    let headers = headers(fields, protocol, &variables, &mut problems);
    let timeout = match fields.timeout {
        Some(time) => fit(*time).map_err(|message| problems.push(Problem::at("timeout", message))).ok(),
        None => variables.read("TIMEOUT", "timeout", &mut problems, environment::timeout),
    }
    .unwrap_or(DEFAULT_TIMEOUT);

    match endpoint {
        Some(endpoint) if problems.is_empty() => {
            let proxy_url = fields.http.proxy_url.cloned();
            Ok(Settings { protocol, endpoint, proxy_url, compression, level, headers, tls, timeout })
        }
        _ => Err(problems),
    }
}

fn protocol(fields: &Fields<'_>, variables: &Variables<'_>, problems: &mut Vec<Problem>) -> Protocol {
    // The variable may have been set for an SDK in the same pod. It counts only if the endpoint is from the environment
    // too.
    let has_endpoint = fields.endpoint.is_some() || fields.http.own_endpoint.is_some();
    let mut named = || variables.read("PROTOCOL", "", problems, Protocol::parse).filter(|_| !has_endpoint);
    match fields.kind {
        Kind::Otlp if has_endpoint => Protocol::Grpc,
        Kind::Otlp => named().unwrap_or(Protocol::Grpc),
        Kind::OwnTelemetry => {
            if !has_endpoint && let Some(Protocol::Http(_)) = named() {
                let message = "the process's own telemetry is sent by gRPC only: set an `endpoint` for it";
                problems.push(Problem::at("endpoint", format!("OTEL_EXPORTER_OTLP_PROTOCOL: {message}")));
            }
            Protocol::Grpc
        }
        Kind::OtlpHttp => Protocol::Http(fields.http.encoding.unwrap_or_else(|| match has_endpoint {
            true => Format::default(),
            false => match named() {
                Some(Protocol::Http(format)) => format,
                _ => Format::default(),
            },
        })),
    }
}

fn endpoint(
    fields: &Fields<'_>,
    protocol: Protocol,
    variables: &Variables<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Endpoint> {
    let insecure = fields
        .tls
        .insecure
        .or_else(|| variables.read("INSECURE", "tls.insecure", problems, environment::boolean))
        .unwrap_or(false);
    let parsed = match protocol {
        Protocol::Grpc => grpc_endpoint(fields, variables, insecure),
        Protocol::Http(_) => http_endpoint(fields, variables, insecure),
    };
    parsed.map_err(|problem| problems.push(problem)).ok()
}

fn grpc_endpoint(
    fields: &Fields<'_>,
    variables: &Variables<'_>,
    insecure: bool,
) -> Result<Endpoint, Problem> {
    match (fields.endpoint, variables.get("ENDPOINT")) {
        (Some(text), _) => {
            Endpoint::parse(text, insecure).map_err(|message| Problem::at("endpoint", message))
        }
        (None, Some(found)) => {
            Endpoint::parse(&found.value, insecure).map_err(|message| found.problem("endpoint", message))
        }
        (None, None) => Endpoint::parse(DEFAULT_ENDPOINT, insecure).map_err(|m| Problem::at("endpoint", m)),
    }
}

/// An address for one signal is taken as it is. One for all signals gets the signal's path (OpenTelemetry specification,
/// "Endpoint URLs for OTLP/HTTP").
fn http_endpoint(
    fields: &Fields<'_>,
    variables: &Variables<'_>,
    insecure: bool,
) -> Result<Endpoint, Problem> {
    let (own_key, path) = match variables.signal {
        Signal::Logs => ("logs_endpoint", "v1/logs"),
        Signal::Metrics => ("metrics_endpoint", "v1/metrics"),
    };
    let parse = |text: &str, key: &str| {
        Endpoint::parse_http(text, insecure).map_err(|message| Problem::at(key, message))
    };
    let of = |found: Variable| {
        Endpoint::parse_http(&found.value, insecure).map_err(|message| found.problem("endpoint", message))
    };
    match (fields.http.own_endpoint, fields.endpoint) {
        (Some(own), _) => parse(own, own_key),
        (None, Some(all)) => Ok(parse(all, "endpoint")?.below(path)),
        (None, None) => match (variables.own("ENDPOINT"), variables.get("ENDPOINT")) {
            (Some(own), _) => of(own),
            (None, Some(all)) => Ok(of(all)?.below(path)),
            (None, None) => Ok(parse(DEFAULT_HTTP_ENDPOINT, "endpoint")?.below(path)),
        },
    }
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
    protocol: Protocol,
    variables: &Variables<'_>,
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, Secret> {
    if let Some(headers) = fields.headers {
        let unfit = unfit(headers, protocol).map(|(name, why)| Problem::at(format!("headers.{name}"), why));
        problems.extend(unfit);
        return headers.clone();
    }
    let Some(found) = variables.get("HEADERS") else { return BTreeMap::new() };
    let headers = environment::headers(&found.value)
        .map_err(|message| problems.push(found.problem("headers", message)))
        .unwrap_or_default();
    problems.extend(
        unfit(&headers, protocol).map(|(name, why)| found.problem("headers", format!("{name}: {why}"))),
    );
    headers
}

/// The headers that can't be sent, by name, and why.
fn unfit(
    headers: &BTreeMap<String, Secret>,
    protocol: Protocol,
) -> impl Iterator<Item = (&str, Cow<'static, str>)> {
    let reserved = move |name: &str| match protocol {
        Protocol::Grpc if name.starts_with("grpc-") => {
            Some("names that begin with grpc- belong to gRPC itself")
        }
        Protocol::Grpc if name.ends_with("-bin") => {
            Some("binary metadata (names that end in -bin) is not built yet")
        }
        Protocol::Http(_) if OF_HTTP.contains(&name) => Some("this header describes the request itself"),
        _ => None,
    };
    let why = move |name: &str, value: &Secret| match HeaderName::from_bytes(name.as_bytes()) {
        Err(_) => Some("this is not a name that a header may have".into()),
        Ok(name) if reserved(name.as_str()).is_some() => reserved(name.as_str()).map(Cow::from),
        Ok(lower) if name != lower.as_str() && headers.contains_key(lower.as_str()) => {
            Some("this header is also set in small letters; a header may be set only once".into())
        }
        Ok(_) => match value.reveal() {
            Err(error) => Some(error.to_string().into()),
            Ok(value) => HeaderValue::from_str(&value)
                .is_err()
                .then_some("its value has characters that a header may not have".into()),
        },
    };
    headers.iter().filter_map(move |(name, value)| Some((name.as_str(), why(name, value)?)))
}

#[cfg(test)]
mod tests;
