//! What the process gives up once it has started.

use std::fs;
use std::os::unix::fs::symlink;

use crate::e2e::agent::{Agent, Finished, log};
use crate::e2e::harness::readable_by_all;
use crate::e2e::status::{capabilities, of_threads};
use crate::e2e::support::namespace::isolated;
use crate::e2e::traffic::lossy_transfers;

/// CAP_SYS_PTRACE (include/uapi/linux/capability.h).
const SYS_PTRACE: u64 = 1 << 19;

/// Fails unless each thread has no capability but those of `kept`, by name, no new privileges, and a filter of its calls.
pub fn assert_confined(pid: u32, kept: &[(&str, u64)]) {
    let threads = of_threads(pid);
    assert!(threads.len() >= 3, "{threads:?}");
    for fields in threads {
        let name = &fields["Name"];
        let kept = kept.iter().find(|(thread, _)| thread == name).map_or(0, |(_, kept)| *kept);
        for (set, expected) in [("CapEff", kept), ("CapPrm", kept), ("CapInh", 0), ("CapAmb", 0)] {
            assert_eq!(capabilities(&fields, set), expected, "{set} of {name}");
        }
        assert_eq!((fields["NoNewPrivs"].as_str(), fields["Seccomp"].as_str()), ("1", "2"), "{name}");
    }
}

/// As root, before and after traffic; the counts are right without any privilege. With `sandbox: off` it keeps all.
pub fn every_thread_is_confined() {
    isolated(|| {
        let agent = Agent::start("service: { sandbox: on }");
        assert_confined(agent.0.pid(), &[]);
        let bounding = of_threads(agent.0.pid()).iter().map(|fields| capabilities(fields, "CapBnd")).max();
        assert_eq!(bounding, Some(0));
        let traffic = lossy_transfers(8, &[]);
        assert_confined(agent.0.pid(), &[]);
        let Finished { printed, books } = agent.finish();
        printed.assert_counted(&books, traffic.retrans_segs, &traffic.connections);

        let agent = Agent::start("service: { sandbox: off }");
        for fields in of_threads(agent.0.pid()) {
            assert!(capabilities(&fields, "CapEff") != 0 && fields["Seccomp"] == "0", "{}", fields["Name"]);
        }
        agent.finish();
    });
}

/// `tcp_stats` looks into the processes of all users: its thread keeps the one capability for that.
pub fn tcp_stats_keeps_one_capability() {
    isolated(|| {
        let agent = Agent::start(
            "{ receivers: { tcp_stats: { interval: 1s } },
               service: { pipelines: { metrics/stats: { receivers: [tcp_stats], exporters: [debug] } } } }",
        );
        assert_confined(agent.0.pid(), &[("tcp_stats", SYS_PTRACE)]);
    });
}

/// Files outside of its folders can't be opened, not even by links that lead there. Reloads work as far as they need no
/// such file and no privilege; others are refused, and change nothing.
pub fn files_elsewhere_stay_closed() {
    isolated(|| {
        let elsewhere = tempfile::tempdir().expect("a folder");
        let path = |name: &str| elsewhere.path().join(name);
        let networks = "[{ cidr: 10.0.0.0/8, attributes: { name: office } }]";
        fs::write(path("networks.yaml"), networks).expect("writing");
        let overlay = |more: &str, exporters: &str| {
            format!(
                "{{ processors: {{ networks: {{ file: networks.yaml }} }}, {more}
                    service: {{ pipelines: {{ logs: {{ processors: [networks], exporters: [{exporters}] }} }} }} }}"
            )
        };
        let named = overlay("", "debug");
        let folder = readable_by_all("");
        fs::write(folder.path().join("networks.yaml"), networks).expect("writing");
        let here = folder.path().to_owned();
        let mut agent = Agent::start_by(&["env"], folder);
        agent.reload(&named);
        agent.wait_until_said("reloaded");

        // A link instead of a file that it may read, and has read.
        fs::remove_file(here.join("networks.yaml")).expect("removing");
        symlink(path("networks.yaml"), here.join("networks.yaml")).expect("a link");
        agent.reload(&named);
        agent.wait_until_said("reload refused: nothing has changed");
        assert!(agent.times_said("Permission denied (os error 13)") > 0, "{:#?}", log(&agent.0));
        assert_eq!(agent.times_said("needs a restart"), 1);
        fs::remove_file(here.join("networks.yaml")).expect("removing");
        fs::write(here.join("networks.yaml"), networks).expect("writing");

        // A place that it has not named at the start, and a link to it in one that it has.
        let file =
            |path: &str| overlay(&format!("exporters: {{ file: {{ path: {path} }} }},"), "debug, file");
        agent.reload(&file(path("telemetry.json").to_str().expect("UTF-8")));
        agent.wait_until_said("restart needed: ");
        assert_eq!(agent.times_said("is outside of the folders"), 1);
        assert!(!path("telemetry.json").exists());

        // Another receiver.
        agent.reload("receivers: { tcpretrans: { ringbuf: { size: 2MiB } } }");
        agent.wait_until_said("restart needed: receivers.tcpretrans is new or changed");

        // Another exporter.
        agent.reload(&overlay("exporters: { debug/more: { verbosity: basic } },", "debug, debug/more"));
        agent.0.wait_until("the second reload", |agent| {
            log(agent).iter().filter(|line| line["message"] == "reloaded").count() == 2
        });
        let traffic = lossy_transfers(8, &[]);
        assert_confined(agent.0.pid(), &[]);
        let Finished { printed, books } = agent.finish();
        assert_eq!(printed.sum_of("system.network.tcp.retransmits"), traffic.retrans_segs);
        books.assert_nothing_lost();
    });
}
