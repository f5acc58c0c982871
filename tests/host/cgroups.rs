//! Whose socket it is, by real cgroups on a real kernel.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::e2e::agent::{Agent, Finished};
use crate::e2e::background::Background;
use crate::e2e::support::namespace::{isolated, netstat, wait_for};
use crate::e2e::support::traffic::{listen, lose_one_in};

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const UID: &str = "7b3f1c2a-9d4e-4f60-8a1b-2c3d4e5f6071";
/// How many containers there are, one after the other. Each ends right after it has lost something.
const CONTAINERS: usize = 10;

/// A cgroup that is removed with this, and with it those around it down to the test's own.
pub struct Cgroup(pub PathBuf);

impl Cgroup {
    /// Makes it, and those around it.
    pub fn new(path: &Path) -> Cgroup {
        fs::create_dir_all(path).expect("a cgroup");
        Cgroup(path.to_owned())
    }

    /// Starts a process in it that connects to where no SYN is taken. It is ended when this is dropped.
    pub fn connect(&self, to: IpAddr, port: u16) -> Background {
        let script = format!("echo $$ > {}/cgroup.procs && exec 3<>/dev/tcp/{to}/{port}", self.0.display());
        let folder = tempfile::tempdir().expect("a folder");
        Background::start("bash", Command::new("bash").args(["-c", &script]), folder)
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

/// Removes the folder of a cgroup. A process that was killed may be in it for a moment more.
pub fn remove(cgroup: &Path) {
    let start = Instant::now();
    while fs::remove_dir(cgroup).is_err() && cgroup.exists() {
        if start.elapsed() > Duration::from_secs(10) {
            // A second panic would hide the first one.
            assert!(std::thread::panicking(), "the cgroup {} does not end", cgroup.display());
            return;
        }
        std::thread::yield_now();
    }
}

/// Where the hierarchy is mounted.
pub fn root() -> PathBuf {
    let mounts = fs::read_to_string("/proc/self/mountinfo").expect("mounts");
    let line = mounts.lines().find(|line| line.contains(" - cgroup2 ")).expect("a cgroup v2 hierarchy");
    PathBuf::from(line.split(' ').nth(4).expect("a mount point"))
}

/// Short-lived containers and a unit: each record names the right one, also where the process and its cgroup are gone.
pub fn are_named() {
    isolated(|| {
        let test = root().join(format!("tcpretrans-test-{}", std::process::id()));
        let (listener, port) = listen(LOCALHOST);
        lose_one_in(&listener, 1);
        let agent = Agent::start(
            "processors: { cgroup: , aggregate: { attributes: [container.id, systemd.unit.name] } }
service:
  pipelines:
    metrics: { processors: [cgroup, aggregate] }
    logs: { processors: [cgroup] }",
        );
        let _test = Cgroup::new(&test);
        let unit = Cgroup::new(&test.join("backup.service"));
        let of_unit = unit.connect(LOCALHOST, port);
        let kubepods = Cgroup::new(&test.join("kubepods"));
        let burstable = Cgroup::new(&kubepods.0.join("burstable"));
        let pod = Cgroup::new(&burstable.0.join(format!("pod{UID}")));
        let ids: Vec<String> = (0..CONTAINERS).map(|number| format!("{number:064x}")).collect();
        for id in &ids {
            let container = Cgroup::new(&pod.0.join(id));
            let child = container.connect(LOCALHOST, port);
            // The first SYN is sent again after a second.
            let before = netstat("TCPSynRetrans");
            wait_for("a SYN that is sent again", Duration::from_secs(10), || {
                netstat("TCPSynRetrans") > before + 1
            });
            drop(child);
        }
        drop(of_unit);
        let Finished { printed, books } = agent.finish();
        books.assert_nothing_lost();
        let named = |name: &str, value: &str| {
            let of =
                printed.records.iter().filter(|record| record.get(name).is_some_and(|found| found == value));
            of.count()
        };
        for id in &ids {
            assert!(named("container.id", id) > 0, "{id} is not named: {:#?}", printed.records);
        }
        assert!(named("systemd.unit.name", "backup.service") > 0);
        let in_pod = named("k8s.pod.uid", UID);
        assert_eq!(
            in_pod + named("systemd.unit.name", "backup.service"),
            printed.records.len(),
            "all are named"
        );
        for record in &printed.records {
            assert_eq!(record["network.peer.port"], port.to_string());
            assert!(!(record.contains_key("container.id") && record.contains_key("systemd.unit.name")));
        }
        let of_first: u64 = printed
            .sums()
            .iter()
            .filter(|((metric, attributes), _)| {
                metric == "system.network.tcp.retransmits" && attributes.get("container.id") == Some(&ids[0])
            })
            .map(|(_, sum)| sum)
            .sum();
        assert_eq!(of_first, named("container.id", &ids[0]) as u64);
    });
}
