//! A transport and an encoder for the unit tests.

#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::{Accepted, Compression, Encode, Encoded, Format, Request, SendError, Transport};
use crate::component::Batch;

/// A backend that answers as its script says. After the end of the script it takes everything. Clones share it.
#[derive(Clone)]
pub(super) struct Backend {
    script: Arc<Mutex<VecDeque<Answer>>>,
    /// When each attempt began, and its body.
    attempts: Arc<Mutex<Vec<(Instant, Bytes)>>>,
    /// Each attempt waits for one of these permits before it is answered.
    pub(super) gate: Arc<Semaphore>,
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

#[derive(Clone)]
pub(super) enum Answer {
    Give(Result<Accepted, SendError>),
    Panic,
}

impl Backend {
    pub(super) fn new(script: impl IntoIterator<Item = Answer>) -> Self {
        Backend {
            script: Arc::new(Mutex::new(script.into_iter().collect())),
            attempts: Arc::default(),
            gate: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
            now: Arc::default(),
            most: Arc::default(),
        }
    }

    /// A backend whose attempts hang until the test adds permits to the gate.
    pub(super) fn gated(script: impl IntoIterator<Item = Answer>) -> Self {
        Backend { gate: Arc::new(Semaphore::new(0)), ..Backend::new(script) }
    }

    /// A backend that is never available.
    pub(super) fn down() -> Self {
        Backend::new(vec![retryable(None); 10_000])
    }

    pub(super) fn times(&self) -> Vec<Instant> {
        self.attempts.lock().unwrap().iter().map(|(at, _)| *at).collect()
    }

    pub(super) fn bodies(&self) -> Vec<Bytes> {
        self.attempts.lock().unwrap().iter().map(|(_, body)| body.clone()).collect()
    }

    /// The largest number of attempts that ran at the same time.
    pub(super) fn most_at_once(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

impl Transport for Backend {
    async fn send(&self, request: &Request) -> Result<Accepted, SendError> {
        self.attempts.lock().unwrap().push((Instant::now(), request.body.clone()));
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        let passed = self.gate.acquire().await;
        self.now.fetch_sub(1, Ordering::SeqCst);
        passed.unwrap().forget();
        let answer = self.script.lock().unwrap().pop_front();
        match answer {
            Some(Answer::Give(answer)) => answer,
            Some(Answer::Panic) => panic!("a bug in the transport"),
            None => Ok(Accepted::default()),
        }
    }
}

pub(super) fn accepted() -> Answer {
    Answer::Give(Ok(Accepted::default()))
}

pub(super) fn partial(rejected: u64) -> Answer {
    Answer::Give(Ok(Accepted { rejected, message: "some are too old".to_owned() }))
}

pub(super) fn retryable(after: Option<Duration>) -> Answer {
    Answer::Give(Err(SendError::Retryable { message: "unavailable".to_owned(), after }))
}

pub(super) fn permanent() -> Answer {
    Answer::Give(Err(SendError::Permanent { message: "unauthenticated".to_owned() }))
}

/// Makes one request per batch. Its body has `bytes_per_item` bytes per item. The value of each byte is the number of
/// items.
pub(super) struct Encoder {
    pub(super) bytes_per_item: usize,
    /// Number of items of each batch that it reports as too large.
    pub(super) too_large: u64,
}

impl Encode for Encoder {
    fn encode(&self, batch: &Batch) -> Encoded {
        let items = batch.len() as u64 - self.too_large;
        Encoded { requests: vec![request(items, self.bytes_per_item)], too_large: self.too_large }
    }
}

pub(super) fn request(items: u64, bytes_per_item: usize) -> Request {
    let body = vec![items as u8; items as usize * bytes_per_item].into();
    Request { body, format: Format::Proto, compression: Compression::None, items }
}
