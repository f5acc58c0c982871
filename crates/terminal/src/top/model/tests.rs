//! The sums hold whatever leaves the tables.

use std::net::SocketAddr;

use otel_tcpretrans_pipeline::record::{Amounts, Class, Flow, Record, RetransmitType};
use proptest::prelude::*;
use strum::IntoEnumIterator;

use super::table::Table;
use super::*;
use crate::fixtures::{gap, record};

/// A record of one of some connections, processes and reasons, or a gap.
fn some_record() -> impl Strategy<Value = Record> {
    let amounts = (0..3_u64, 0..50_u64, 0..2_u64);
    (0..40_u8, 1..5_u32, 0..5_usize, amounts, 0..200_u64).prop_map(|(peer, pid, reason, amounts, second)| {
        use RetransmitType::{Fast, Handshake, TailLossProbe, Timeout, Unknown};
        let (events, segments, failures) = amounts;
        let base = if peer == 0 { gap() } else { record() };
        let peer = SocketAddr::from(([192, 0, 2, peer], 443));
        Record {
            time_unix_nano: base.time_unix_nano + second * 1_000_000_000,
            class: Class {
                retransmit_type: [Fast, Handshake, TailLossProbe, Timeout, Unknown][reason],
                ..base.class
            },
            amounts: Amounts { events, segments, bytes: segments * 1448, failures },
            flow: base.flow.map(|flow| Flow { peer, netns_inode: Some(pid), ..flow }),
            owner: base.owner.map(|owner| otel_tcpretrans_pipeline::record::Owner { pid, ..owner }),
            ..base
        }
    })
}

/// The sums of all rows of a table, the others included.
fn sum(table: &Table) -> Row {
    let mut sum = Row::default();
    table.rows().for_each(|(_, row)| sum.absorb(row));
    if let Some((others, _)) = table.others() {
        sum.absorb(others);
    }
    sum
}

proptest! {
    #[test]
    fn the_rows_of_each_table_have_all_records(
        records in prop::collection::vec(some_record(), 0..300),
        most in 1..30_usize,
    ) {
        let mut model = Model::new(most, Some(2));
        for batch in records.chunks(7) {
            model.add(batch.iter());
        }
        let mut all = Amounts::default();
        records.iter().for_each(|record| all += record.amounts);
        prop_assert_eq!(model.total().amounts, all);
        for by in By::iter() {
            let table = model.table(by);
            prop_assert!(table.rows().count() <= most);
            let sum = sum(table);
            prop_assert_eq!(sum.amounts, all);
            prop_assert_eq!(sum.latest, model.total().latest);
            // What is older than a minute may be left out of one history and not of another, so look at the last minute.
            if let Some((_, newest)) = model.span() {
                for second in newest + 1 - SECONDS as u64..=newest {
                    prop_assert_eq!(sum.history.at(second), model.total().history.at(second));
                }
            }
        }
        let own = records.iter().filter(|record| record.flow.is_some_and(|flow| flow.netns_inode == Some(2)));
        prop_assert_eq!(model.own_segments(), own.map(|record| record.amounts.segments).sum::<u64>());
    }
}

#[test]
fn the_rows_with_the_fewest_segments_leave() {
    let mut model = Model::new(10, None);
    let to = |peer: u8, segments| Record {
        amounts: Amounts { segments, ..record().amounts },
        flow: record().flow.map(|flow| Flow { peer: SocketAddr::from(([192, 0, 2, peer], 443)), ..flow }),
        ..record()
    };
    let heavy = to(1, 1000);
    model.add([&heavy].into_iter());
    for peer in 2..=250 {
        model.add([&to(peer, u64::from(peer % 7))].into_iter());
    }
    let table = model.table(By::Peer);
    let key = Key::of(&heavy, By::Peer);
    assert_eq!(table.row(&key).map(|row| row.amounts.segments), Some(1000));
    assert_eq!(table.others().map(|(_, left)| left + table.rows().count() as u64), Some(250));
}

#[test]
fn a_row_keeps_its_last_records() {
    let mut model = Model::new(10, None);
    let records: Vec<_> = (0..100).map(|number| Record { time_unix_nano: number, ..record() }).collect();
    model.add(records.iter());
    let (_, row) = model.table(By::Connection).rows().next().unwrap();
    let times: Vec<_> = row.records.iter().map(|record| record.time_unix_nano).collect();
    assert_eq!(times, (84..100).collect::<Vec<_>>());
}
