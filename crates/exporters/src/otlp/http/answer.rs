//! Judges an HTTP answer: whether the request was taken, whether another attempt may help, and what the user is told.

use std::time::SystemTime;

use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderName, StatusCode};
use otel_tcpretrans_pipeline::books::Signal;
use otel_tcpretrans_pipeline::delivery::{Accepted, SendError};
use prost::Message;

use super::retry_after;
use crate::otlp::accepted::{accepted, decode};
use crate::otlp::explain::cut;

/// An answer as it was read.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// `None` if it is larger than what is read.
    pub(super) body: Option<Vec<u8>>,
}

/// `google.rpc.Status`, in the part that is read. The OTLP specification demands it of an answer that is no success
/// ("Failures" of OTLP/HTTP).
#[derive(Clone, PartialEq, prost::Message, serde::Deserialize)]
struct RpcStatus {
    #[prost(string, tag = "2")]
    #[serde(default)]
    message: String,
}

/// An answer in JSON, in the part that is read. The types of opentelemetry-proto would refuse a number of 64 bits that is
/// a text, which is what the mapping demands.
#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct JsonAnswer {
    partial_success: Option<JsonPartialSuccess>,
}

#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct JsonPartialSuccess {
    #[serde(alias = "rejectedLogRecords", alias = "rejectedDataPoints")]
    rejected: JsonInt,
    error_message: String,
}

/// A number of 64 bits in JSON. A reader has to take both forms.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum JsonInt {
    Number(i64),
    Text(String),
}

impl JsonInt {
    fn number(&self) -> Result<i64, std::num::ParseIntError> {
        match self {
            JsonInt::Number(number) => Ok(*number),
            JsonInt::Text(text) => text.parse(),
        }
    }
}

impl Default for JsonInt {
    fn default() -> Self {
        JsonInt::Number(0)
    }
}

/// Decides by the OTLP specification ("Failures" of OTLP/HTTP) what an answer means. `endpoint` is named in the message.
///
/// # Errors
/// The request was not taken.
pub(super) fn judge(
    endpoint: &str,
    signal: Signal,
    answer: &Answer,
    now: SystemTime,
) -> Result<Accepted, SendError> {
    let status = answer.status;
    if status.is_success() {
        // The backend has the request, so an answer that can't be read must not cause another attempt.
        return partial_success(signal, answer).map_err(|why| SendError::Permanent {
            message: cut(format!("{endpoint}: HTTP {status}: {why}")),
        });
    }
    let explanation = if status.is_redirection() { redirect(answer) } else { explanation(answer) };
    let message = cut(format!("{endpoint}: HTTP {status}{explanation}"));
    match status {
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => {
            let after = text(answer, &RETRY_AFTER).and_then(|value| retry_after::parse(value, now));
            Err(SendError::Retryable { message, after })
        }
        _ => Err(SendError::Permanent { message }),
    }
}

/// What the backend rejected of a request that it took.
fn partial_success(signal: Signal, answer: &Answer) -> Result<Accepted, String> {
    let Some(body) = &answer.body else { return Err("the answer is too large".to_owned()) };
    // Prometheus and VictoriaMetrics say nothing, whatever the type is.
    if body.is_empty() {
        return Ok(Accepted::default());
    }
    let unreadable = |error: &dyn std::fmt::Display| format!("can't read the answer: {error}");
    match media_type(answer) {
        "application/json" => {
            let answer = serde_json::from_slice::<JsonAnswer>(body).map_err(|error| unreadable(&error))?;
            let JsonPartialSuccess { rejected, error_message } = answer.partial_success.unwrap_or_default();
            Ok(accepted(rejected.number().map_err(|error| unreadable(&error))?, error_message))
        }
        "application/x-protobuf" => decode(signal, body.as_slice()).map_err(|error| unreadable(&error)),
        other => Err(format!("the answer is no OTLP: its type is {other:?}. Is this the backend's address?")),
    }
}

