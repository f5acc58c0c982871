//! Who may run the agent, and what it says if the user may not or the kernel can't. tests/cli has the tests without any
//! privilege.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use nix::mount::{MsFlags, mount};

use super::paranoid::Paranoid;
use super::sandbox::assert_confined;
use crate::e2e::agent::{Agent, log};
use crate::e2e::harness::{BINARY, Case, readable_by_all};
use crate::e2e::status::{BPF_AND_PERFMON, capabilities, of_process};
use crate::e2e::support::namespace::isolated;
use crate::e2e::traffic::lossy_transfers;

/// Runs a command as a user that is not root and has two capabilities.
const WITH_CAPABILITIES: [&str; 7] = [
    "setpriv",
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
    "--inh-caps=-all,+bpf,+perfmon",
    "--ambient-caps=-all,+bpf,+perfmon",
    "--bounding-set=-all,+bpf,+perfmon",
];

pub fn capabilities_are_enough() {
    isolated(|| {
        let agent = Agent::start_by(&WITH_CAPABILITIES, readable_by_all(""));
        let status = of_process(agent.0.pid());
        assert_eq!(status["Uid"].split_whitespace().next(), Some("65534"));
        // Once it has started, it has given them up.
        assert_eq!(capabilities(&status, "CapBnd"), BPF_AND_PERFMON);
        assert_confined(agent.0.pid(), &[]);
        let log = log(&agent.0);
        let receiving = log.iter().find(|line| line["message"] == "receiving").expect("receiving");
        let facts = receiving["facts"].as_str().expect("facts");
        assert!(facts.starts_with("hook=tp_btf transport=ringbuf"), "{facts}");

        let traffic = lossy_transfers(8, &[]);
        let finished = agent.finish();
        finished.printed.assert_counted(&finished.books, traffic.retrans_segs, &traffic.connections);
    });
}

/// The same with Debian's default of kernel.perf_event_paranoid.
pub fn capabilities_are_enough_where_paranoid() {
    let _restored_at_the_end = Paranoid::set(3);
    capabilities_are_enough();
}

pub fn without_btf() {
    isolated(|| {
        // Where libbpf looks for BTF (btf__load_vmlinux_btf, libbpf's btf.c).
        for place in ["/sys/kernel/btf", "/boot", "/lib/modules", "/usr/lib/modules", "/usr/lib/debug"] {
            if Path::new(place).exists() {
                let none = None::<&str>;
                mount(Some("tmpfs"), place, Some("tmpfs"), MsFlags::empty(), none).expect(place);
            }
        }
        let mut agent = Agent::starting("");
        assert_eq!(agent.0.exit_code(Duration::from_secs(20)), Some(77));
        let log = log(&agent.0);
        let message = log.last().expect("a message")["message"].as_str().expect("text").to_owned();
        assert!(message.contains("no BTF") && message.contains("CONFIG_DEBUG_INFO_BTF"), "{message}");
        assert_eq!(
            agent.0.stderr().lines().count(),
            log.len(),
            "libbpf printed lines of its own: {}",
            agent.0.stderr()
        );
        assert_eq!(agent.0.stdout(), "");
        let check = Case::bare(&["check"]).run();
        assert_eq!(check.code, Some(77), "{check:?}");
        assert!(check.stderr.starts_with("this kernel has no BTF"), "{check:?}");
    });
}

pub fn check_as_root() {
    let check = Case::bare(&["check"]).run();
    assert_eq!(check.code, Some(0), "{check:?}");
    let report: serde_yaml::Value = serde_yaml::from_str(&check.stdout).expect("YAML");
    assert_eq!(report["facts"]["capabilities"]["bpf"], true);
    assert_eq!(report["facts"]["btf"]["retransmit_skb"], true);
    assert_eq!(report["plan"]["hooks"][0], "tp_btf");
    assert!(
        report["plan"]["transport"]["ringbuf"]["bytes"].as_u64().is_some_and(|bytes| bytes > 0),
        "{report:?}"
    );
    assert!(check.stderr.is_empty(), "{check:?}");
}

/// Root has all capabilities in a user namespace, but none of them allows BPF.
pub fn in_a_user_namespace() {
    let check = unshared(&[BINARY, "check"]);
    assert_eq!(check.status.code(), Some(77), "{check:?}");
    let said = String::from_utf8_lossy(&check.stderr);
    assert!(said.starts_with("this process is in a user namespace of its own"), "{said}");
}

/// Why this machine gives no user namespace, if it gives none. A kernel gives none to a process in a chroot, for
/// example (kernel/user_namespace.c, `create_user_ns`).
pub fn no_user_namespace() -> Option<String> {
    let tried = unshared(&["true"]);
    (!tried.status.success()).then(|| String::from_utf8_lossy(&tried.stderr).trim().to_owned())
}

fn unshared(command: &[&str]) -> Output {
    let unshare = ["--user", "--map-root-user"];
    Command::new("unshare").args(unshare).args(command).output().expect("unshare")
}
