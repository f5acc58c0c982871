//! A queue on a disk that fills up and has room again, and on one that can't be written.

use std::fs;
use std::time::Duration;

use nix::mount::{MsFlags, mount};
use otlp_backend::Backend;
use rustix::process::Signal;

use crate::e2e::agent::log;
use crate::e2e::support::namespace::isolated;
use crate::run::{Run, STORED, drained, ended, recording};

const RECORDS: u32 = 100_000;

/// What the disk does not take stays in memory while there is room, and is then dropped and counted. Everything else
/// arrives.
pub fn a_queue_on_a_full_disk() {
    let folder = tempfile::tempdir().expect("a folder"); // removed outside of the namespace: not mounted
    let disk = tempfile::tempdir().expect("a folder");
    let place = disk.path().to_owned();
    isolated(move || {
        let (tmpfs, size) = (Some("tmpfs"), Some("size=32m"));
        mount(tmpfs, &place, tmpfs, MsFlags::empty(), size).expect("a small disk");
        let (ballast, storage) = (place.join("ballast"), place.join("queue"));
        fs::write(&ballast, vec![0; 12 << 20]).expect("room for it");
        let records = recording(&folder, 0, RECORDS);
        let mut backend = Backend::start();
        let url = backend.url();
        backend.stop();
        let exporter = format!("compression: none, {STORED}");
        let run =
            Run { exporter: &exporter, storage: Some(&storage), ..Run::new(&records, "otlp_http", &url) };
        let books = run.to_end();
        let (stored, dropped) =
            (books.exporter("logs", "otlp_http", "stored"), books.dropped("logs", "otlp_http"));
        assert!(stored > 0 && dropped > 0, "{books:?}");
        assert_eq!(books.dropped_for("logs", "otlp_http", "storage"), dropped);
        assert_eq!(stored + dropped, u64::from(RECORDS));
        backend.resume();
        drained(&folder, "otlp_http", &url, &storage);
        let more = backend.taken().range(i64::from(RECORDS)..).count() as u64; // of the run that drained it
        assert_eq!((backend.records() - more, backend.repetitions()), (stored, 0));

        // It goes on by itself.
        backend.stop();
        let mut agent = Run { receiver: ", loop: true", ..run }.start();
        agent.wait_until_said("can't store requests");
        fs::remove_file(&ballast).expect("removing it");
        agent.wait_until_said("requests are stored again");
        agent.0.signal(Signal::TERM);
        ended(agent);
    });
}

pub fn a_queue_on_a_read_only_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = tempfile::tempdir().expect("a folder");
    let place = disk.path().to_owned();
    isolated(move || {
        let tmpfs = Some("tmpfs");
        mount(tmpfs, &place, tmpfs, MsFlags::MS_RDONLY, Some("size=1m")).expect("a small disk");
        let records = recording(&folder, 0, 1);
        let mut agent = Run::stored(&records, "otlp", "http://127.0.0.1:1", &place).start();
        assert_eq!(agent.0.exit_code(Duration::from_secs(20)), Some(1));
        let said = log(&agent.0).last().unwrap()["message"].as_str().unwrap().to_owned();
        assert!(
            said.contains("sending_queue.storage: can't use") && said.contains("Read-only file system"),
            "{said}"
        );
    });
}
