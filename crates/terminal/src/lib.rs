//! What a person reads: `trace`, `top` and `report`. Each of them is an exporter of a logs pipeline, so that it shows what the
//! pipelines count.

#[cfg(test)]
mod fixtures;
pub mod top;
