//! What the facts mean for people: what works here, what is limited, what is missing, and what to do about it. It is pure.

use crate::facts::{BtfFacts, Facts, Lockdown, Tracefs};
use crate::setup::{HookKind, Setup, TransportSetup};

/// What was found about one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How well it works.
    pub state: State,
    /// The thing, in few words.
    pub topic: &'static str,
    /// What was found.
    pub found: String,
    /// What to do about it, where something can be done.
    pub mend: Option<String>,
}

/// How well something works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum State {
    /// Everything works.
    Ok,
    /// The receiver works, and something that it could do does not.
    Limited,
    /// The receiver does not start.
    Missing,
}

/// All findings, in the order in which the receiver needs the things. `setup` is what was decided by these facts.
pub(crate) fn findings(facts: &Facts, setup: Option<&Setup>) -> Vec<Finding> {
    let mut findings = vec![btf(facts.btf), capabilities(facts)];
    if let Some(btf) = facts.btf {
        findings.push(hook(facts, btf));
        findings.push(transport(btf, setup));
        findings.push(counts(btf));
        findings.push(owners(facts, btf));
        findings.push(failures(btf));
    }
    findings.extend([lockdown(facts), tracefs(facts), shares(facts), cgroups(facts)]);
    findings
}

fn ok(topic: &'static str, found: impl Into<String>) -> Finding {
    Finding { state: State::Ok, topic, found: found.into(), mend: None }
}

fn limited(topic: &'static str, found: impl Into<String>, mend: Option<&str>) -> Finding {
    Finding { state: State::Limited, topic, found: found.into(), mend: mend.map(str::to_owned) }
}

fn missing(topic: &'static str, found: impl Into<String>, mend: &str) -> Finding {
    Finding { state: State::Missing, topic, found: found.into(), mend: Some(mend.to_owned()) }
}

fn btf(btf: Option<BtfFacts>) -> Finding {
    match btf {
        Some(_) => ok("types of the kernel", "BTF is in /sys/kernel/btf/vmlinux"),
        None => missing(
            "types of the kernel",
            "there is no BTF (/sys/kernel/btf/vmlinux)",
            "run a kernel that is built with CONFIG_DEBUG_INFO_BTF=y, such as those of Debian 11 and later",
        ),
    }
}

fn capabilities(facts: &Facts) -> Finding {
    let topic = "privileges";
    if !facts.initial_user_namespace {
        return missing(
            topic,
            "this is a user namespace of its own, where capabilities count for nothing in BPF",
            "run it in the initial user namespace (a container: without userns-remap, without rootless)",
        );
    }
    let missing_ones: Vec<_> =
        [(facts.capabilities.bpf, "CAP_BPF"), (facts.capabilities.perfmon, "CAP_PERFMON")]
            .into_iter()
            .filter_map(|(has, name)| (!has).then_some(name))
            .collect();
    if missing_ones.is_empty() {
        return ok(topic, "CAP_BPF and CAP_PERFMON");
    }
    missing(
        topic,
        format!("no {}", missing_ones.join(" and no ")),
        "run it as root; or systemd: AmbientCapabilities=CAP_BPF CAP_PERFMON; \
         or Kubernetes: capabilities: { add: [BPF, PERFMON] }",
    )
}

fn hook(facts: &Facts, btf: BtfFacts) -> Finding {
    let topic = "hook";
    match (btf.retransmit_skb, facts.tracefs) {
        (true, _) if btf.retransmit_synack => {
            ok(topic, "tp_btf on tcp_retransmit_skb and tcp_retransmit_synack")
        }
        (true, _) => limited(
            topic,
            "tp_btf on tcp_retransmit_skb; this kernel has no tcp_retransmit_synack, so SYN-ACKs are not seen",
            None,
        ),
        (false, Tracefs::Readable) => {
            limited(topic, "the classic tracepoint alone, which costs more time", None)
        }
        (false, _) => missing(
            topic,
            "BTF has no tcp_retransmit_skb, and tracefs can't be read",
            "mount -t tracefs tracefs /sys/kernel/tracing, and run it as root",
        ),
    }
}

fn transport(btf: BtfFacts, setup: Option<&Setup>) -> Finding {
    let topic = "transport";
    if !btf.ringbuf {
        return limited(
            topic,
            "perf buffers: this kernel has no ring buffer (it is there since Linux 5.8)",
            Some("where perf buffers are refused: sysctl kernel.perf_event_paranoid=2"),
        );
    }
    let bytes = setup.and_then(|setup| match setup.transport {
        TransportSetup::Ringbuf { bytes } => Some(bytes),
        TransportSetup::Perf { .. } => None,
    });
    let size = bytes.map(|bytes| format!(" of {} KiB", bytes >> 10)).unwrap_or_default();
    match setup.and_then(|setup| setup.warnings.first()) {
        Some(warning) => limited(
            topic,
            format!("ring buffer{size}: {warning}"),
            Some("free memory, or raise the cgroup's limit"),
        ),
        None => ok(topic, format!("ring buffer{size}")),
    }
}

fn counts(btf: BtfFacts) -> Finding {
    match btf.socket_storage {
        true => ok("counts", "exact: each socket's own count is kept with the socket"),
        false => limited(
            "counts",
            "kept by the socket's address: in a flood of sockets some may be forgotten (socket storage is there since Linux 5.11)",
            None,
        ),
    }
}

