//! The address of a backend: the forms of an endpoint, and which of them mean TLS.

use std::fmt;

use http::Uri;
use http::uri::Scheme;

/// An endpoint of OTLP over gRPC. It always has a scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(Uri);

impl Endpoint {
    /// Reads `http://HOST:PORT`, `https://HOST:PORT` or `HOST:PORT`. The last is plaintext if `insecure` is true.
    ///
    /// # Errors
    /// The text is none of these. The message says what was expected and what was found. It never shows credentials.
    pub fn parse(text: &str, insecure: bool) -> Result<Endpoint, String> {
        const EXPECTED: &str = "expected http://HOST:PORT or https://HOST:PORT";
        if text.contains('@') {
            return Err(format!(
                "{EXPECTED}, found one with user information; credentials belong in `headers`"
            ));
        }
        // A query is not shown, since some vendors put a token there.
        let shown = text.split('?').next().unwrap_or_default();
        let wrong = || format!("{EXPECTED}, found {shown:?}");
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
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(format!("{EXPECTED}, found {shown:?}: OTLP over gRPC has neither path nor query"));
        }
        Ok(Endpoint(uri))
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

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.to_string().trim_end_matches('/'))
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