/// The explanation in the body of a failure.
fn explanation(answer: &Answer) -> String {
    let Some(body) = &answer.body else { return ", and an answer that is too large".to_owned() };
    let status = match media_type(answer) {
        "application/json" => serde_json::from_slice::<RpcStatus>(body).ok(),
        "application/x-protobuf" => RpcStatus::decode(body.as_slice()).ok(),
        _ => None,
    };
    let text = status.map_or_else(|| String::from_utf8_lossy(body).into_owned(), |status| status.message);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() { line } else { format!(": {line}") }
}

/// Where a redirect points, without its query.
fn redirect(answer: &Answer) -> String {
    let target = text(answer, &LOCATION).unwrap_or_default();
    let target = target.split('?').next().unwrap_or_default();
    format!(": redirects are not followed; it points to {target:?}")
}

/// The type of the body without its parameters.
fn media_type(answer: &Answer) -> &str {
    let value = text(answer, &CONTENT_TYPE).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

fn text<'a>(answer: &'a Answer, name: &HeaderName) -> Option<&'a str> {
    answer.headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use opentelemetry_proto::tonic::collector::logs::v1::{
        ExportLogsPartialSuccess, ExportLogsServiceResponse,
    };

    use super::*;

    fn judged(status: u16, headers: &[(HeaderName, &str)], body: &[u8]) -> Result<Accepted, SendError> {
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        let answer =
            Answer { status: StatusCode::from_u16(status).unwrap(), headers, body: Some(body.to_vec()) };
        judge("http://b:4318/v1/logs", Signal::Logs, &answer, SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn follows_the_specifications_list() {
        let retryable: Vec<u16> = (200..600)
            .filter(|status| matches!(judged(*status, &[], b""), Err(SendError::Retryable { .. })))
            .collect();
        assert_eq!(retryable, [429, 502, 503, 504]);
        let taken: Vec<u16> = (200..600).filter(|status| judged(*status, &[], b"").is_ok()).collect();
        assert_eq!(taken, (200..300).collect::<Vec<_>>());
    }

    #[test]
    fn retry_after_is_honoured() {
        for (value, wait) in [("3", Some(3)), ("Thu, 01 Jan 1970 00:00:09 GMT", Some(9)), ("soon", None)] {
            let Err(SendError::Retryable { after, .. }) = judged(503, &[(RETRY_AFTER, value)], b"") else {
                panic!("503 is retryable")
            };
            assert_eq!(after, wait.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn a_partial_success_is_read_in_both_forms() {
        let json = br#"{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"old"}}"#;
        let expected = Accepted { rejected: 2, message: "old".to_owned() };
        assert_eq!(
            judged(200, &[(CONTENT_TYPE, "application/json; charset=utf-8")], json),
            Ok(expected.clone())
        );
        let partial = ExportLogsPartialSuccess { rejected_log_records: 2, error_message: "old".to_owned() };
        let protobuf = ExportLogsServiceResponse { partial_success: Some(partial) }.encode_to_vec();
        assert_eq!(judged(200, &[(CONTENT_TYPE, "application/x-protobuf")], &protobuf), Ok(expected));
    }

    #[test]
    fn a_page_in_place_of_an_answer_is_no_success() {
        let page = judged(200, &[(CONTENT_TYPE, "text/html")], b"<html>Please log in</html>").unwrap_err();
        assert!(page.to_string().contains("no OTLP") && page.to_string().contains("text/html"), "{page}");
        let broken = judged(200, &[(CONTENT_TYPE, "application/x-protobuf")], b"\xff").unwrap_err();
        assert!(matches!(broken, SendError::Permanent { .. }), "{broken}");
    }

    #[test]
    fn failures_are_explained() {
        let status = RpcStatus { message: "no such tenant".to_owned() }.encode_to_vec();
        for (kind, body) in [
            ("application/x-protobuf", status.as_slice()),
            ("application/json", br#"{"code":3,"message":"no such tenant"}"#),
            ("text/plain", b"no such\n tenant"),
        ] {
            let error = judged(400, &[(CONTENT_TYPE, kind)], body).unwrap_err();
            assert_eq!(error.to_string(), "http://b:4318/v1/logs: HTTP 400 Bad Request: no such tenant");
        }
        let error = judged(302, &[(LOCATION, "https://login/?token=x")], b"").unwrap_err().to_string();
        assert!(error.contains("\"https://login/\"") && !error.contains("token"), "{error}");
    }
}