fn owners(facts: &Facts, btf: BtfFacts) -> Finding {
    let topic = "owner of a socket";
    if !btf.socket_storage {
        return limited(topic, "not known: the kernel can tag no socket (it can since Linux 5.11)", None);
    }
    if facts.initial_pid_namespace == Some(false) {
        return limited(
            topic,
            "known for sockets from now on; for earlier ones only if a process of this pid namespace has them open",
            Some("Kubernetes: hostPID: true; podman: --pid=host"),
        );
    }
    match btf.accept {
        true => ok(topic, "known: the process that connected or accepted"),
        false => {
            limited(topic, "known: the process that connected or listened, not the one that accepted", None)
        }
    }
}

fn failures(btf: BtfFacts) -> Finding {
    match btf.reports_err {
        true => ok("failed attempts", "shown, with the kernel's error"),
        false => limited("failed attempts", "not shown: the kernel shows them since Linux 6.17", None),
    }
}

fn lockdown(facts: &Facts) -> Finding {
    let topic = "kernel lockdown";
    match facts.lockdown {
        None => ok(topic, "not shown by this kernel, so none is known"),
        Some(Lockdown::None) => ok(topic, "none"),
        Some(Lockdown::Integrity) => ok(topic, "integrity, which does not matter here"),
        Some(Lockdown::Confidentiality) => limited(
            topic,
            "confidentiality: hook: tracepoint is refused; tp_btf, which auto takes, works",
            None,
        ),
    }
}

fn tracefs(facts: &Facts) -> Finding {
    let topic = "tracefs";
    match facts.tracefs {
        Tracefs::Readable => ok(topic, "readable, for hook: tracepoint"),
        Tracefs::NotMounted => ok(topic, "not mounted; only hook: tracepoint would need it"),
        Tracefs::Forbidden => ok(topic, "not readable for this user; only hook: tracepoint would need it"),
    }
}

fn shares(facts: &Facts) -> Finding {
    let topic = "other users' network namespaces";
    match facts.capabilities.sys_ptrace {
        true => ok(topic, "in sight of tcp_stats (CAP_SYS_PTRACE)"),
        false => limited(
            topic,
            "not in sight of tcp_stats and its audit: no CAP_SYS_PTRACE",
            Some("systemd: add CAP_SYS_PTRACE to AmbientCapabilities; not needed for tcpretrans"),
        ),
    }
}

fn cgroups(facts: &Facts) -> Finding {
    match facts.cgroup_id {
        Some(_) => ok("cgroup v2", "there, so the processor cgroup can name units and containers"),
        None => limited(
            "cgroup v2",
            "not mounted here, so the processor cgroup names no unit and no container",
            Some("mount the host's /sys/fs/cgroup, read-only"),
        ),
    }
}

/// One sentence on what the receiver would do.
pub(crate) fn conclusion(setup: &Setup) -> String {
    let hook = setup.hooks.first().map_or("no hook", |hook| match hook {
        HookKind::TpBtf => "tp_btf",
        HookKind::Tracepoint => "the classic tracepoint",
    });
    let transport = match setup.transport {
        TransportSetup::Ringbuf { bytes } => format!("a ring buffer of {} KiB", bytes >> 10),
        TransportSetup::Perf { pages_per_cpu } => format!("perf buffers of {pages_per_cpu} pages per CPU"),
    };
    format!("The receiver tcpretrans starts here: {hook}, {transport}.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::facts::{Capabilities, fixtures};
    use crate::setup::decide;

    fn states(facts: &Facts) -> Vec<Finding> {
        let setup = decide(facts, &Config::default());
        let findings = findings(facts, setup.as_ref().ok());
        // What is said to people is what was decided.
        let is_missing = findings.iter().any(|finding| finding.state == State::Missing);
        assert_eq!(is_missing, setup.is_err(), "{setup:?} and {findings:#?}");
        findings.into_iter().filter(|finding| finding.state != State::Ok).collect()
    }

    #[test]
    fn where_everything_is_there_nothing_is_limited() {
        let facts = fixtures::facts();
        let all = Capabilities { sys_ptrace: true, ..facts.capabilities };
        assert_eq!(states(&Facts { capabilities: all, cgroup_id: Some(1), ..facts }), []);
    }

    #[test]
    fn each_thing_that_keeps_it_from_starting_has_a_mend() {
        let good = fixtures::facts();
        let mut no_hook = Facts { tracefs: Tracefs::NotMounted, ..good.clone() };
        if let Some(btf) = &mut no_hook.btf {
            btf.retransmit_skb = false;
        }
        for (facts, topic) in [
            (Facts { btf: None, ..good.clone() }, "types of the kernel"),
            (Facts { initial_user_namespace: false, ..good.clone() }, "privileges"),
            (Facts { capabilities: Capabilities::default(), ..good.clone() }, "privileges"),
            (no_hook, "hook"),
        ] {
            let found = states(&facts);
            let missing = found.iter().find(|finding| finding.state == State::Missing);
            assert!(missing.is_some_and(|it| it.topic == topic && it.mend.is_some()), "{topic}: {found:#?}");
        }
    }

    #[test]
    fn what_an_old_kernel_lacks_is_limited() {
        let facts = Facts {
            btf: Some(BtfFacts { retransmit_skb: true, ..BtfFacts::default() }),
            ..fixtures::facts()
        };
        let topics: Vec<_> = states(&facts).iter().map(|finding| finding.topic).collect();
        for topic in ["hook", "transport", "counts", "owner of a socket", "failed attempts"] {
            assert!(topics.contains(&topic), "{topic}: {topics:?}");
        }
    }

    #[test]
    fn lockdown_is_named() {
        let facts = Facts { lockdown: Some(Lockdown::Confidentiality), ..fixtures::facts() };
        assert!(states(&facts).iter().any(|it| it.topic == "kernel lockdown" && it.found.contains("tp_btf")));
    }
}
