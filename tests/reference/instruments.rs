//! The instruments of the self-telemetry, as the code registers them: a meter that writes down what it is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{
    AsyncInstrument, AsyncInstrumentBuilder, Callback, InstrumentProvider, Meter, ObservableCounter,
    ObservableGauge,
};
use otel_tcpretrans_exporters::self_telemetry::register_process;
use otel_tcpretrans_pipeline::books::{
    GapCounts, LedgerKey, QueueCounts, ReceiverCounts, Signal, Unobserved,
};
use otel_tcpretrans_pipeline::component::Host;
use otel_tcpretrans_pipeline::processors::K8sAttributesConfig;
use otel_tcpretrans_pipeline::processors::k8s_attributes::{Reason, Resource};
use otel_tcpretrans_pipeline::telemetry::Observed;
use otel_tcpretrans_source::{FACTS, GAUGES, replay};

/// The prefix of the instruments that the Collector does not have (src/commands/run.rs).
const NAMESPACE: &str = "otelcol_tcpretrans";

/// An instrument and the labels of its series.
#[derive(Clone, Debug, Default)]
pub struct Instrument {
    pub kind: &'static str,
    pub unit: String,
    pub description: String,
    pub labels: BTreeSet<String>,
}

/// All instruments, by name, of a process that has a component of each kind.
pub fn all() -> BTreeMap<String, Instrument> {
    let recorder = Arc::new(Recorder::default());
    let meter = Meter::new(Arc::clone(&recorder) as _);
    let host = host();
    let cluster = host.clusters.open(&K8sAttributesConfig::default()).expect("nobody watches");
    cluster.answered(Resource::Pods);
    cluster.failed(Resource::Pods, Reason::Unreachable, &"a failure");
    register_process(&meter);
    host.reloads.register(&meter, NAMESPACE);
    host.clusters.register(&meter, NAMESPACE);
    let observed = Observed::register(&meter, NAMESPACE, &host.books);
    observed.refresh();
    let instruments = std::mem::take(&mut *recorder.0.lock().unwrap());
    let named = instruments.into_iter().map(|(name, mut instrument, ask)| {
        instrument.labels = ask();
        (name, instrument)
    });
    named.collect()
}

/// A host with something in each of its books.
fn host() -> Host {
    let host = Host::default();
    host.reloads.in_force("0123");
    let lost =
        Unobserved { place: "kernel", reason: "ring_full", cpu: Some(0), events: 1, segments: Some(1) };
    host.books.add_receiver("tcpretrans", move || ReceiverCounts {
        unobserved: vec![lost.clone()],
        gaps: GapCounts::default(),
        info: FACTS.map(|fact| (fact, "value".to_owned())).into(),
        gauges: GAUGES.map(|gauge| (gauge, 1)).into(),
        ..ReceiverCounts::default()
    });
    host.books.add_receiver("replay", || ReceiverCounts {
        info: replay::FACTS.map(|fact| (fact, "value".to_owned())).into(),
        ..ReceiverCounts::default()
    });
    host.books
        .add_receiver("tcp_stats", || ReceiverCounts { makes_points: true, ..ReceiverCounts::default() });
    for signal in Signal::ALL {
        for exporter in [None, Some("otlp".to_owned())] {
            host.books.open(LedgerKey { pipeline: <&str>::from(signal).to_owned(), signal, exporter });
        }
        host.books.add_queue("otlp".to_owned(), signal, QueueCounts::default);
    }
    host
}

type Ask = Box<dyn FnOnce() -> BTreeSet<String> + Send + Sync>;

/// Writes down what is registered, and how to find its labels.
#[derive(Default)]
struct Recorder(Mutex<Vec<(String, Instrument, Ask)>>);

impl Recorder {
    fn add<I, M: 'static>(&self, kind: &'static str, builder: AsyncInstrumentBuilder<'_, I, M>) {
        let instrument = Instrument {
            kind,
            unit: builder.unit.unwrap_or_default().into_owned(),
            description: builder.description.unwrap_or_default().into_owned(),
            labels: BTreeSet::new(),
        };
        let callbacks = builder.callbacks;
        let ask = move || labels(&callbacks);
        self.0.lock().unwrap().push((builder.name.into_owned(), instrument, Box::new(ask)));
    }
}

fn labels<M>(callbacks: &[Callback<M>]) -> BTreeSet<String> {
    let seen = Labels::default();
    callbacks.iter().for_each(|callback| callback(&seen));
    seen.0.into_inner().unwrap()
}

#[derive(Default)]
struct Labels(Mutex<BTreeSet<String>>);

impl<M> AsyncInstrument<M> for Labels {
    fn observe(&self, _measurement: M, attributes: &[KeyValue]) {
        self.0.lock().unwrap().extend(attributes.iter().map(|attribute| attribute.key.to_string()));
    }
}

// Those that are registered today. Another one would not be in the reference, and the tests of what leaves would find it.
impl InstrumentProvider for Recorder {
    fn u64_observable_counter(
        &self,
        builder: AsyncInstrumentBuilder<'_, ObservableCounter<u64>, u64>,
    ) -> ObservableCounter<u64> {
        self.add("sum", builder);
        ObservableCounter::new()
    }

    fn f64_observable_counter(
        &self,
        builder: AsyncInstrumentBuilder<'_, ObservableCounter<f64>, f64>,
    ) -> ObservableCounter<f64> {
        self.add("sum", builder);
        ObservableCounter::new()
    }

    fn u64_observable_gauge(
        &self,
        builder: AsyncInstrumentBuilder<'_, ObservableGauge<u64>, u64>,
    ) -> ObservableGauge<u64> {
        self.add("gauge", builder);
        ObservableGauge::new()
    }

    fn f64_observable_gauge(
        &self,
        builder: AsyncInstrumentBuilder<'_, ObservableGauge<f64>, f64>,
    ) -> ObservableGauge<f64> {
        self.add("gauge", builder);
        ObservableGauge::new()
    }
}
