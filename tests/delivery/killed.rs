//! `kill -9` at random moments: what the books had as queued is there at the next start.
//!
//! `OTEL_TCPRETRANS_KILLS` sets the number of kills; `make soak` sets 200.

use std::time::Duration;

use otlp_backend::{Answer, Backend};
use rustix::process::Signal;

use crate::e2e::scrape::Scrape;
use crate::run::{PROTOCOLS, Run, drained, endless, port, recording, telemetry};

const KILLS: u64 = 20;
/// How often the agent is killed on one directory, before it may send what is left.
const IN_A_ROW: u32 = 4;
/// More than a run can read before it is killed.
const RECORDS: u32 = 200_000;

fn kills() -> u64 {
    std::env::var("OTEL_TCPRETRANS_KILLS").map_or(KILLS, |kills| kills.parse().expect("a number"))
}

#[test]
fn what_was_queued_survives_kills_at_random_moments() {
    let folder = tempfile::tempdir().unwrap();
    let runs: Vec<_> = (0..IN_A_ROW).map(|run| recording(&folder, run * RECORDS, RECORDS)).collect();
    let endless = endless(&folder);
    let mut promised = 0;
    for series in 0..kills() / u64::from(IN_A_ROW) {
        let mut random = fastrand::Rng::with_seed(series);
        let storage = tempfile::tempdir().unwrap();
        let backend = Backend::start();
        let protocol = PROTOCOLS[(series % 2) as usize];
        let (scraped, url) = (port(), backend.url());
        let telemetry = telemetry(scraped);
        let mut least = Vec::new();
        let mut known = 0;
        for recording in &runs {
            backend.script((0..random.usize(..20)).map(|_| Answer::any(&mut random)));
            backend.then(match random.u8(..3) {
                0 => Answer::unavailable(),
                1 => Answer::Delay(Duration::from_millis(random.u64(1..100))),
                _ => Answer::Hang,
            });
            let run = Run { service: &telemetry, ..Run::stored(recording, protocol, &url, storage.path()) };
            let mut agent = run.start_with_endless(&endless);
            agent.wait_until_said("ready");
            std::thread::sleep(Duration::from_micros(random.u64(..300_000)));
            let now = Scrape::take_from(scraped);
            let outcome = |outcome| {
                now.sum("otelcol_tcpretrans_exporter_items", &[("outcome", outcome), ("exporter", protocol)])
            };
            // Of this run: what it had as queued, and what the backend had answered. `restored` belongs to the runs before.
            let queued = now.sum("otelcol_tcpretrans_exporter_queued_items", &[("exporter", protocol)]);
            let (delivered, restored) = (outcome("delivered"), outcome("restored"));
            agent.0.signal(Signal::KILL);
            assert_eq!(agent.0.exit_code(Duration::from_secs(10)), None);
            assert_eq!(outcome("dropped"), 0, "{now:#?}");
            assert!(restored <= known, "{restored} of {known} were there");
            least.push((queued + delivered).saturating_sub(restored + 1));
            known += u64::from(RECORDS) + 1; // one is of the second receiver
        }
        promised += least.iter().sum::<u64>();
        backend.then(Answer::Accept);
        drained(&folder, protocol, &url, storage.path());
        let taken = backend.taken();
        for (run, least) in (0..).zip(&least) {
            // Records are queued in their order, so that there must be no hole.
            let first = i64::from(run * RECORDS);
            let of_run = taken.range(first..first + i64::from(RECORDS)).map(|(id, _)| *id);
            let whole = of_run.zip(first..).take_while(|(id, expected)| id == expected).count();
            let last = taken.range(first..first + i64::from(RECORDS)).next_back();
            let count = last.map_or(0, |(last, _)| last - first + 1);
            assert_eq!(whole as i64, count, "series {series}, run {run}: records before others are missing");
            assert!(
                count.cast_unsigned() >= *least,
                "series {series}, run {run}: {count} of {least} arrived"
            );
        }
        println!(
            "series {series}, {protocol}: {least:?} were queued or delivered, {} came twice",
            backend.repetitions()
        );
    }
    assert!(promised > 0, "nothing was queued when it was killed");
}
