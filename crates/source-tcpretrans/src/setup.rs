//! The decision: from facts and configuration to a setup, or to the reason why there is none. It is pure.

use serde::Serialize;

use crate::config::{Config, Hook, Scope, Transport};
use crate::facts::{Facts, Lockdown, Tracefs};

/// How a session hooks the kernel and reads from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Setup {
    /// Hooks to try, in this order.
    pub hooks: Vec<HookKind>,
    /// How events travel.
    pub transport: TransportSetup,
    /// Which sockets are reported.
    pub scope: ScopeSetup,
    /// Whether SYN-ACKs are reported too.
    pub synack: bool,
    /// Whether the kernel side may ask for socket cookies.
    pub socket_cookie: bool,
    /// Whether the kernel side may keep something in each socket's storage: its count, and its owner. Otherwise it keeps the
    /// count by the socket's address, in a map that forgets the least used, and the owner is not known.
    pub socket_storage: bool,
    /// Whether the kernel side has to prevent that another thread runs while a program does.
    pub preemptible: bool,
    /// Whether the kernel side may tag a connection with the process that accepts it. Otherwise its owner is the one who
    /// made the listener listen.
    pub accept: bool,
    /// For the log: each decision that differs from what the configuration asks for.
    pub warnings: Vec<String>,
}

/// A way to hook the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum HookKind {
    /// BTF-typed tracepoints.
    TpBtf,
    /// Classic tracepoints.
    Tracepoint,
}

/// How events travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TransportSetup {
    /// One perf buffer per CPU.
    Perf {
        /// Pages of each to begin with.
        pages_per_cpu: u64,
    },
    /// One ring buffer.
    Ringbuf {
        /// Bytes to begin with.
        bytes: u64,
    },
}

/// Which sockets are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeSetup {
    /// All.
    Host,
    /// Those of this network namespace, by inode.
    Netns(u32),
    /// Those of this cgroup and below, by id.
    Cgroup(u64),
}

/// Why there is no setup: what is missing, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

/// Buffers begin with at most this part of the available memory, as a divisor. The kernel would give more, and then the
/// out-of-memory killer would end some process.
const MEMORY_SHARE: u64 = 2;

/// Chooses hooks, transport and scope for a configuration, by what the kernel and the user offer.
///
/// # Errors
/// What this kernel or this user lacks.
pub fn decide(facts: &Facts, config: &Config) -> Result<Setup, Refusal> {
    let Some(btf) = facts.btf else {
        return Err(Refusal(
            "this kernel has no BTF (/sys/kernel/btf/vmlinux): a kernel built with CONFIG_DEBUG_INFO_BTF=y is needed"
                .to_owned(),
        ));
    };
    check_capabilities(facts)?;
    let mut warnings = Vec::new();
    let (transport, warning) = transport(facts, config, btf.ringbuf)?;
    warnings.extend(warning);
    Ok(Setup {
        hooks: hooks(facts, config, btf.retransmit_skb)?,
        transport,
        scope: scope(facts, config)?,
        synack: config.synack && (btf.retransmit_synack || config.hook == Hook::Tracepoint),
        socket_cookie: btf.socket_cookie,
        socket_storage: btf.socket_storage,
        preemptible: btf.preemptible_tracepoints,
        accept: btf.socket_storage && btf.accept,
        warnings,
    })
}

