//! Sends requests to a backend by OTLP over HTTP.

use std::time::{Duration, SystemTime};

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use otel_tcpretrans_pipeline::books::Signal;
use otel_tcpretrans_pipeline::config::Problem;
use otel_tcpretrans_pipeline::delivery::{Accepted, Compression, Format, Request, SendError, Transport};
use otel_tcpretrans_pipeline::rotating::Rotating;
use reqwest::{Client, Response};

use super::answer::{Answer, judge};
use super::client;
use crate::otlp::client::{RESPONSE_LIMIT, rotating_headers};
use crate::otlp::explain::{chain, cut};
use crate::otlp::settings::Settings;

/// A backend of OTLP over HTTP, for one signal.
pub struct HttpTransport {
    /// Its name in messages.
    name: String,
    url: String,
    signal: Signal,
    client: Rotating<Client>,
    headers: Rotating<HeaderMap>,
    timeout: Duration,
}

impl HttpTransport {
    /// A transport that connects when it first sends.
    ///
    /// # Errors
    /// The files that the settings name can't be used.
    pub fn new(signal: Signal, settings: &Settings) -> Result<Self, Vec<Problem>> {
        let own = settings.clone();
        Ok(HttpTransport {
            name: settings.endpoint.to_string(),
            url: settings.endpoint.uri().to_string(),
            signal,
            client: Rotating::new(settings.tls.files(), move || client::build(&own))?,
            headers: rotating_headers(settings)?,
            timeout: settings.timeout,
        })
    }

    /// Why there is no answer.
    fn failed(&self, error: &reqwest::Error) -> SendError {
        let message = if error.is_timeout() {
            format!("{}: no answer within {:?}", self.name, self.timeout)
        } else {
            cut(format!("{}: {}", self.name, explained(error)))
        };
        SendError::Retryable { message, after: None }
    }
}

impl Transport for HttpTransport {
    async fn send(&self, request: &Request) -> Result<Accepted, SendError> {
        let (_, client) = self.client.current();
        let (_, mut headers) = self.headers.current();
        let kind = match request.format {
            Format::Proto => "application/x-protobuf",
            Format::Json => "application/json",
        };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        if request.compression != Compression::None {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(request.compression.into()));
        }
        let sent = client.post(&self.url).headers(headers).body(request.body.clone()).send().await;
        let mut response = sent.map_err(|error| self.failed(&error))?;
        let answer = Answer {
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            body: read(response).await.map_err(|error| self.failed(&error))?,
        };
        judge(&self.name, self.signal, &answer, SystemTime::now())
    }
}

/// Reads the body of a response. `None` if it is too large.
async fn read(mut response: Response) -> reqwest::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > RESPONSE_LIMIT {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// The causes of an error. reqwest's own text has the URL, whose query may be a secret.
fn explained(error: &reqwest::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => chain(cause),
        None => "the request failed".to_owned(),
    }
}
