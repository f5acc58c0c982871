//! Starts under what a real system puts in the way: another user's limits, a seccomp filter, a cgroup namespace.

use std::io;
use std::process::Command;
use std::thread;

use nix::libc;
use nix::sched::{CloneFlags, unshare};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use otel_tcpretrans_pipeline::chunk;
use otel_tcpretrans_pipeline::component::{Receiver, ReceiverError};
use otel_tcpretrans_pipeline::config::Size;
use otel_tcpretrans_pipeline::record::Record;
use otel_tcpretrans_source::Tcpretrans;
use otel_tcpretrans_source::config::{Config, Hook, Ringbuf, Transport};
use otel_tcpretrans_source::facts::Facts;
use rustix::process::{Gid, Uid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, set_capabilities, set_keep_capabilities, set_thread_groups,
    set_thread_res_gid, set_thread_res_uid,
};

use super::{MIB, lose_some};
use crate::running::{Running, own};
use crate::support::harness::Case;
use crate::support::namespace::{isolated, retrans_segs};

pub const CASES: &[Case] = &[
    ("another_user_starts_within_8_mib_of_memlock", another_user_starts_within_8_mib_of_memlock),
    (AUTO_FALLS_BACK, || alone(AUTO_FALLS_BACK, where_tp_btf_can_not_attach)),
    (
        "a_cgroup_namespace_is_not_taken_for_the_cgroup_above",
        a_cgroup_namespace_is_not_taken_for_the_cgroup_above,
    ),
];

const AUTO_FALLS_BACK: &str = "where_tp_btf_can_not_attach_auto_takes_the_tracepoint";

/// Runs `test`, which has this name, in a process of its own: libbpf keeps what it has once found out about a kernel.
fn alone(name: &str, test: fn()) {
    const ALONE: &str = "OTEL_TCPRETRANS_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return test();
    }
    let mut itself = Command::new(std::env::current_exe().expect("this program"));
    let output = itself.args(["--exact", name]).env(ALONE, "1").output().expect("starting it");
    let said =
        [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    let counts = said.lines().filter_map(|line| line.split_once("RetransSegs"));
    counts.for_each(|(_, counts)| println!("    RetransSegs{counts}"));
}

type Started = Result<(Tcpretrans, chunk::Receiver<Record>), ReceiverError>;

/// Starts as a user that nobody else is, who has CAP_BPF and CAP_PERFMON, and so much to lock.
fn start_by_another_user(config: Config, memlock: u64) -> Started {
    const USER: u32 = 4711;
    let (soft, hard) = getrlimit(Resource::RLIMIT_MEMLOCK).unwrap();
    setrlimit(Resource::RLIMIT_MEMLOCK, memlock, hard).unwrap();
    let started = thread::spawn(move || {
        let (user, group) = (Uid::from_raw(USER), Gid::from_raw(USER));
        set_keep_capabilities(true).unwrap();
        set_thread_groups(&[]).unwrap();
        set_thread_res_gid(group, group, group).unwrap();
        set_thread_res_uid(user, user, user).unwrap();
        let both = CapabilitySet::BPF | CapabilitySet::PERFMON;
        let none = CapabilitySet::empty();
        let sets = CapabilitySets { effective: both, permitted: both, inheritable: none };
        set_capabilities(None, sets).unwrap();
        let mut receiver = Tcpretrans::new(config);
        let (out, events) = chunk::channel(receiver.channel_capacity());
        receiver.start(out).map(|()| (receiver, events))
    });
    let started = started.join().unwrap();
    setrlimit(Resource::RLIMIT_MEMLOCK, soft, hard).unwrap();
    started
}

