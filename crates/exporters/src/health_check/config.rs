//! The section of a `health_check` extension in the configuration file, with the keys of the Collector's extension.

use otel_tcpretrans_pipeline::config::{Interval, Problem, fit};
use serde::{Deserialize, Serialize};

use crate::http::wrong_address;

/// Paths that are there whatever `path` is.
pub(super) const LIVEZ: &str = "/livez";
/// See [`LIVEZ`].
pub(super) const READYZ: &str = "/readyz";

/// Configuration of a `health_check` extension.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The address to listen on, `HOST:PORT`. Default `127.0.0.1:13133`.
    pub endpoint: String,
    /// The path that answers whether the process is healthy. As in the Collector, a path that ends with a slash stands for
    /// all paths that begin with it. Default `/`.
    pub path: String,
    /// What that path answers with, in place of JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_body: Option<ResponseBody>,
    /// How long an exporter may fail, and a sending queue may be full. Default 1 minute.
    pub unhealthy_after: Interval,
    /// Answers by gRPC, too, where this is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grpc: Option<GrpcConfig>,
}

/// `response_body`. A text that is not set is empty, as in the Collector.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResponseBody {
    /// The body of an answer with status 200.
    pub healthy: String,
    /// The body of an answer with status 503.
    pub unhealthy: String,
}

/// `grpc`: the protocol `grpc.health.v1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GrpcConfig {
    /// The address to listen on, `HOST:PORT`. Default `127.0.0.1:13132`.
    pub endpoint: String,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            endpoint: "127.0.0.1:13133".to_owned(),
            path: "/".to_owned(),
            response_body: None,
            unhealthy_after: Interval::from_secs(60),
            grpc: None,
        }
    }
}

impl Default for GrpcConfig {
    fn default() -> Self {
        GrpcConfig { endpoint: "127.0.0.1:13132".to_owned() }
    }
}

impl Config {
    /// What is wrong with it.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let grpc = self.grpc.as_ref().map(|grpc| ("grpc.endpoint", &grpc.endpoint));
        let endpoints = [("endpoint", &self.endpoint)].into_iter().chain(grpc);
        problems.extend(endpoints.filter_map(|(path, endpoint)| wrong_address(path, endpoint)));
        if !self.path.starts_with('/') {
            let message = format!("expected a path that begins with a slash, found {:?}", self.path);
            problems.push(Problem::at("path", message));
        } else if [LIVEZ, READYZ].contains(&self.path.as_str()) {
            problems.push(Problem::at("path", format!("{} is there already; choose another one", self.path)));
        }
        if !self.unhealthy_after.is_zero()
            && let Err(message) = fit(*self.unhealthy_after)
        {
            problems.push(Problem::at("unhealthy_after", message));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(yaml: &str) -> Vec<String> {
        let config: Config = serde_yaml::from_str(yaml).unwrap();
        config.validate().into_iter().map(|problem| problem.path).collect()
    }

    #[test]
    fn the_defaults_listen_on_loopback_alone() {
        let config: Config = serde_yaml::from_str("grpc: {}").unwrap();
        let grpc = config.grpc.unwrap();
        for endpoint in [config.endpoint, grpc.endpoint] {
            let address: std::net::SocketAddr = endpoint.parse().unwrap();
            assert!(address.ip().is_loopback());
        }
    }

    #[test]
    fn problems_are_found() {
        assert_eq!(problems("{}"), [""; 0]);
        assert_eq!(problems("unhealthy_after: 0"), [""; 0]);
        assert_eq!(problems("{ endpoint: '13133', grpc: { endpoint: x } }"), ["endpoint", "grpc.endpoint"]);
        for path in ["''", "health", "/livez", "/readyz"] {
            assert_eq!(problems(&format!("path: {path}")), ["path"], "{path}");
        }
        assert_eq!(problems("unhealthy_after: 9999999h"), ["unhealthy_after"]);
        assert!(serde_yaml::from_str::<Config>("check_collector_pipeline: { enabled: true }").is_err());
    }
}
