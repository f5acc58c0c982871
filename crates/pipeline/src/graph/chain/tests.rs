//! A chain whose processors hold records, and the ledger that accounts for them.

use std::time::Duration;

use super::*;
use crate::books::{LedgerKey, Signal};
use crate::fixtures;
use crate::processors::FilterConfig;

/// Holds each record for a second.
#[derive(Default)]
struct Waits(Vec<(Instant, Record)>);

impl FlowProcessor for Waits {
    fn push(&mut self, records: Chunk<Record>, now: Instant) -> Chunk<Record> {
        self.0.extend(records.iter().map(|record| (now + Duration::from_secs(1), record.clone())));
        Chunk::default()
    }

    fn held(&self) -> usize {
        self.0.len()
    }

    fn due(&self) -> Option<Instant> {
        self.0.first().map(|(due, _)| *due)
    }

    fn flush(&mut self, now: Option<Instant>) -> Chunk<Record> {
        let ripe = self.0.iter().take_while(|(due, _)| now.is_none_or(|now| *due <= now)).count();
        self.0.drain(..ripe).map(|(_, record)| record).collect()
    }
}

fn to_port(port: u16) -> Record {
    fixtures::record_to(([192, 0, 2, 7], port).into())
}

/// Removes records to port 1, then holds records, then removes those to port 2.
fn chain() -> (Chain, Ledger) {
    let ledger =
        Ledger::detached(LedgerKey { pipeline: "logs".to_owned(), signal: Signal::Logs, exporter: None });
    let not_to = |port: u16| -> Box<dyn FlowProcessor> {
        let condition = format!("network.peer.port == {port}").parse();
        Box::new(FilterConfig { exclude: condition.into_iter().collect(), ..FilterConfig::default() })
    };
    (
        Chain::new(vec![not_to(1), Box::new(Waits::default()), not_to(2)], ledger.clone(), Tap::default()),
        ledger,
    )
}

#[test]
fn held_records_are_neither_passed_nor_filtered() {
    let (mut chain, ledger) = chain();
    let start = Instant::now();
    assert!(chain.push(vec![to_port(1), to_port(2), to_port(3)].into(), start).is_empty());
    assert_eq!(ledger.counts().filtered, 1, "the two others are held");
    assert_eq!(chain.due(), Some(start + Duration::from_secs(1)));
    assert!(chain.flush_due(start).is_empty());
    assert_eq!(*chain.flush_due(start + Duration::from_secs(1)), [to_port(3)]);
    assert_eq!((ledger.counts().filtered, chain.due()), (2, None));
}

#[test]
fn at_the_end_no_record_stays_held() {
    let (mut chain, ledger) = chain();
    let start = Instant::now();
    chain.push(vec![to_port(2), to_port(3), to_port(4)].into(), start);
    assert_eq!(*chain.flush_all(start), [to_port(3), to_port(4)]);
    assert_eq!(ledger.counts().filtered, 1);
}
