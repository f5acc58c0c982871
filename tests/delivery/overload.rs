//! A backend that takes a tenth of what comes: memory stays within the queue's size and some room, and the books balance.

use std::time::{Duration, Instant};

use otlp_backend::{Answer, Backend};
use rustix::process::Signal;

use crate::memory::resident;
use crate::run::{Run, ended, recording};

/// How long it lasts. `make soak` tests a release build, for a minute.
const LASTS: Duration = Duration::from_secs(if cfg!(debug_assertions) { 15 } else { 60 });
/// The queue of this test, in MiB.
const QUEUE: u64 = 32;
/// What may come on top, in MiB.
const ROOM: u64 = 24;

#[test]
fn memory_stays_within_the_queue_in_an_overload() {
    let folder = tempfile::tempdir().unwrap();
    let records = recording(&folder, 0, 200_000);
    let backend = Backend::start();
    // A request of 8,192 records each 200 ms and consumer: far below what a replay makes.
    backend.then(Answer::Delay(Duration::from_millis(200)));
    let exporter = format!("compression: none, sending_queue: {{ queue_size: {QUEUE}MiB }}");
    let url = backend.url();
    let mut agent = Run {
        exporter: &exporter,
        service: "shutdown_timeout: 10s,",
        receiver: ", loop: true",
        ..Run::new(&records, "otlp", &url)
    }
    .start();
    agent.wait_until_said("the sending queue is full");
    let (start, mut most) = (Instant::now(), 0);
    while start.elapsed() < LASTS {
        most = most.max(resident(agent.0.pid()) / 1024);
        assert!(most <= QUEUE + ROOM, "{most} MiB are resident after {:?}", start.elapsed());
        std::thread::sleep(Duration::from_millis(50));
    }
    agent.0.signal(Signal::TERM);
    let books = ended(agent);
    let (accepted, delivered) =
        (books.exporter("logs", "otlp", "accepted"), books.exporter("logs", "otlp", "delivered"));
    println!("most {most} MiB; {accepted} accepted, {delivered} delivered");
    assert!(delivered * 3 < accepted, "it was no overload: {books:?}");
}
