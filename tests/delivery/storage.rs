//! What an operator meets at the start: a directory that is in use, that can't be written, a store of another version.

use std::fs;
use std::time::Duration;

use otlp_backend::Backend;
use rustix::process::Signal;

use crate::e2e::agent::log;
use crate::run::{Run, ended, recording};

#[test]
fn a_directory_belongs_to_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let records = recording(&folder, 0, 1000);
    let storage = folder.path().join("queue");
    let backend = Backend::start();
    let url = backend.url();
    let run =
        Run { receiver: ", speed: realtime, loop: true", ..Run::stored(&records, "otlp", &url, &storage) };
    let mut first = run.start();
    first.wait_until_said("ready");
    let mut second = run.start();
    assert_eq!(second.0.exit_code(Duration::from_secs(20)), Some(1));
    let said = log(&second.0).last().unwrap()["message"].as_str().unwrap().to_owned();
    assert!(said.contains("queue belongs to another process that runs"), "{said}");
    first.0.signal(Signal::TERM);
    ended(first).assert_nothing_lost();
}

#[test]
fn what_can_not_be_used_is_named_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let records = recording(&folder, 0, 10);
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let run = Run::stored(&records, "otlp", "http://127.0.0.1:1", &file);
    let mut agent = run.start();
    assert_eq!(agent.0.exit_code(Duration::from_secs(20)), Some(1));
    let said = log(&agent.0).last().unwrap()["message"].as_str().unwrap().to_owned();
    let expected = format!("exporters.otlp: sending_queue.storage: can't use {}: ", file.display());
    assert!(said.contains(&expected) && said.contains("expected a directory"), "{said}");
}
