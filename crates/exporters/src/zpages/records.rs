//! `/records`: each record that passes the processors of a pipeline, as a line of JSON, until the client leaves.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use otel_tcpretrans_pipeline::books::{Books, Counts, Signal};
use otel_tcpretrans_pipeline::component::{Host, Produces};
use otel_tcpretrans_pipeline::record::json;
use otel_tcpretrans_pipeline::running::Runs;
use otel_tcpretrans_pipeline::taps::Listener;
use percent_encoding::percent_decode_str;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::lines::Status;
use crate::http::{Body, Taken, text};

/// The path. A query such as `?pipeline=logs/2` names the pipeline.
pub(super) const PATH: &str = "/records";
/// The name of the pipeline in the query.
pub(super) const PIPELINE: &str = "pipeline";
/// Records that may wait for a client: those of a tenth of a second in a storm.
const WAITING: usize = 16_384;
/// Clients of one pipeline at once.
const CLIENTS: usize = 8;
/// How often a client is told the status.
pub(super) const STATUS: Duration = Duration::from_secs(1);

/// The response, whose body goes on until the client leaves.
pub(super) fn answer(query: Option<&str>, host: &Host) -> Response<Body> {
    let pipeline = match choose(&host.running.now(), asked(query).as_deref()) {
        Ok(pipeline) => pipeline,
        Err(problem) => return text(StatusCode::NOT_FOUND, problem),
    };
    let tap = host.taps.of(&pipeline);
    if tap.listeners() >= CLIENTS {
        let problem = format!("{CLIENTS} clients look at the pipeline {pipeline} already\n");
        return text(StatusCode::SERVICE_UNAVAILABLE, problem);
    }
    let mut ticks = interval(STATUS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (books, taken) = (host.books.clone(), Taken::default());
    let before = Lost::of(&books, &pipeline);
    let showing = Showing { listener: tap.listen(WAITING), books, pipeline, before, ticks };
    let noted = taken.clone();
    let parts = stream::unfold(showing, move |mut showing| {
        let noted = noted.clone();
        async move {
            let part = showing.next().await;
            noted.note();
            Some((Ok::<_, Infallible>(Frame::data(part)), showing))
        }
    });
    let mut response = Response::new(StreamBody::new(parts).boxed_unsync());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    response.extensions_mut().insert(taken);
    response
}

/// The pipeline that the query names.
fn asked(query: Option<&str>) -> Option<String> {
    let value = query?.split('&').find_map(|part| part.strip_prefix(PIPELINE)?.strip_prefix('='))?;
    Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
}

/// The pipeline that was asked for. Without one, the first logs pipeline, or else the first metrics pipeline.
fn choose(runs: &Runs, asked: Option<&str>) -> Result<String, String> {
    let has_records = |id: &String| {
        runs.receivers.get(id).is_some_and(|receiver| matches!(receiver.produces, Produces::Records))
    };
    let with_records = || runs.pipelines.iter().filter(|(_, run)| run.receivers.iter().any(has_records));
    let found = match asked {
        Some(asked) => with_records().find(|(id, _)| *id == asked),
        None => with_records().find(|(_, run)| run.signal == Signal::Logs).or_else(|| with_records().next()),
    };
    let ids = || with_records().map(|(id, _)| id.as_str()).collect::<Vec<_>>().join(", ");
    match (found, asked) {
        (Some((id, _)), _) => Ok(id.clone()),
        (None, Some(asked)) => {
            Err(format!("no pipeline {asked:?} has records; expected one of: {}\n", ids()))
        }
        (None, None) => Err("no pipeline has records\n".to_owned()),
    }
}

/// What the books say of records that never came to the tap.
struct Lost {
    events: u64,
    records: u64,
}

impl Lost {
    fn of(books: &Books, pipeline: &str) -> Lost {
        let books = books.snapshot();
        let unobserved = books.receivers.iter().flat_map(|(_, counts)| &counts.unobserved);
        let entrance =
            books.ledgers.iter().filter(|(key, _)| key.pipeline == pipeline && key.exporter.is_none());
        Lost {
            events: unobserved.map(|lost| lost.events).sum(),
            records: entrance.map(|(_, counts)| Counts::dropped_total(counts)).sum(),
        }
    }
}

/// What one client is shown.
struct Showing {
    listener: Listener,
    books: Books,
    pipeline: String,
    /// What was lost before the client came.
    before: Lost,
    /// The first tick comes at once.
    ticks: Interval,
}

impl Showing {
    /// The next lines.
    async fn next(&mut self) -> Bytes {
        let mut lines = Vec::new();
        tokio::select! {
            records = self.listener.next() => {
                records.iter().for_each(|record| json::write(&mut lines, record));
            }
            _ = self.ticks.tick() => self.status().write(&mut lines),
        }
        lines.into()
    }

    fn status(&self) -> Status {
        let now = Lost::of(&self.books, &self.pipeline);
        Status {
            pipeline: self.pipeline.clone(),
            lost_events: now.events.saturating_sub(self.before.events),
            dropped_records: now.records.saturating_sub(self.before.records),
            missed_records: self.listener.missed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use otel_tcpretrans_pipeline::running::{PipelineRun, ReceiverRun, ReceiverState};
    use tokio::time::Instant;

    use super::*;

    fn runs(pipelines: &[(&str, Signal, &str)]) -> Runs {
        let receiver =
            |produces| ReceiverRun { produces, state: ReceiverState::Running, since: Instant::now() };
        let pipeline = |signal, receiver: &str| PipelineRun {
            signal,
            receivers: vec![receiver.to_owned()],
            processors: Vec::new(),
            exporters: Vec::new(),
        };
        let receivers = [("kernel", Produces::Records), ("mib", Produces::Points)];
        Runs {
            receivers: receivers.map(|(id, produces)| (id.to_owned(), receiver(produces))).into(),
            pipelines: pipelines
                .iter()
                .map(|(id, signal, of)| ((*id).to_owned(), pipeline(*signal, of)))
                .collect(),
            ..Runs::default()
        }
    }

    #[test]
    fn the_first_logs_pipeline_is_shown_unless_another_is_asked_for() {
        let all = runs(&[
            ("a", Signal::Metrics, "mib"),
            ("b", Signal::Metrics, "kernel"),
            ("c", Signal::Logs, "kernel"),
            ("d", Signal::Logs, "kernel"),
        ]);
        assert_eq!(choose(&all, None).as_deref(), Ok("c"));
        assert_eq!(choose(&all, Some("d")).as_deref(), Ok("d"));
        assert_eq!(choose(&all, Some("b")).as_deref(), Ok("b"));
        let refused = "no pipeline \"a\" has records; expected one of: b, c, d\n";
        assert_eq!(choose(&all, Some("a")).unwrap_err(), refused);
        assert_eq!(choose(&runs(&[("b", Signal::Metrics, "kernel")]), None).as_deref(), Ok("b"));
        assert!(choose(&runs(&[("a", Signal::Metrics, "mib")]), None).is_err());
    }

    #[test]
    fn a_query_names_the_pipeline() {
        assert_eq!(asked(Some("pipeline=logs/2")).as_deref(), Some("logs/2"));
        assert_eq!(asked(Some("x=1&pipeline=logs%2F2&y")).as_deref(), Some("logs/2"));
        assert_eq!((asked(Some("pipelines=logs")), asked(None)), (None, None));
    }
}
