//! The bound of an outlet, and what happens to a batch that does not fit.

use futures::FutureExt;

use super::*;
use crate::books::{LedgerKey, Signal};
use crate::fixtures;
use crate::graph::limits::OUTLET_CAPACITY;

fn ledger() -> Ledger {
    let exporter = Some("out".to_owned());
    Ledger::detached(LedgerKey { pipeline: "logs".to_owned(), signal: Signal::Logs, exporter })
}

fn batch(records: usize) -> Batch {
    Batch::Logs(vec![fixtures::record(); records].into())
}

fn fanout(outlet: Outlet) -> Fanout {
    Fanout::new(watch::channel(vec![Arc::new(outlet)]).1)
}

#[test]
fn a_full_outlet_drops_what_does_not_fit_and_its_bound_is_in_records() {
    let ledger = ledger();
    let (outlet, outflow) = Outlet::new(ledger.clone(), None, OUTLET_CAPACITY);
    let fanout = fanout(outlet);
    let half = OUTLET_CAPACITY / 2;
    fanout.send(vec![batch(half), batch(half), batch(1)]).now_or_never().expect("it does not wait");
    assert_eq!(ledger.counts().dropped, [(DropReason::ExporterFull, 1)].into());
    drop(outflow);
    let counts = ledger.counts();
    assert_eq!(counts.dropped[&DropReason::Shutdown], 2 * half as u64, "its batches are counted");
    assert_eq!(counts.in_flight(), 0);
}

#[test]
fn a_batch_larger_than_the_outlet_gets_in_if_the_outlet_is_empty() {
    let ledger = ledger();
    let (outlet, _outflow) = Outlet::new(ledger.clone(), None, OUTLET_CAPACITY);
    let fanout = fanout(outlet);
    fanout.send(vec![batch(2 * OUTLET_CAPACITY), batch(1)]).now_or_never().expect("it does not wait");
    assert_eq!(ledger.counts().dropped, [(DropReason::ExporterFull, 1)].into());
}

#[test]
fn a_pipeline_that_can_wait_drops_nothing() {
    let ledger = ledger();
    let (outlet, mut outflow) = Outlet::new(ledger.clone(), None, OUTLET_CAPACITY);
    outlet.set_can_wait(true);
    let fanout = fanout(outlet);
    let mut sending = Box::pin(fanout.send(vec![batch(OUTLET_CAPACITY), batch(1)]));
    assert!(sending.as_mut().now_or_never().is_none(), "there is no room for the second batch");
    drop(outflow.batches.try_recv());
    sending.now_or_never().expect("now there is room");
    assert_eq!(ledger.counts().dropped_total(), 0);
}
