//! Addresses to listen on, as configurations have them.

use std::net::SocketAddr;

use otel_tcpretrans_pipeline::config::Problem;

/// What is wrong with the address at `path` of a configuration, if something is.
pub(crate) fn wrong_address(path: &str, address: &str) -> Option<Problem> {
    let message = || format!("expected HOST:PORT, found {address:?}");
    (!is_listen_address(address)).then(|| Problem::at(path, message()))
}

/// Whether the text has the form of an address to listen on. Whether the host has that address is known when it is
/// bound.
pub(crate) fn is_listen_address(text: &str) -> bool {
    let named = |(host, port): (&str, &str)| {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        !host.is_empty() && host.chars().all(is_name) && port.parse::<u16>().is_ok()
    };
    text.parse::<SocketAddr>().is_ok() || text.split_once(':').is_some_and(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listen_addresses() {
        for good in ["127.0.0.1:8888", "[::1]:8888", "localhost:0", "0.0.0.0:1"] {
            assert!(is_listen_address(good), "{good}");
        }
        for bad in ["", "8888", ":8888", "localhost", "localhost:x", "localhost:70000", "http://localhost:1"]
        {
            assert!(!is_listen_address(bad), "{bad}");
        }
    }
}
