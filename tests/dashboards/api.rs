//! The API of Prometheus, which VictoriaMetrics has, too.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// A server on loopback.
#[derive(Clone, Copy, Debug)]
pub struct Api {
    pub name: &'static str,
    pub port: u16,
}

impl Api {
    /// The result of an instant query: a vector with at least one sample, or nothing.
    ///
    /// # Errors
    /// What the server says against the query.
    pub fn query(&self, query: &str) -> Result<Vec<Value>, String> {
        let answer = self.get(&format!("/api/v1/query?query={}", encoded(query)));
        match answer["status"].as_str() {
            Some("success") => Ok(answer["data"]["result"].as_array().cloned().unwrap_or_default()),
            _ => Err(answer.to_string()),
        }
    }

    /// The value of a query whose result is one sample; `None` if there is none.
    pub fn value(&self, query: &str) -> Option<f64> {
        let result = self.query(query).expect(query);
        assert!(result.len() <= 1, "{query}: {result:?}");
        result.first()?["value"][1].as_str()?.parse().ok()
    }

    /// The values that a label has in the series that a selector selects.
    pub fn label_values(&self, label: &str, selector: &str) -> Vec<String> {
        let answer = self.get(&format!("/api/v1/label/{label}/values?match%5B%5D={}", encoded(selector)));
        let values = answer["data"].as_array().cloned().unwrap_or_default();
        values.iter().filter_map(|value| Some(value.as_str()?.to_owned())).collect()
    }

    /// A page in JSON; null if it is no JSON. By HTTP/1.0, so that the answer is not chunked.
    fn get(&self, path: &str) -> Value {
        serde_json::from_str(&self.text(path)).unwrap_or_default()
    }

    /// The body of a page.
    pub fn text(&self, path: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).expect(self.name);
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("timeout");
        let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("writing");
        let mut response = String::new();
        stream.read_to_string(&mut response).expect("an answer");
        let (_, body) = response.split_once("\r\n\r\n").expect("a head");
        body.to_owned()
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
