//! A backend that is away, flaps, or fails in every known way.

use std::time::Duration;

use otlp_backend::{Answer, Backend};

use crate::run::{PROTOCOLS, Run, drained, ended, recording};

const RECORDS: u32 = 50_000;

/// The queue on disk holds what the memory's could not, over the end of the run.
#[test]
fn an_outage_longer_than_the_run_loses_nothing_with_storage() {
    for protocol in PROTOCOLS {
        let folder = tempfile::tempdir().unwrap();
        let records = recording(&folder, 0, RECORDS);
        let storage = folder.path().join("queue");
        let mut backend = Backend::start();
        let url = backend.url();
        backend.stop();
        let away = Run::stored(&records, protocol, &url, &storage);
        let books = away.to_end();
        assert_eq!(books.exporter("logs", protocol, "stored"), u64::from(RECORDS));
        backend.resume();
        let back = drained(&folder, protocol, &url, &storage);
        assert_eq!(back.exporter("logs", protocol, "restored"), u64::from(RECORDS));
        assert_eq!(backend.first_missing(0..i64::from(RECORDS)), None);
        assert_eq!(backend.repetitions(), 0);
    }
}

/// What a small queue in memory drops is in the books, and everything else arrives.
#[test]
fn an_outage_longer_than_the_queue_in_memory_is_in_the_books() {
    for protocol in PROTOCOLS {
        let folder = tempfile::tempdir().unwrap();
        let records = recording(&folder, 0, RECORDS);
        let mut backend = Backend::start();
        let url = backend.url();
        backend.stop();
        let exporter = "sending_queue: { queue_size: 64KiB }, \
                        retry_on_failure: { initial_interval: 50ms, max_interval: 100ms }";
        let mut agent = Run { exporter, ..Run::new(&records, protocol, &url) }.start();
        agent.wait_until_said("draining");
        backend.resume();
        let books = ended(agent);
        let (delivered, dropped) =
            (books.exporter("logs", protocol, "delivered"), books.dropped("logs", protocol));
        assert_eq!(delivered + dropped, u64::from(RECORDS));
        assert!(dropped > 0 && delivered > 0, "{books:?}");
        assert_eq!((backend.records(), backend.repetitions()), (delivered, 0));
    }
}

/// Every answer after which OTLP sends again. Records come twice only where the answer was lost.
#[test]
fn a_backend_that_fails_in_every_way_gets_everything() {
    for (number, protocol) in PROTOCOLS.into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let records = recording(&folder, 0, RECORDS);
        let backend = Backend::start();
        let mut random = fastrand::Rng::with_seed(number as u64);
        let answers: Vec<_> = (0..60).map(|_| Answer::any(&mut random)).collect();
        let may_repeat = answers.iter().any(|answer| matches!(answer, Answer::Cut));
        backend.script(answers);
        let exporter = "timeout: 200ms, sending_queue: { queue_size: 1MiB, on_full: block }, \
                        retry_on_failure: { initial_interval: 10ms, max_interval: 50ms }";
        let books = Run { exporter, ..Run::new(&records, protocol, &backend.url()) }.to_end();
        assert!(backend.requests() > 60, "the script was not used up");
        // A broken answer of gRPC means that the backend has taken the request; OTLP says not to send it again.
        let delivered = books.exporter("logs", protocol, "delivered");
        let refused = books.dropped("logs", protocol);
        assert_eq!(delivered + refused, u64::from(RECORDS), "{books:?}");
        assert_eq!(backend.first_missing(0..i64::from(RECORDS)), None);
        assert!(may_repeat && (backend.repetitions() > 0 || refused > 0));
    }
}

/// The backend takes the request, but not all of it; and an answer without an end does not fill the memory.
#[test]
fn partial_successes_and_oversized_answers_are_in_the_books() {
    for protocol in PROTOCOLS {
        let folder = tempfile::tempdir().unwrap();
        let records = recording(&folder, 0, 1000);
        let backend = Backend::start();
        backend.script([Answer::Partial(7), Answer::Oversized]);
        let exporter = "sending_queue: { num_consumers: 1 }";
        let books = Run { exporter, ..Run::new(&records, protocol, &backend.url()) }.to_end();
        assert_eq!(books.exporter("logs", protocol, "rejected"), 7, "{books:?}");
        assert_eq!(backend.first_missing(0..1000), None);
        let settled = books.exporter("logs", protocol, "delivered") + 7 + books.dropped("logs", protocol);
        assert_eq!(settled, 1000);
        assert_eq!(backend.repetitions(), 0, "an answer that can't be read is no reason to send again");
    }
}

/// It goes away and comes back again and again, while the agent sends.
#[test]
fn a_flapping_backend_gets_everything() {
    for protocol in PROTOCOLS {
        let folder = tempfile::tempdir().unwrap();
        let records = recording(&folder, 0, 4 * RECORDS);
        let mut backend = Backend::start();
        backend.then(Answer::Delay(Duration::from_millis(20)));
        let exporter = "compression: none, timeout: 1s, sending_queue: { queue_size: 4MiB, on_full: block }, \
                        retry_on_failure: { initial_interval: 10ms, max_interval: 50ms }";
        let url = backend.url();
        let mut agent = Run { exporter, ..Run::new(&records, protocol, &url) }.start();
        let mut outages = 0;
        while agent.0.is_running() {
            let before = backend.requests();
            agent.0.wait_until("requests", |agent| {
                backend.requests() > before + 5
                    || crate::e2e::agent::log(agent).iter().any(|line| line["message"] == "books")
            });
            backend.stop();
            outages += 1;
            backend.resume();
        }
        let books = ended(agent);
        assert!(outages > 5, "{outages}");
        assert_eq!(books.exporter("logs", protocol, "delivered"), 4 * u64::from(RECORDS));
        assert_eq!(backend.first_missing(0..4 * i64::from(RECORDS)), None);
    }
}