fn check_capabilities(facts: &Facts) -> Result<(), Refusal> {
    if !facts.initial_user_namespace {
        return Err(Refusal(
            "this process is in a user namespace of its own, where CAP_BPF and CAP_PERFMON count for nothing: \
             run it in the initial one"
                .to_owned(),
        ));
    }
    let mut missing = Vec::new();
    if !facts.capabilities.bpf {
        missing.push("CAP_BPF");
    }
    if !facts.capabilities.perfmon {
        missing.push("CAP_PERFMON");
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(Refusal(format!(
        "missing {}: run as root, or give the process CAP_BPF and CAP_PERFMON (systemd: AmbientCapabilities=CAP_BPF CAP_PERFMON)",
        missing.join(" and ")
    )))
}

const LOCKED_DOWN: &str = "this kernel is locked down (lockdown=confidentiality, as with Secure Boot on some systems), so it \
                           has no tracefs: use hook: tp_btf";

fn hooks(facts: &Facts, config: &Config, tp_btf: bool) -> Result<Vec<HookKind>, Refusal> {
    let classic = match facts.tracefs {
        Tracefs::Readable => Ok(HookKind::Tracepoint),
        _ if facts.lockdown == Some(Lockdown::Confidentiality) => Err(LOCKED_DOWN),
        Tracefs::NotMounted => Err("tracefs is not mounted: mount -t tracefs tracefs /sys/kernel/tracing"),
        Tracefs::Forbidden => Err("tracefs is not readable for this user: run as root, or use hook: tp_btf"),
    };
    let typed = if tp_btf {
        Ok(HookKind::TpBtf)
    } else {
        Err("this kernel's BTF has no tracepoint tcp_retransmit_skb")
    };
    let hooks: Vec<HookKind> = match config.hook {
        Hook::TpBtf => typed.into_iter().collect(),
        Hook::Tracepoint => classic.into_iter().collect(),
        Hook::Auto => typed.into_iter().chain(classic).collect(),
    };
    if hooks.is_empty() {
        let why = match config.hook {
            Hook::Tracepoint => classic.err().into_iter().collect::<Vec<_>>(),
            Hook::TpBtf => typed.err().into_iter().collect(),
            Hook::Auto => typed.err().into_iter().chain(classic.err()).collect(),
        };
        return Err(Refusal(format!("no hook: {}", why.join("; "))));
    }
    Ok(hooks)
}

fn transport(
    facts: &Facts,
    config: &Config,
    ringbuf: bool,
) -> Result<(TransportSetup, Option<String>), Refusal> {
    let available = facts.memory_available_bytes / MEMORY_SHARE;
    let bounded = |key: &str, asked: u64, limit: u64| {
        // Sizes are powers of two, and one is the least that works.
        let start = asked.min(previous_power_of_two(limit.max(1)));
        let warning = (start < asked).then(|| {
            format!(
                "{key}: {asked} would take more than half of the {} MiB of memory available; starting from {start}",
                facts.memory_available_bytes >> 20
            )
        });
        (start, warning)
    };
    match config.transport {
        Transport::Ringbuf if !ringbuf => Err(Refusal(
            "this kernel has no ring buffer (BPF_MAP_TYPE_RINGBUF): use transport: perf".to_owned(),
        )),
        Transport::Auto | Transport::Ringbuf if ringbuf => {
            let (bytes, warning) = bounded("ringbuf.size", config.ringbuf.size.bytes(), available);
            Ok((TransportSetup::Ringbuf { bytes: bytes.max(facts.page_size_bytes) }, warning))
        }
        _ => {
            let a_page_each = u64::from(facts.cpus_online) * facts.page_size_bytes;
            let (pages_per_cpu, warning) =
                bounded("perf.pages_per_cpu", config.perf.pages_per_cpu.into(), available / a_page_each);
            Ok((TransportSetup::Perf { pages_per_cpu }, warning))
        }
    }
}

fn scope(facts: &Facts, config: &Config) -> Result<ScopeSetup, Refusal> {
    match config.scope {
        Scope::Host => Ok(ScopeSetup::Host),
        Scope::Netns => facts.netns_inode.map(ScopeSetup::Netns).ok_or_else(|| {
            Refusal("scope: netns needs /proc/thread-self/ns/net, which can't be read".to_owned())
        }),
        Scope::Cgroup => facts.cgroup_id.map(ScopeSetup::Cgroup).ok_or_else(|| {
            Refusal(
                "scope: cgroup needs this process's cgroup, which no mount of cgroup v2 shows here"
                    .to_owned(),
            )
        }),
    }
}

fn previous_power_of_two(number: u64) -> u64 {
    1 << number.ilog2()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::config::{Perf, Ringbuf};
    use crate::facts::Capabilities;
    use crate::facts::fixtures::facts;
    use otel_tcpretrans_pipeline::config::Size;

    #[test]
    fn auto_takes_tp_btf_and_the_ring_buffer() {
        let setup = decide(&facts(), &Config::default()).unwrap();
        assert_eq!(setup.hooks, [HookKind::TpBtf, HookKind::Tracepoint]);
        assert_eq!(setup.transport, TransportSetup::Ringbuf { bytes: 1 << 20 });
        assert_eq!(setup.scope, ScopeSetup::Host);
        assert!(setup.synack && setup.socket_cookie && setup.warnings.is_empty());
    }

    #[test]
    fn without_btf_there_is_no_plan() {
        let refusal = decide(&Facts { btf: None, ..facts() }, &Config::default()).unwrap_err();
        assert!(refusal.0.contains("no BTF"), "{refusal}");
    }

    #[test]
    fn missing_capabilities_are_named() {
        let capabilities = Capabilities { bpf: true, ..Capabilities::default() };
        let refusal = decide(&Facts { capabilities, ..facts() }, &Config::default()).unwrap_err();
        assert!(refusal.0.starts_with("missing CAP_PERFMON:"), "{refusal}");
    }

    #[test]
    fn capabilities_of_another_user_namespace_are_none() {
        let refusal =
            decide(&Facts { initial_user_namespace: false, ..facts() }, &Config::default()).unwrap_err();
        assert!(refusal.0.contains("user namespace"), "{refusal}");
    }

    #[test]
    fn without_a_ring_buffer_auto_takes_perf_and_ringbuf_is_refused() {
        let mut facts = facts();
        facts.btf.as_mut().unwrap().ringbuf = false;
        let auto = decide(&facts, &Config::default()).unwrap();
        assert_eq!(auto.transport, TransportSetup::Perf { pages_per_cpu: 128 });
        let asked = Config { transport: Transport::Ringbuf, ..Config::default() };
        assert!(decide(&facts, &asked).unwrap_err().0.contains("transport: perf"));
    }

    #[test]
    fn buffers_are_bounded_by_available_memory() {
        let config = Config {
            transport: Transport::Perf,
            perf: Perf { pages_per_cpu: 1 << 19 },
            ringbuf: Ringbuf { size: Size::mib(1024) },
            ..Config::default()
        };
        // Half of 1 GiB over 4 CPUs of 4 KiB pages.
        let perf = decide(&facts(), &config).unwrap();
        assert_eq!(perf.transport, TransportSetup::Perf { pages_per_cpu: 1 << 15 });
        assert!(perf.warnings[0].contains("524288"), "{:?}", perf.warnings);

        let ring = decide(&facts(), &Config { transport: Transport::Ringbuf, ..config }).unwrap();
        assert_eq!(ring.transport, TransportSetup::Ringbuf { bytes: 512 << 20 });
    }

    #[test]
    fn hooks_say_what_they_lack() {
        let classic = Config { hook: Hook::Tracepoint, ..Config::default() };
        let unmounted = Facts { tracefs: Tracefs::NotMounted, ..facts() };
        assert!(decide(&unmounted, &classic).unwrap_err().0.contains("mount -t tracefs"));
        assert_eq!(decide(&unmounted, &Config::default()).unwrap().hooks, [HookKind::TpBtf]);
        assert_eq!(decide(&facts(), &classic).unwrap().hooks, [HookKind::Tracepoint]);

        let mut untyped = unmounted;
        untyped.btf.as_mut().unwrap().retransmit_skb = false;
        let refusal = decide(&untyped, &Config::default()).unwrap_err();
        assert!(refusal.0.contains("BTF has no tracepoint") && refusal.0.contains("tracefs"), "{refusal}");
    }

    #[test]
    fn a_locked_down_kernel_has_no_classic_tracepoints() {
        let (tracefs, lockdown) = (Tracefs::NotMounted, Some(Lockdown::Confidentiality));
        let locked = Facts { tracefs, lockdown, ..facts() };
        assert_eq!(decide(&locked, &Config::default()).unwrap().hooks, [HookKind::TpBtf]);
        let classic = Config { hook: Hook::Tracepoint, ..Config::default() };
        assert!(decide(&locked, &classic).unwrap_err().0.contains("lockdown=confidentiality"));
    }

    #[test]
    fn scopes_are_this_process_s_own() {
        let netns = Config { scope: Scope::Netns, ..Config::default() };
        assert_eq!(decide(&facts(), &netns).unwrap().scope, ScopeSetup::Netns(7));
        let cgroup = Config { scope: Scope::Cgroup, ..Config::default() };
        assert!(decide(&facts(), &cgroup).unwrap_err().0.contains("cgroup v2"));
        let known = Facts { cgroup_id: Some(9), ..facts() };
        assert_eq!(decide(&known, &cgroup).unwrap().scope, ScopeSetup::Cgroup(9));
    }
}
