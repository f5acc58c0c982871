//! An OTLP backend for the tests. It takes logs and metrics over gRPC and HTTP, on one port, answers by script, and knows
//! how often it has taken each record.
//!
//! A record's id is its attribute `tcp.seq`. The tests make recordings in which each event has another one.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail

mod answer;
mod request;

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

pub use answer::Answer;
use answer::Body;
use request::Received;

/// A backend. While it is [stopped](Backend::stop), connections to its port are refused.
pub struct Backend {
    address: SocketAddr,
    state: Arc<State>,
    /// Its server, while it runs.
    server: Option<Runtime>,
}

struct State {
    /// The answers to the next requests.
    script: Mutex<VecDeque<Answer>>,
    /// The answer after the script.
    then: Mutex<Answer>,
    /// How often each record was taken.
    taken: Mutex<BTreeMap<i64, u32>>,
    /// Log records of other scopes than the pipelines', each with its resource.
    others: Mutex<Vec<(serde_json::Value, serde_json::Value)>>,
    /// How many requests came.
    requests: Mutex<u64>,
    /// The header `authorization` of each request, without repetitions in a row.
    authorizations: Mutex<Vec<String>>,
}

impl Backend {
    /// Starts a backend on a free port of loopback. It accepts everything.
    pub fn start() -> Backend {
        let state = State {
            script: Mutex::default(),
            then: Mutex::new(Answer::Accept),
            taken: Mutex::default(),
            others: Mutex::default(),
            requests: Mutex::default(),
            authorizations: Mutex::default(),
        };
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut backend = Backend { address: free, state: Arc::new(state), server: None };
        backend.resume();
        backend
    }

    /// Its URL, for gRPC and for HTTP.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers the next requests in this way.
    pub fn script(&self, answers: impl IntoIterator<Item = Answer>) {
        self.state.script.lock().unwrap().extend(answers);
    }

    /// Answers in this way after the script.
    pub fn then(&self, answer: Answer) {
        *self.state.then.lock().unwrap() = answer;
    }

    /// Closes its port and all connections.
    pub fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.shutdown_timeout(Duration::from_secs(5));
        }
    }

    /// Opens its port again.
    pub fn resume(&mut self) {
        let server =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = server.block_on(listen(self.address));
        server.spawn(serve(listener, Arc::clone(&self.state)));
        self.server = Some(server);
    }

    /// The ids that it has taken, and how often.
    pub fn taken(&self) -> BTreeMap<i64, u32> {
        self.state.taken.lock().unwrap().clone()
    }

    /// How many records it has, without repetitions.
    pub fn records(&self) -> u64 {
        self.state.taken.lock().unwrap().len() as u64
    }

    /// How many records it was sent more than once, each repetition counted.
    pub fn repetitions(&self) -> u64 {
        self.state.taken.lock().unwrap().values().map(|times| u64::from(*times) - 1).sum()
    }

    /// The log records that are not of the pipelines, each with its resource, as OTLP/JSON.
    pub fn others(&self) -> Vec<(serde_json::Value, serde_json::Value)> {
        self.state.others.lock().unwrap().clone()
    }

    /// How many requests it was sent.
    pub fn requests(&self) -> u64 {
        *self.state.requests.lock().unwrap()
    }

    /// The header `authorization` of the requests, without repetitions in a row.
    pub fn authorizations(&self) -> Vec<String> {
        self.state.authorizations.lock().unwrap().clone()
    }

    /// The first id of `ids` that it does not have.
    pub fn first_missing(&self, mut ids: impl Iterator<Item = i64>) -> Option<i64> {
        let taken = self.state.taken.lock().unwrap();
        ids.find(|id| !taken.contains_key(id))
    }
}

impl State {
    fn remember(&self, authorization: &str) {
        let mut known = self.authorizations.lock().unwrap();
        if known.last().is_none_or(|last| last != authorization) {
            known.push(authorization.to_owned());
        }
    }
}

/// The port may still have connections of before.
async fn listen(address: SocketAddr) -> TcpListener {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    socket.listen(64).unwrap()
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&state), request));
            // The client may go away at any time.
            let _ = auto::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    state: Arc<State>,
    request: http::Request<Incoming>,
) -> Result<http::Response<Body>, Infallible> {
    let (head, body) = request.into_parts();
    state.remember(head.headers.get("authorization").map_or("", |value| value.to_str().unwrap()));
    let received = match body.collect().await {
        Ok(body) => Received::new(&head, &body.to_bytes()),
        Err(_gone) => return Ok(http::Response::new(answer::empty())),
    };
    *state.requests.lock().unwrap() += 1;
    let answer = state.script.lock().unwrap().pop_front();
    let answer = answer.unwrap_or_else(|| state.then.lock().unwrap().clone());
    if answer.takes() {
        let mut taken = state.taken.lock().unwrap();
        received.ids.iter().for_each(|id| *taken.entry(*id).or_default() += 1);
        state.others.lock().unwrap().extend(received.others.iter().cloned());
    }
    Ok(answer.response(&received).await)
}
