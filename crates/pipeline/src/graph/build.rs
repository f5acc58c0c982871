//! Building and starting: pipelines from the exporters' end, then flow stages and receivers.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tracing::{error, info};

use super::fanout::Fanout;
use super::flow_stage::{self, Branch, FlowCounts};
use super::pipeline::{Head, run_logs, run_metrics};
use super::{Ended, Graph, PIPELINE_CAPACITY, PipelineSpec, ProcessorConfig, ReceiverSpec, StartError};
use crate::books::{Books, LedgerKey, Signal};
use crate::component::{FlowProcessor, ReceiverError};
use crate::processors::{AggregateConfig, BatchConfig, Batcher};
use crate::record::Record;

/// A pipeline's processors, sorted by what they work on.
#[derive(Default)]
struct Processors {
    flow: Vec<Box<dyn FlowProcessor>>,
    aggregate: AggregateConfig,
    batch: Option<BatchConfig>,
}

impl Processors {
    /// The order has been checked, so that their kinds tell all.
    fn sort(configs: Vec<(String, ProcessorConfig)>) -> Self {
        let mut sorted = Processors::default();
        for (_, config) in configs {
            match config {
                ProcessorConfig::Filter(config) => sorted.flow.push(Box::new(config)),
                ProcessorConfig::Aggregate(config) => sorted.aggregate = config,
                ProcessorConfig::Batch(config) => sorted.batch = Some(config),
            }
        }
        sorted
    }

    fn batcher<T>(&self) -> Batcher<T> {
        self.batch.as_ref().map_or_else(Batcher::passing, Batcher::new)
    }
}

impl Graph {
    pub(super) async fn build(
        &mut self,
        receivers: Vec<ReceiverSpec>,
        pipelines: Vec<PipelineSpec>,
        books: &Books,
    ) -> Result<(), StartError> {
        for (_, exporter) in pipelines.iter().flat_map(|pipeline| &pipeline.exporters) {
            if !self.exporters.iter().any(|known| Arc::ptr_eq(known, exporter)) {
                self.exporters.push(Arc::clone(exporter));
            }
        }
        let ids: Vec<_> = receivers.iter().map(|receiver| receiver.id.as_str()).collect();
        for pipeline in &pipelines {
            if let Some(problem) = pipeline.check(&ids).into_iter().next() {
                return Err(StartError::Pipeline { id: pipeline.id.clone(), problem });
            }
        }
        let mut branches: HashMap<String, Vec<Branch>> = HashMap::new();
        for pipeline in pipelines {
            self.start_pipeline(pipeline, &mut branches, books);
        }
        for receiver in receivers {
            if let Some(branches) = branches.remove(&receiver.id) {
                self.start_receiver(receiver, branches, books).await?;
            }
        }
        Ok(())
    }

    fn start_pipeline(
        &mut self,
        spec: PipelineSpec,
        branches: &mut HashMap<String, Vec<Branch>>,
        books: &Books,
    ) {
        let PipelineSpec { id, signal, receivers, processors, exporters } = spec;
        let mut open = |exporter| {
            let ledger = books.open(LedgerKey { pipeline: id.clone(), signal, exporter });
            self.ledgers.push(ledger.clone());
            ledger
        };
        let ledger = open(None);
        let exporters = exporters.into_iter().map(|(name, exporter)| (exporter, open(Some(name)))).collect();
        let (entrance, records) = mpsc::channel::<Record>(PIPELINE_CAPACITY);
        for receiver in receivers {
            branches.entry(receiver).or_default().push(Branch::new(ledger.clone(), entrance.clone()));
        }

        let mut processors = Processors::sort(processors);
        let head = Head { ledger, records, processors: std::mem::take(&mut processors.flow) };
        let exporters = Fanout(exporters);
        let task = match signal {
            Signal::Logs => run_logs(head, processors.batcher(), exporters).boxed(),
            Signal::Metrics => {
                let batcher = processors.batcher();
                run_metrics(head, processors.aggregate, batcher, exporters).boxed()
            }
        };
        self.pipelines.spawn(async move {
            let panicked = AssertUnwindSafe(task).catch_unwind().await.is_err();
            if panicked {
                error!(pipeline = id, "the pipeline's task panicked");
            }
            Ended { id, panicked }
        });
    }

    /// Its flow stage first, which takes over what the receiver sends from its first moment.
    async fn start_receiver(
        &mut self,
        spec: ReceiverSpec,
        branches: Vec<Branch>,
        books: &Books,
    ) -> Result<(), StartError> {
        let ReceiverSpec { id, mut receiver } = spec;
        let (out, events) = mpsc::channel(receiver.channel_capacity().max(1));
        let counts = Arc::new(FlowCounts::new());
        let (probe, completing) = (receiver.probe(), Arc::clone(&counts));
        books.add_receiver(id.clone(), move || completing.complete(&probe));
        let (name, can_wait) = (id.clone(), receiver.can_wait());
        self.stages.spawn(async move {
            let stage = flow_stage::run(events, &counts, &branches, can_wait);
            let panicked = AssertUnwindSafe(stage).catch_unwind().await.is_err();
            if panicked {
                error!(receiver = name, "the receiver's flow stage panicked");
            }
            Ended { id: name, panicked }
        });
        // Loading a program into the kernel takes its time, on a thread where that harms nobody.
        let started = spawn_blocking(move || receiver.start(out).map(|()| receiver)).await;
        match started.unwrap_or_else(|panic| Err(ReceiverError::Failed(panic.to_string()))) {
            Ok(receiver) => {
                info!(receiver = id, "started");
                self.receivers.insert(id, receiver);
                Ok(())
            }
            Err(source) => Err(StartError::Receiver { id, source }),
        }
    }
}
