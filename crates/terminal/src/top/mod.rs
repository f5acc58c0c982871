//! `top`: the worst peers, processes, workloads and connections, on a screen that is drawn again and again.
//!
//! An exporter adds each record to a model. A thread of its own reads keys and draws the model, so that a slow terminal
//! delays no record.

mod counter;
mod gather;
mod kernel;
mod model;
mod run;
mod screen;
mod signals;
mod terminal;
mod view;

pub use kernel::ReadCounter;
pub use model::By;
pub use run::{Options, Shown, Top, Watched};
pub use terminal::{Taken, Unfit, check};
pub use view::Look;
