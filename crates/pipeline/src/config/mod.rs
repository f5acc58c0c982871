//! What the configurations of all components have in common.
//!
//! Each component owns a `Config`. It derives `Serialize` and `Deserialize`, denies unknown fields and has its own
//! defaults. Its method `validate` finds the problems that types can't express.

mod interval;
mod problem;
mod size;
mod suggest;

pub use interval::{Interval, fit};
pub use problem::Problem;
pub use size::Size;
pub use suggest::{expected, nearest};
