//! Receivers and exporters whose behaviour the test sets.

#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::books::{DropReason, Ledger, ReceiverCounts, Signal, Unobserved};
use crate::chunk::Sender;
use crate::component::{AnyReceiver, Batch, Exporter, ExporterError, Host, Receiver, ReceiverError};
use crate::fixtures;
use crate::graph::Factory;
use crate::metric::{MetricPoint, Temporality};
use crate::record::Record;

/// Makes components. A configuration is a handle of the component that it makes.
pub(super) struct Fakes;

impl Factory for Fakes {
    type Receiver = Source;
    type Exporter = SinkConfig;

    fn receiver(&self, _id: &str, config: &Source) -> Result<AnyReceiver, ReceiverError> {
        Ok(match config {
            Source::Records(receiver) => AnyReceiver::Records(Box::new(receiver.clone())),
            Source::Points(receiver) => AnyReceiver::Points(Box::new(receiver.clone())),
        })
    }

    fn exporter(
        &self,
        id: &str,
        _signal: Signal,
        config: &SinkConfig,
        _host: &Host,
    ) -> Result<Arc<dyn Exporter>, ExporterError> {
        match config {
            SinkConfig::Sink(sink) => Ok(Arc::clone(sink) as _),
            SinkConfig::Broken => Err(format!("{id} is broken").into()),
        }
    }
}

/// The configuration of a receiver.
#[derive(Clone, PartialEq)]
pub(super) enum Source {
    Records(FakeReceiver),
    Points(FakePoints),
}

/// A receiver that makes one metric point of its own, and then ends.
#[derive(Clone, PartialEq)]
pub(super) struct FakePoints(pub(super) MetricPoint);

impl Receiver<MetricPoint> for FakePoints {
    fn start(&mut self, out: Sender<MetricPoint>) -> Result<(), ReceiverError> {
        fixtures::send(&out, [self.0.clone()]);
        Ok(())
    }

    fn stop(&mut self) {}

    fn probe(&self) -> Box<dyn Fn() -> ReceiverCounts + Send + Sync> {
        Box::new(ReceiverCounts::default)
    }

    fn channel_capacity(&self) -> usize {
        1
    }

    fn has_finished(&self) -> bool {
        true
    }
}

/// The configuration of a [`Sink`].
#[derive(Clone)]
pub(super) enum SinkConfig {
    Sink(Arc<Sink>),
    Broken,
}

impl PartialEq for SinkConfig {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (SinkConfig::Sink(one), SinkConfig::Sink(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

/// A list of what happened, in order.
#[derive(Clone, Default)]
pub(super) struct Diary(Arc<Mutex<Vec<&'static str>>>);

impl Diary {
    pub(super) fn write(&self, line: &'static str) {
        self.0.lock().unwrap().push(line);
    }

    pub(super) fn read(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().clone()
    }
}

/// A receiver that sends what the test gives it. Clones share its channel.
#[derive(Clone, Default)]
pub(super) struct FakeReceiver {
    out: Arc<Mutex<Option<Sender<Record>>>>,
    diary: Diary,
    refuses: Option<&'static str>,
    panics: bool,
    can_wait: bool,
    finished: Arc<AtomicBool>,
}

impl FakeReceiver {
    pub(super) fn keeping(&self, diary: &Diary) -> Self {
        FakeReceiver { diary: diary.clone(), ..self.clone() }
    }

    /// A receiver that does not start. It returns `refuses` as its error, or panics.
    pub(super) fn broken(refuses: &'static str, panics: bool) -> Self {
        FakeReceiver { refuses: Some(refuses), panics, ..FakeReceiver::default() }
    }

    pub(super) fn send(&self, records: impl IntoIterator<Item = Record>) {
        let out = self.out.lock().unwrap();
        fixtures::send(out.as_ref().unwrap(), records);
    }

    /// A receiver that can wait.
    pub(super) fn patient() -> Self {
        FakeReceiver { can_wait: true, ..FakeReceiver::default() }
    }

    pub(super) async fn send_waiting(&self, record: Record) {
        let out = self.out.lock().unwrap().clone().unwrap();
        let room = out.reserve(1).await.unwrap();
        out.send(room, vec![record].into()).unwrap();
    }

    pub(super) fn finish(&self) {
        self.finished.store(true, Ordering::Release);
        self.die();
    }

    pub(super) fn die(&self) {
        self.out.lock().unwrap().take();
    }
}

/// Two configurations are equal if they are handles of the same receiver.
impl PartialEq for FakeReceiver {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.out, &other.out)
    }
}

impl Receiver for FakeReceiver {
    fn start(&mut self, out: Sender<Record>) -> Result<(), ReceiverError> {
        assert!(!self.panics, "a bug in the receiver");
        if let Some(why) = self.refuses {
            return Err(ReceiverError::Unsupported(why.to_owned()));
        }
        *self.out.lock().unwrap() = Some(out);
        self.diary.write("started");
        Ok(())
    }

    fn stop(&mut self) {
        self.die();
        self.diary.write("stopped");
    }

    fn probe(&self) -> Box<dyn Fn() -> ReceiverCounts + Send + Sync> {
        Box::new(|| ReceiverCounts {
            seen: 77,
            unobserved: vec![Unobserved {
                place: "kernel",
                reason: "ring_full",
                cpu: None,
                events: 5,
                segments: None,
            }],
            ..ReceiverCounts::default()
        })
    }

    fn channel_capacity(&self) -> usize {
        8192
    }

    fn can_wait(&self) -> bool {
        self.can_wait
    }

    fn has_finished(&self) -> bool {
        self.finished.load(Ordering::Acquire)
    }
}

/// What an exporter does with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Takes the batch.
    Deliver,
    /// Hangs until it is shut down, then drops the batch.
    HangUntilShutdown,
    /// Hangs until it is told of the shutdown, and at least until this moment, and then takes the batch. If it is shut
    /// down before, it drops the batch.
    HangUntil(Instant),
    /// Hangs until this moment, then takes the batch.
    AwayUntil(Instant),
    /// Hangs for ever, also at shutdown.
    Hang,
    Panic,
}

pub(super) struct Sink {
    mode: Mode,
    temporality: Option<Temporality>,
    diary: Diary,
    batches: Mutex<Vec<Batch>>,
    told: watch::Sender<bool>,
    down: watch::Sender<bool>,
}

impl Sink {
    pub(super) fn new(mode: Mode, diary: &Diary) -> Arc<Self> {
        Arc::new(Sink {
            mode,
            temporality: None,
            diary: diary.clone(),
            batches: Mutex::default(),
            told: watch::Sender::new(false),
            down: watch::Sender::new(false),
        })
    }

