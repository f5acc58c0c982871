//! Each file under config/ is valid as it is.

use std::fs;

use crate::harness::{Case, repository};

#[test]
fn each_example_is_valid_and_uses_all_that_it_configures() {
    let folder = repository().join("config");
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("config/").map(|entry| entry.expect("entry").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        Case::bare(&["validate", "--config", file.to_str().expect("UTF-8")]).run().succeeded();
    }
}
