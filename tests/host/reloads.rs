//! Reloads: what they change, what they leave alone, and what they refuse.

use std::collections::BTreeMap;
use std::thread;

use rustix::process::Signal;

use crate::e2e::agent::{Agent, Finished, log};
use crate::e2e::scrape::{PORT, Scrape};
use crate::e2e::support::namespace::{isolated, retrans_segs, without_gso};
use crate::e2e::traffic::{lossy_transfers, storm};

/// Configurations of which each differs from the next: as it was, another processor, another exporter, another interval.
const CHANGES: [&str; 4] = [
    "",
    "{ processors: { filter: { exclude: [network.peer.port == 1] } },
       service: { pipelines: { logs: { processors: [filter] } } } }",
    "{ exporters: { debug/more: { verbosity: basic } },
       service: { pipelines: { logs: { exporters: [debug] }, metrics: { exporters: [debug] } } } }",
    "{ processors: { batch: { timeout: 50ms } }, service: { pipelines: { logs: { processors: [batch] } } } }",
];

/// No retransmission is missed or counted twice, and the sums go on.
pub fn in_a_storm() {
    isolated(|| {
        without_gso();
        let mut agent = Agent::start("");
        let stormy = thread::spawn(|| storm(8));
        for reload in 1..=10 {
            agent.reload(CHANGES[reload % CHANGES.len()]);
            agent.0.wait_until("reloaded", |agent| {
                let reloaded = log(agent).into_iter().filter(|line| line["message"] == "reloaded");
                reloaded.count() == reload
            });
        }
        let connections = stormy.join().expect("the storm");
        let Finished { printed, books } = agent.finish();
        books.assert_nothing_lost();
        printed.assert_counted(&books, retrans_segs(), &connections);
        let mut starts = BTreeMap::new();
        for point in &printed.points {
            let series = (&point.metric, &point.attributes);
            assert_eq!(starts.entry(series).or_insert(&point.since), &&point.since, "{point:?}");
        }
    });
}

/// A bad file changes nothing, and each problem is logged as `validate` prints it. Signals in a row are one reload.
pub fn refused() {
    isolated(|| {
        let telemetry =
            format!("service: {{ telemetry: {{ metrics: {{ prometheus: '127.0.0.1:{PORT}' }} }} }}\n");
        let mut agent = Agent::start(&telemetry);
        let of = |outcome: &str| Scrape::take().sum("otelcol_tcpretrans_reloads", &[("outcome", outcome)]);
        let hash = || {
            let ready = |line: &serde_json::Value| Some(line["config"].as_str()?.to_owned());
            move |agent: &Agent| log(&agent.0).iter().filter_map(ready).next_back().expect("a hash")
        };
        let before = hash()(&agent);
        Scrape::take().samples("otelcol_tcpretrans_config_info", &[("hash", &before)]);

        agent.reload(&format!("{telemetry}processors: {{ batch: {{ timeout: soon, size: 1 }} }}\n"));
        agent.wait_until_said("reload refused: nothing has changed");
        for problem in [
            "config.yaml:2:24: processors.batch.timeout: ",
            "config.yaml:2:39: processors.batch.size: unknown key",
        ] {
            assert_eq!(agent.times_said(problem), 1, "{problem}");
        }
        agent.reload("service: { telemetry: { metrics: { prometheus: '127.0.0.1:9999' } } }");
        agent.wait_until_said("restart needed: service.telemetry.metrics changed");
        assert_eq!((of("success"), of("refused"), of("failed")), (0, 2, 0));
        Scrape::take().samples("otelcol_tcpretrans_config_info", &[("hash", &before)]);

        for _ in 0..20 {
            agent.reload(&format!("{telemetry}processors: {{ batch: {{ timeout: 50ms }} }}\n"));
        }
        agent.wait_until_said("reloaded");
        let after = hash()(&agent);
        assert_ne!(before, after);
        let in_force = |hash: &str| Scrape::take().sum("otelcol_tcpretrans_config_info", &[("hash", hash)]);
        assert_eq!((in_force(&before), in_force(&after)), (0, 1));

        let traffic = lossy_transfers(8, &[PORT]);
        assert!((1..=20).contains(&agent.times_said("reloaded")));
        let finished = agent.finish_by(Signal::TERM);
        finished.printed.assert_counted(&finished.books, traffic.retrans_segs, &traffic.connections);
    });
}

/// A receiver that has changed is stopped and started again. The sums go on. That needs the privileges, which the sandbox
/// takes.
pub fn of_a_receiver() {
    isolated(|| {
        let mut agent = Agent::start("service: { sandbox: off }");
        let first = lossy_transfers(4, &[]);
        agent.reload("{ receivers: { tcpretrans: { ringbuf: { size: 2MiB } } }, service: { sandbox: off } }");
        agent.wait_until_said("reloaded");
        let second = lossy_transfers(4, &[]);
        let Finished { printed, books } = agent.finish();
        books.assert_nothing_lost();
        assert!(first.retrans_segs < second.retrans_segs, "{}", first.retrans_segs);
        let sum = printed.sum_of("system.network.tcp.retransmits");
        assert_eq!((sum, printed.segments()), (second.retrans_segs, second.retrans_segs));
    });
}
