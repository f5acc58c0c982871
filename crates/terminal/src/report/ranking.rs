//! The worst of something, as rows of a table.

use std::collections::HashMap;
use std::hash::Hash;

use super::collected::Sums;

/// How many rows a table has.
const ROWS: usize = 15;

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) sums: Sums,
}

/// The rows with the most segments, worst first, and the number of rows that are left out.
pub(super) fn worst<K: Eq + Hash>(of: &HashMap<K, Sums>, name: impl Fn(&K) -> String) -> (Vec<Row>, usize) {
    let mut rows: Vec<_> = of.iter().map(|(key, sums)| Row { name: name(key), sums: sums.clone() }).collect();
    rows.sort_by(|a, b| {
        let key = |row: &Row| (row.sums.amounts.segments, row.sums.amounts.events);
        key(b).cmp(&key(a)).then_with(|| a.name.cmp(&b.name))
    });
    let left_out = rows.len().saturating_sub(ROWS);
    rows.truncate(ROWS);
    (rows, left_out)
}