/// What the systemd unit allows. Before Linux 5.11 maps and programs are charged to it, each of them.
fn another_user_starts_within_8_mib_of_memlock() {
    isolated(|| {
        let charges = Facts::probe().unwrap().btf.expect("BTF").charges_memlock;
        println!("    maps are {}charged", if charges { "" } else { "not " });
        // Where it is charged libbpf takes the limit away, once a process: from here on it stays as it is set.
        drop(Running::start(own(Hook::TpBtf, Transport::Auto)));
        let memlock = 8 * MIB as u64;
        let config = own(Hook::TpBtf, Transport::Auto);
        let (mut receiver, mut events) = start_by_another_user(config.clone(), memlock).expect("start");
        let (gauge, reached) = receiver.probe()().gauges[0];
        assert_eq!((gauge.name, reached), ("ringbuf_size", MIB as u64));
        lose_some();
        receiver.stop();
        assert!(events.try_recv().is_some());

        // As much as all that may be locked.
        let large = Config { ringbuf: Ringbuf { size: Size::mib(8) }, ..config.clone() };
        let (receiver, _events) = start_by_another_user(large, memlock).expect("start");
        let (_, reached) = receiver.probe()().gauges[0];
        assert_eq!(reached, if charges { memlock / 2 } else { memlock });
        drop(receiver);

        match start_by_another_user(config, 64 << 10) {
            Err(ReceiverError::Unsupported(why)) if charges => {
                assert!(why.contains("RLIMIT_MEMLOCK, 64 KiB"), "{why}");
            }
            started => assert!(started.is_ok() && !charges, "{:?}", started.err()),
        }
    });
}

/// From here on this thread, and those that it starts, can make no BPF link: as under a seccomp profile that knows older
/// kernels alone. Classic tracepoints need none.
fn without_bpf_links() -> io::Result<()> {
    const BPF_RAW_TRACEPOINT_OPEN: u32 = 17;
    const BPF_LINK_CREATE: u32 = 28;
    let bpf = libc::SYS_bpf as u32;
    let load = |offset| (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, offset);
    let unless = |value, skip| (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, skip, value);
    let when = |value, skip| (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, skip, 0, value);
    let answer = |value| (libc::BPF_RET | libc::BPF_K, 0, 0, value);
    let arguments = std::mem::offset_of!(libc::seccomp_data, args) as u32;
    let first_argument = arguments + if cfg!(target_endian = "big") { 4 } else { 0 };
    let filter = [
        load(std::mem::offset_of!(libc::seccomp_data, nr) as u32),
        unless(bpf, 4),
        load(first_argument),
        when(BPF_RAW_TRACEPOINT_OPEN, 1),
        unless(BPF_LINK_CREATE, 1),
        answer(libc::SECCOMP_RET_ERRNO | libc::EINVAL as u32),
        answer(libc::SECCOMP_RET_ALLOW),
    ];
    let mut filter = filter.map(|(code, jt, jf, k)| libc::sock_filter { code: code as u16, jt, jf, k });
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: the kernel copies the program and the filter that it points to, which both live until then.
    let result = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn where_tp_btf_can_not_attach() {
    isolated(|| {
        let running = thread::spawn(|| {
            without_bpf_links().expect("seccomp");
            let mut typed = Tcpretrans::new(own(Hook::TpBtf, Transport::Auto));
            let refused = typed.start(chunk::channel(1).0).expect_err("no link");
            assert!(refused.to_string().contains("hook tp_btf: attaching"), "{refused}");
            Running::start(own(Hook::Auto, Transport::Auto))
        });
        let running = running.join().unwrap();
        assert_eq!(running.counts().info[0], ("hook", "tracepoint".to_owned()));
        let before = retrans_segs();
        lose_some();
        let retrans = retrans_segs() - before;
        running.finish().assert_balanced(retrans);
    });
}

/// In a cgroup namespace of its own, with a mount from outside, a process is shown `/`: which is not what is mounted.
fn a_cgroup_namespace_is_not_taken_for_the_cgroup_above() {
    isolated(|| {
        let own = Facts::probe().unwrap().cgroup_id.expect("a cgroup");
        unshare(CloneFlags::CLONE_NEWCGROUP).expect("unshare");
        let seen = Facts::probe().unwrap().cgroup_id;
        assert!(seen.is_none_or(|id| id == own), "{seen:?}, and it is {own}");
    });
}
