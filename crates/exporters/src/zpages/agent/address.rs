//! Where the page of an agent is, as a person writes it.

use std::fmt;
use std::str::FromStr;

use http::uri::Authority;

/// The port of the Collector's `zpages`, and of ours.
const PORT: u16 = 55679;

/// A host and a port. Written as `HOST`, `HOST:PORT` or `http://HOST:PORT`; the port is 55679 unless it is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// A name or an address. An IPv6 address has no brackets.
    pub(super) host: String,
    pub(super) port: u16,
}

/// An error: the text is no address of a page.
#[derive(Debug, thiserror::Error)]
#[error("expected HOST:PORT of an agent's zpages, such as localhost:55679, found {0:?}")]
pub struct NoAddress(String);

impl FromStr for Address {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Address, NoAddress> {
        let wrong = || NoAddress(text.to_owned());
        let rest = text.strip_prefix("http://").unwrap_or(text);
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let authority: Authority = rest.parse().map_err(|_| wrong())?;
        let host = authority.host().trim_matches(['[', ']']);
        // A port that is no number leaves a colon behind the host.
        let port = match authority.as_str().rsplit_once(authority.host()) {
            Some(("", "")) => PORT,
            Some(("", port)) => {
                port.strip_prefix(':').and_then(|port| port.parse().ok()).ok_or_else(wrong)?
            }
            _ => return Err(wrong()), // a user's name, which the page does not know
        };
        if host.is_empty() {
            return Err(wrong());
        }
        Ok(Address { host: host.to_owned(), port })
    }
}

/// As the header `Host` has it (RFC 9110, section 7.2).
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Address { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn people_write_it_in_several_ways() {
        let written = |text: &str| text.parse::<Address>().unwrap().to_string();
        assert_eq!(written("localhost"), "localhost:55679");
        assert_eq!(written("localhost:1"), "localhost:1");
        assert_eq!(written("http://node-7:8080/"), "node-7:8080");
        assert_eq!(written("http://127.0.0.1"), "127.0.0.1:55679");
        assert_eq!(written("[::1]:7"), "[::1]:7");
        assert_eq!(written("[::1]"), "[::1]:55679");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in
            ["", ":1", "https://localhost", "localhost:x", "localhost:70000", "me@localhost:1", "a b", "h/x"]
        {
            let error = text.parse::<Address>().unwrap_err();
            assert!(error.to_string().ends_with(&format!("found {text:?}")), "{error}");
        }
    }
}
