//! A connection to an agent's page, and the lines that come over it.

use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http::header::{HOST, USER_AGENT};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use otel_tcpretrans_pipeline::record::json::Unreadable;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::net::TcpStream;
use tokio::time::{error::Elapsed, timeout};

use super::watched::Watched;
use crate::zpages::lines::{self, Line};
use crate::zpages::records::{PATH, PIPELINE, STATUS};
use crate::{SCOPE_NAME, VERSION};

/// How long the agent may take to answer.
const ANSWER: Duration = Duration::from_secs(5);
/// How long the agent may say nothing.
const SILENCE: Duration = STATUS.saturating_mul(5);
/// The longest line, and the longest text with which a request is refused, in bytes.
const LONGEST: usize = 64 << 10;

/// Why there is no connection, or no more.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("can't connect: {0}; is `zpages` in the agent's `service.extensions`?")]
    Connect(io::Error),
    #[error("it did not answer within {} s", ANSWER.as_secs())]
    NoAnswer(#[from] Elapsed),
    #[error("{0}")]
    Http(#[from] hyper::Error),
    #[error("{status}: {text}")]
    Refused { status: StatusCode, text: String },
    #[error("can't ask: {0}")]
    Request(#[from] http::Error),
    #[error("the agent has ended the connection")]
    Ended,
    #[error("the agent has said nothing for {} s", SILENCE.as_secs())]
    Silent,
    #[error("a line of more than {LONGEST} bytes: this is no page of otel-tcpretrans")]
    TooLong,
    #[error("this is no page of otel-tcpretrans, or one of another version: {0}")]
    Unreadable(#[from] Unreadable),
}

/// An open connection.
pub(super) struct Connection {
    body: Incoming,
    /// What came and was not read yet.
    bytes: BytesMut,
}

impl Connection {
    /// Connects, and asks for the records.
    pub(super) async fn open(watched: &Watched) -> Result<Connection, Failure> {
        timeout(ANSWER, ask(watched)).await?
    }

    /// The next line, if a whole one has come.
    pub(super) fn line(&mut self) -> Result<Option<Line>, Failure> {
        let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') else {
            return if self.bytes.len() > LONGEST { Err(Failure::TooLong) } else { Ok(None) };
        };
        let line = lines::read(&self.bytes[..end])?;
        self.bytes.advance(end + 1);
        Ok(Some(line))
    }

    /// Waits until more has come.
    pub(super) async fn more(&mut self) -> Result<(), Failure> {
        let frame = timeout(SILENCE, self.body.frame()).await.map_err(|_| Failure::Silent)?;
        let frame = frame.ok_or(Failure::Ended)??;
        if let Some(data) = frame.data_ref() {
            self.bytes.extend_from_slice(data);
        }
        Ok(())
    }
}

async fn ask(watched: &Watched) -> Result<Connection, Failure> {
    let Watched { address, pipeline } = watched;
    let stream = TcpStream::connect((address.host.as_str(), address.port)).await.map_err(Failure::Connect)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the response. An error of it is also one of the response.
    drop(tokio::spawn(connection));
    let query =
        pipeline.as_ref().map(|id| format!("?{PIPELINE}={}", utf8_percent_encode(id, NON_ALPHANUMERIC)));
    let request = Request::get(format!("{PATH}{}", query.unwrap_or_default()))
        .header(HOST, address.to_string())
        .header(USER_AGENT, format!("{SCOPE_NAME}/{VERSION}"))
        .body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await?;
    let (head, body) = response.into_parts();
    if head.status == StatusCode::OK {
        return Ok(Connection { body, bytes: BytesMut::new() });
    }
    let text = Limited::new(body, LONGEST).collect().await.map(http_body_util::Collected::to_bytes);
    let text = String::from_utf8_lossy(&text.unwrap_or_default()).trim().to_owned();
    Err(Failure::Refused { status: head.status, text })
}
