//! The address of a backend: the forms of an endpoint, and which of them mean TLS.

use std::fmt;

use http::Uri;
use http::uri::Scheme;

const EXPECTED: &str = "expected http://HOST:PORT or https://HOST:PORT";

/// An endpoint of OTLP. It always has a scheme. Over gRPC it has neither a path nor a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(Uri);

impl Endpoint {
    /// Reads an endpoint of OTLP over gRPC: `http://HOST:PORT`, `https://HOST:PORT` or `HOST:PORT`. The last is plaintext
    /// if `insecure` is true.
    ///
    /// # Errors
    /// The text is none of these. The message says what was expected and what was found. It never shows credentials.
    pub fn parse(text: &str, insecure: bool) -> Result<Endpoint, String> {
        let uri = parse(text, insecure)?;
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(format!(
                "{EXPECTED}, found {:?}: OTLP over gRPC has neither path nor query",
                shown(text)
            ));
        }
        Ok(Endpoint(uri))
    }

    /// Reads an endpoint of OTLP over HTTP, which may have a path and a query too.
    ///
    /// # Errors
    /// As [`Endpoint::parse`].
    pub fn parse_http(text: &str, insecure: bool) -> Result<Endpoint, String> {
        parse(text, insecure).map(Endpoint)
    }

    /// This endpoint with `path`, such as `v1/logs`, after its own path.
    pub(super) fn below(&self, path: &str) -> Endpoint {
        let query = self.0.query().map(|query| format!("?{query}")).unwrap_or_default();
        let all = format!("{}/{path}{query}", self.0.path().trim_end_matches('/'));
        let mut parts = self.0.clone().into_parts();
        parts.path_and_query = all.parse().ok();
        Endpoint(Uri::from_parts(parts).unwrap_or_else(|_| self.0.clone()))
    }

    /// Whether the connection uses TLS.
    pub fn is_tls(&self) -> bool {
        self.0.scheme() == Some(&Scheme::HTTPS)
    }

    /// The endpoint as a URI.
    pub fn uri(&self) -> &Uri {
        &self.0
    }
}

/// Reads a URI with a scheme of HTTP, a host, and a port that fits. A text without a scheme needs a port.
fn parse(text: &str, insecure: bool) -> Result<Uri, String> {
    if text.contains('@') {
        return Err(format!("{EXPECTED}, found one with user information; credentials belong in `headers`"));
    }
    let wrong = || format!("{EXPECTED}, found {:?}", shown(text));
    let (uri, port_needed) = match text.contains("://") {
        true => (text.parse::<Uri>(), false),
        false => (format!("{}://{text}", if insecure { "http" } else { "https" }).parse(), true),
    };
    let uri = uri.map_err(|_| wrong())?;
    let authority = uri.authority().ok_or_else(wrong)?;
    let known_scheme = matches!(uri.scheme(), Some(s) if *s == Scheme::HTTP || *s == Scheme::HTTPS);
    // What follows the host is no port: it is empty, as in `HOST:`, or a number above 65535.
    let port_wrong =
        authority.port_u16().is_none() && (port_needed || authority.as_str() != authority.host());
    if !known_scheme || authority.host().is_empty() || port_wrong {
        return Err(wrong());
    }
    Ok(uri)
}

/// A query is not shown, since some vendors put a token there.
fn shown(text: &str) -> &str {
    text.split('?').next().unwrap_or_default()
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        f.write_str(shown(&text).trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_decides_tls() {
        for (text, insecure, shown) in [
            ("http://localhost:4317", false, "http://localhost:4317"),
            ("https://backend:4317/", true, "https://backend:4317"),
            ("https://backend", false, "https://backend"),
            ("localhost:4317", true, "http://localhost:4317"),
            ("backend.example:4317", false, "https://backend.example:4317"),
            ("[::1]:4317", true, "http://[::1]:4317"),
        ] {
            let endpoint = Endpoint::parse(text, insecure).expect(text);
            assert_eq!(endpoint.to_string(), shown);
            assert_eq!(endpoint.is_tls(), shown.starts_with("https"), "{text}");
        }
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        for text in [
            "",
            "localhost",
            "not a url",
            "ftp://host:1",
            "http://",
            "http://:4317",
            "http://host:99999",
            "http://host:",
            "unix:///run/x",
            "://host:1",
            "host:",
            "host:port",
        ] {
            let message = Endpoint::parse(text, true).expect_err(text);
            assert_eq!(
                message,
                format!("expected http://HOST:PORT or https://HOST:PORT, found {text:?}"),
                "for {text:?}"
            );
        }
        let message = Endpoint::parse("http://host:4318/v1/logs", true).expect_err("a path");
        assert!(message.ends_with("OTLP over gRPC has neither path nor query"), "{message}");
    }

    #[test]
    fn a_path_goes_behind_the_endpoints_own() {
        for (text, below) in [
            ("http://host:4318", "http://host:4318/v1/logs"),
            ("https://host/otlp/", "https://host/otlp/v1/logs"),
            ("host:4318", "https://host:4318/v1/logs"),
            ("http://host/otlp?key=a", "http://host/otlp/v1/logs?key=a"),
        ] {
            let endpoint = Endpoint::parse_http(text, false).expect(text).below("v1/logs");
            assert_eq!(endpoint.uri().to_string(), below);
            assert!(!endpoint.to_string().contains("key"), "{endpoint}");
        }
    }

    #[test]
    fn credentials_are_refused_and_not_repeated() {
        for text in ["http://user:hunter2@host:4317", "hunter2@host:4317"] {
            let message = Endpoint::parse(text, true).expect_err(text);
            assert!(message.contains("user information") && !message.contains("hunter2"), "{message}");
        }
        for text in ["http://host:1?token=hunter2", "http://host:1/v1/logs?token=hunter2", "host?hunter2"] {
            let message = Endpoint::parse(text, true).expect_err(text);
            assert!(message.contains("host") && !message.contains("hunter2"), "{message}");
        }
    }
}
