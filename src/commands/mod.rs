//! The commands, one file each, and what they have in common.

pub(crate) mod check;
pub(crate) mod components;
mod load;
pub(crate) mod print_config;
pub(crate) mod record;
pub(crate) mod run;
pub(crate) mod validate;
mod yaml;

use load::{load, load_and_warn};
use yaml::print_yaml;
