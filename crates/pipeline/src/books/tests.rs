//! The equations of the books, and what a snapshot shows.

use super::{Books, Counts, DropReason, LedgerKey, QueueCounts, ReceiverCounts, Signal};
use crate::fixtures::ledger;

#[test]
fn in_flight_is_what_is_not_yet_settled() {
    let ledger = ledger();
    ledger.accept(100);
    assert_eq!(ledger.counts().in_flight(), 100);
    ledger.enqueue(60);
    assert_eq!(ledger.counts().in_flight(), 40);
    ledger.dequeue(10);
    ledger.deliver(20, 5);
    ledger.drop_items(7, DropReason::TooLarge);
    ledger.filter(1);
    ledger.aggregate(2);
    ledger.pass(3);
    let counts = ledger.counts();
    assert_eq!((counts.delivered, counts.rejected, counts.queued), (15, 5, 50));
    assert_eq!(counts.in_flight(), 100 - 50 - 20 - 7 - 1 - 2 - 3);
}

#[test]
fn rejected_items_never_exceed_the_items_that_were_sent() {
    let ledger = ledger();
    ledger.deliver(3, 10);
    assert_eq!((ledger.counts().delivered, ledger.counts().rejected), (0, 3));
}

#[test]
fn a_write_off_balances_the_ledger_and_can_be_repeated() {
    let ledger = ledger();
    ledger.accept(5);
    ledger.deliver(2, 0);
    ledger.write_off(DropReason::Shutdown);
    ledger.write_off(DropReason::Internal);
    let expected = Counts {
        accepted: 5,
        delivered: 2,
        dropped: [(DropReason::Shutdown, 3)].into(),
        ..Counts::default()
    };
    assert_eq!(ledger.counts(), expected);
}

/// What one exporter leaves on disk, a later one of the same name restores.
#[test]
fn what_was_stored_and_restored_balances() {
    let books = Books::default();
    let key = LedgerKey { pipeline: "l".to_owned(), signal: Signal::Logs, exporter: Some("e".to_owned()) };
    let (old, new) = (books.open(key.clone()), books.open(key));
    old.accept(5);
    old.enqueue(5);
    old.leave_stored();
    new.restore(5);
    new.dequeue(5);
    new.deliver(5, 0);
    let sum = books.snapshot().ledgers.remove(0).1;
    assert_eq!((sum.stored, sum.restored, sum.queued, sum.delivered, sum.in_flight()), (5, 5, 0, 5, 0));
}

#[test]
fn in_a_snapshot_no_pipeline_has_accepted_more_than_was_received() {
    let books = Books::default();
    let ledger = books.open(LedgerKey { pipeline: "m".to_owned(), signal: Signal::Metrics, exporter: None });
    // The record passes right after the numbers of the receiver were read.
    books.add_receiver("r", move || {
        ledger.accept(1);
        ReceiverCounts::default()
    });
    let snapshot = books.snapshot();
    assert!(snapshot.ledgers[0].1.accepted <= snapshot.receivers[0].1.received, "{snapshot:?}");
}

#[test]
fn ledgers_of_one_key_are_settled_apart_and_shown_as_one() {
    let books = Books::default();
    let key = LedgerKey { pipeline: "m".to_owned(), signal: Signal::Metrics, exporter: None };
    let (old, new) = (books.open(key.clone()), books.open(key.clone()));
    old.accept(3);
    new.accept(4);
    old.write_off(DropReason::Shutdown);
    let dropped = [(DropReason::Shutdown, 3)].into();
    let expected = [(key.clone(), Counts { accepted: 7, dropped, ..Counts::default() })];
    assert_eq!(books.snapshot().ledgers, expected);
    // Those that nobody holds become one, whose numbers stay.
    drop((old, new));
    books.open(key.clone());
    books.open(key);
    assert_eq!(books.snapshot().ledgers, expected);
}

#[test]
fn a_snapshot_shows_everything_that_was_opened() {
    let books = Books::default();
    let key = LedgerKey { pipeline: "m".to_owned(), signal: Signal::Metrics, exporter: None };
    books.open(key.clone()).accept(1);
    books.add_receiver("r", || ReceiverCounts { seen: 2, ..ReceiverCounts::default() });
    let queue = QueueCounts { size: 3, capacity: 4, full_since: None };
    books.add_queue("e".to_owned(), Signal::Logs, move || queue);
    let snapshot = books.snapshot();
    assert_eq!(snapshot.ledgers, [(key, Counts { accepted: 1, ..Counts::default() })]);
    assert_eq!(snapshot.receivers[0].1.seen, 2);
    assert_eq!(snapshot.queues, [(("e".to_owned(), Signal::Logs), queue)]);
}
