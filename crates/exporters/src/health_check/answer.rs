//! What a question by HTTP is answered with.

use std::collections::BTreeMap;
use std::time::Duration;

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use jiff::{SignedDuration, Timestamp, Unit};
use otel_tcpretrans_pipeline::health::{Condition, Health, PipelineHealth};
use serde::Serialize;
use tokio::time::Instant;

use super::config::{Config, LIVEZ, READYZ};
use crate::http::{Body, only_get, text};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    /// Whether the process works at all: it answers, and nothing in it hangs.
    Live,
    /// Whether everything has started and can deliver.
    Ready,
    /// Whether it is ready, and its numbers can be trusted.
    Healthy,
}

/// Answers a request.
pub(super) fn answer(
    request: &Request<Incoming>,
    config: &Config,
    started: Instant,
    health: impl FnOnce() -> Health,
) -> Response<Body> {
    let Some(question) = question(request.uri().path(), &config.path) else {
        let paths = format!("not found: there are {}, {LIVEZ} and {READYZ}\n", config.path);
        return text(StatusCode::NOT_FOUND, paths);
    };
    if let Some(refusal) = only_get(request) {
        return refusal;
    }
    let mut response = match question {
        Question::Live => match health().hanging {
            None => text(StatusCode::OK, "ok\n"),
            Some(hanging) => text(StatusCode::SERVICE_UNAVAILABLE, hanging + "\n"),
        },
        Question::Ready | Question::Healthy => {
            let health = health();
            let is_good = match question {
                Question::Ready => health.overall.is_ready,
                _ => health.overall.is_healthy,
            };
            let status = if is_good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            match &config.response_body {
                Some(body) if question == Question::Healthy => {
                    text(status, if is_good { body.healthy.clone() } else { body.unhealthy.clone() })
                }
                _ => json(status, &Answer::new(is_good, started, &health)),
            }
        }
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn question(asked: &str, path: &str) -> Option<Question> {
    match asked {
        LIVEZ => Some(Question::Live),
        READYZ => Some(Question::Ready),
        _ if asked == path || (path.ends_with('/') && asked.starts_with(path)) => Some(Question::Healthy),
        _ => None,
    }
}

fn json(status: StatusCode, answer: &Answer) -> Response<Body> {
    match serde_json::to_string_pretty(answer) {
        Ok(body) => {
            let mut response = text(status, body + "\n");
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}

/// The body. The first keys are those of the Collector's extension, and those of components are those of its second
/// version (`healthcheckv2`).
#[derive(Serialize)]
struct Answer {
    status: &'static str,
    #[serde(rename = "upSince")]
    up_since: Timestamp,
    uptime: String,
    #[serde(flatten)]
    overall: Stated,
    components: BTreeMap<String, Pipeline>,
}

#[derive(Serialize)]
struct Pipeline {
    status: &'static str,
    #[serde(flatten)]
    overall: Stated,
    components: BTreeMap<String, Component>,
}

#[derive(Serialize)]
struct Component {
    status: &'static str,
    #[serde(flatten)]
    stated: Stated,
}

/// What is said of everything.
#[derive(Serialize)]
struct Stated {
    healthy: bool,
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// Since when the status is what it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    status_time: Option<Timestamp>,
}

impl Answer {
    fn new(is_good: bool, started: Instant, health: &Health) -> Answer {
        let up = started.elapsed();
        let pipelines =
            health.pipelines.iter().map(|(id, pipeline)| (format!("pipeline:{id}"), Pipeline::new(pipeline)));
        Answer {
            status: if is_good { "Server available" } else { "Server not available" },
            up_since: ago(up),
            uptime: go_duration(up),
            overall: Stated::new(&health.overall),
            components: pipelines.collect(),
        }
    }
}

impl Pipeline {
    fn new(pipeline: &PipelineHealth) -> Pipeline {
        let kinds = [
            ("receiver", &pipeline.receivers),
            ("processor", &pipeline.processors),
            ("exporter", &pipeline.exporters),
        ];
        let components = kinds.into_iter().flat_map(|(kind, of)| {
            of.iter().map(move |(id, condition)| {
                let component = Component { status: condition.state.into(), stated: Stated::new(condition) };
                (format!("{kind}:{id}"), component)
            })
        });
        Pipeline {
            status: pipeline.overall.state.into(),
            overall: Stated::new(&pipeline.overall),
            components: components.collect(),
        }
    }
}

impl Stated {
    fn new(condition: &Condition) -> Stated {
        Stated {
            healthy: condition.is_healthy,
            ready: condition.is_ready,
            error: condition.error.clone(),
            status_time: condition.since.map(|since| ago(since.elapsed())),
        }
    }
}

/// The time so long ago, in milliseconds: the clocks are not read at once, so that more digits would differ each time.
fn ago(time: Duration) -> Timestamp {
    let now = Timestamp::now();
    let then = SignedDuration::try_from(time).ok().and_then(|time| now.checked_sub(time).ok());
    then.unwrap_or(now).round(Unit::Millisecond).unwrap_or(now)
}

/// A duration as Go prints it: `1h2m3.5s`.
fn go_duration(time: Duration) -> String {
    let (minutes, seconds) = (time.as_secs() / 60, time.as_secs() % 60);
    let seconds = format!("{seconds}.{:03}s", time.subsec_millis());
    match (minutes / 60, minutes % 60) {
        (0, 0) => seconds,
        (0, minutes) => format!("{minutes}m{seconds}"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_ends_with_a_slash_stands_for_what_is_below_it() {
        for (path, asked, expected) in [
            ("/", "/", Some(Question::Healthy)),
            ("/", "/healthz", Some(Question::Healthy)),
            ("/", "/livez", Some(Question::Live)),
            ("/", "/readyz", Some(Question::Ready)),
            ("/health/status", "/health/status", Some(Question::Healthy)),
            ("/health/status", "/health", None),
            ("/health/status", "/", None),
            ("/health/", "/health/x", Some(Question::Healthy)),
            ("/health/", "/health", None),
        ] {
            assert_eq!(question(asked, path), expected, "{path} {asked}");
        }
    }

    #[test]
    fn durations_are_written_as_go_does() {
        for (seconds, expected) in [(0.0, "0.000s"), (62.5, "1m2.500s"), (7325.25, "2h2m5.250s")] {
            assert_eq!(go_duration(Duration::from_secs_f64(seconds)), expected);
        }
    }
}