    /// A sink that takes metric points in a temporality of its own.
    pub(super) fn taking(temporality: Temporality, diary: &Diary) -> Arc<Self> {
        let mut sink = Sink::new(Mode::Deliver, diary);
        Arc::get_mut(&mut sink).unwrap().temporality = Some(temporality);
        sink
    }

    fn take(&self, batch: Batch, ledger: &Ledger) {
        ledger.deliver(batch.len() as u64, 0);
        self.batches.lock().unwrap().push(batch);
    }

    pub(super) fn batches(&self) -> Vec<Batch> {
        self.batches.lock().unwrap().clone()
    }

    pub(super) fn sizes(&self) -> Vec<usize> {
        self.batches().iter().map(Batch::len).collect()
    }

    pub(super) fn items(&self) -> u64 {
        self.sizes().into_iter().sum::<usize>() as u64
    }

    pub(super) fn points(&self) -> Vec<MetricPoint> {
        let points = |batch| match batch {
            Batch::Metrics(points) => points.iter().cloned().collect(),
            Batch::Logs(_) => Vec::new(),
        };
        self.batches().into_iter().flat_map(points).collect()
    }
}

impl Exporter for Sink {
    fn temporality(&self) -> Option<Temporality> {
        self.temporality
    }

    fn export(&self, batch: Batch, ledger: Ledger) -> BoxFuture<'_, ()> {
        async move {
            let items = batch.len() as u64;
            match self.mode {
                Mode::Deliver => self.take(batch, &ledger),
                Mode::HangUntilShutdown => {
                    self.down.subscribe().wait_for(|down| *down).await.unwrap();
                    ledger.drop_items(items, DropReason::Shutdown);
                }
                Mode::HangUntil(moment) => {
                    let (mut told, mut down) = (self.told.subscribe(), self.down.subscribe());
                    let back = async {
                        told.wait_for(|told| *told).await.unwrap();
                        sleep_until(moment).await;
                    };
                    tokio::select! {
                        () = back => self.take(batch, &ledger),
                        _ = down.wait_for(|down| *down) => ledger.drop_items(items, DropReason::Shutdown),
                    }
                }
                Mode::AwayUntil(moment) => {
                    sleep_until(moment).await;
                    self.take(batch, &ledger);
                }
                Mode::Hang => std::future::pending().await,
                Mode::Panic => panic!("a bug in the exporter"),
            }
        }
        .boxed()
    }

    fn begin_shutdown(&self, _deadline: Instant) {
        self.told.send_replace(true);
    }

    fn shutdown(&self, _deadline: Instant) -> BoxFuture<'_, ()> {
        async move {
            self.diary.write("shut down");
            self.down.send_replace(true);
        }
        .boxed()
    }
}
