//! The commands, one file each, and what they have in common.

pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod components;
mod load;
pub(crate) mod man;
pub(crate) mod print_config;
pub(crate) mod record;
pub(crate) mod report;
pub(crate) mod run;
mod stdout;
pub(crate) mod top;
pub(crate) mod trace;
pub(crate) mod validate;
mod watching;

use load::{load, load_and_warn};
use stdout::{print, print_yaml};
