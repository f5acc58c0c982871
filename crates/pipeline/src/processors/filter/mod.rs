//! `filter`: keeps or removes records by conditions on their attributes.

mod condition;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::ask::Ask;
use crate::chunk::Chunk;
use crate::component::FlowProcessor;
use crate::config::Problem;
use crate::record::Record;

pub use condition::{Condition, ConditionError};

/// `filter`. A list of conditions matches a record if any of them does. `exclude` wins over `include`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FilterConfig {
    /// Only records that match stay. If the list is empty, all records stay.
    pub include: Vec<Condition>,
    /// Records that match are removed.
    pub exclude: Vec<Condition>,
}

impl FilterConfig {
    /// What is wrong with it.
    pub fn validate(&self) -> Vec<Problem> {
        if self.include.is_empty() && self.exclude.is_empty() {
            return vec![Problem::at(
                "",
                "needs at least one condition under include or exclude, such as \
                 exclude: ['network.peer.address in 127.0.0.0/8']",
            )];
        }
        Vec::new()
    }

    /// What it asks for that a processor has to find.
    pub(super) fn asks(&self) -> impl Iterator<Item = Ask<'_>> {
        let lists = [("include", &self.include), ("exclude", &self.exclude)];
        lists.into_iter().flat_map(|(list, conditions)| {
            conditions.iter().enumerate().filter_map(move |(index, condition)| {
                Some(Ask {
                    path: format!("{list}.{index}"),
                    name: condition.asks_for()?,
                    before: format!("condition `{condition}`: "),
                })
            })
        })
    }

    /// True if the record stays.
    pub fn keeps(&self, record: &Record) -> bool {
        let any = |conditions: &[Condition]| conditions.iter().any(|condition| condition.matches(record));
        (self.include.is_empty() || any(&self.include)) && !any(&self.exclude)
    }
}

/// Parsing compiles the conditions, so the configuration itself is the processor.
impl FlowProcessor for FilterConfig {
    fn push(&mut self, records: Chunk<Record>, _now: Instant) -> Chunk<Record> {
        records.retain(|record| self.keeps(record))
    }
}

#[cfg(test)]
mod tests;
