//! A session: the plan carried out. Loads, attaches, reads until it is told to stop, and releases everything.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use libbpf_rs::skel::{OpenSkel, SkelBuilder};
use libbpf_rs::{ErrorKind, OpenObject};
use otel_tcpretrans_pipeline::component::ReceiverError;
use otel_tcpretrans_pipeline::record::Record;
use rustix::event::epoll;
use rustix::io::Errno;
use tokio::sync::mpsc::Sender;

use crate::buffer::Budget;
use crate::callback::Callback;
use crate::config::Wakeup;
use crate::counters::{Counters, KINDS};
use crate::facts::Facts;
use crate::misses::recursion_misses;
use crate::perf::PerfReader;
use crate::plan::{HookKind, Plan, ScopePlan, TransportPlan};
use crate::ring::{Ring, RingReader};
use crate::sink::Sink;
use crate::skeleton::types::{wire_config, wire_scope, wire_transport};
use crate::skeleton::{OpenTcpretransSkel, TcpretransSkel, TcpretransSkelBuilder};
use crate::stats::Stats;
use crate::tap::Tap;
use crate::wall_clock;

/// How long a stop waits for events that a program was sending at the moment it was detached.
const STRAGGLERS: Duration = Duration::from_millis(100);
/// How long a stop waits for room in the channel for the last gap.
const LAST_GAP: Duration = Duration::from_secs(2);

/// What a session is made of.
pub(crate) struct Inputs {
    pub(crate) facts: Facts,
    pub(crate) plan: Plan,
    pub(crate) wakeup: Wakeup,
    pub(crate) out: Sender<Record>,
    pub(crate) stats: Arc<Stats>,
    /// Takes the events in place of `out`.
    pub(crate) tap: Option<Arc<Tap>>,
    /// Becomes readable when the session is to stop.
    pub(crate) stop: OwnedFd,
}

enum Reader {
    Perf(PerfReader),
    Ring(RingReader),
}

impl Reader {
    fn fd(&self) -> std::os::fd::BorrowedFd<'_> {
        match self {
            Reader::Perf(reader) => reader.fd(),
            Reader::Ring(reader) => reader.fd(),
        }
    }

    fn consume(&self) -> libbpf_rs::Result<()> {
        match self {
            Reader::Perf(reader) => reader.consume(),
            Reader::Ring(reader) => reader.consume(),
        }
    }
}

/// The step in which the verifier has its say.
const LOADING: &str = "loading the programs";

/// A step that failed, with the hook in use.
struct StepError {
    hook: HookKind,
    step: &'static str,
    error: libbpf_rs::Error,
}

impl StepError {
    /// The kernel said no to this user: another hook would not help.
    fn is_denied(&self) -> bool {
        self.error.kind() == ErrorKind::PermissionDenied
    }

    /// The kernel won't have it this way, and another hook may do: the verifier's refusals come as EACCES too. Where
    /// memory or descriptors are short another hook would fail as well, for a reason that hides the first.
    fn may_do_otherwise(&self) -> bool {
        use ErrorKind::{InvalidData, InvalidInput, NotFound, PermissionDenied, TooBig, Unsupported};
        matches!(
            self.error.kind(),
            InvalidInput | InvalidData | NotFound | PermissionDenied | TooBig | Unsupported
        )
    }

    /// In words, with what is needed where it was denied.
    fn explain(self, facts: &Facts) -> ReceiverError {
        let hook: &str = self.hook.into();
        let message = format!("hook {hook}: {}: {:#}", self.step, self.error);
        if !self.is_denied() {
            let verifier = self.step == LOADING && self.may_do_otherwise();
            let hint = if verifier {
                "; service.telemetry.logs.level: debug shows the verifier's words"
            } else {
                ""
            };
            return ReceiverError::Failed(message + hint);
        }
        let memlock = facts.memlock_limit_of_maps().map(|bytes| {
            let kib = bytes >> 10;
            format!("; or RLIMIT_MEMLOCK, {kib} KiB, is too low for what this kernel charges to it (systemd: LimitMEMLOCK=8M)")
        });
        ReceiverError::Unsupported(format!(
            "{message}: the kernel denies it; needed are CAP_BPF and CAP_PERFMON in the initial user namespace, and for \
             transport: perf also kernel.perf_event_paranoid <= 2 or CAP_SYS_ADMIN{}",
            memlock.unwrap_or_default()
        ))
    }
}

/// Runs a session on this thread: calls `ready` once, when it is attached or has failed, and returns when it ends.
pub(crate) fn run(inputs: Inputs, ready: impl FnOnce(Result<(), ReceiverError>)) {
    // A slot for each hook that may be tried; a skeleton lives in its slot.
    let mut slots = [const { MaybeUninit::uninit() }; 2];
    let counters = inputs.facts.cpus_possible as usize * KINDS;
    let sink = Sink::new(inputs.out.clone(), Arc::clone(&inputs.stats), inputs.tap.clone(), counters);
    let sink = Rc::new(sink);
    match start(&inputs, &mut slots, &sink) {
        Ok(started) => {
            ready(Ok(()));
            read(&inputs, started, &sink);
        }
        Err(error) => ready(Err(error)),
    }
    inputs.stats.end();
}

/// A session that is attached.
struct Started<'slot> {
    skeleton: TcpretransSkel<'slot>,
    reader: Reader,
    counters: Arc<Counters>,
    /// Tells of the reader and of the end.
    poll: OwnedFd,
}

/// Tries the plan's hooks in turn.
fn start<'slots>(
    inputs: &Inputs,
    slots: &'slots mut [MaybeUninit<OpenObject>],
    sink: &Rc<Sink>,
) -> Result<Started<'slots>, ReceiverError> {
    let mut hooks = inputs.plan.hooks.iter().zip(slots).peekable();
    while let Some((hook, slot)) = hooks.next() {
        match start_with(*hook, inputs, slot, sink) {
            Ok(started) => return Ok(started),
            Err(failed) if failed.may_do_otherwise() && hooks.peek().is_some() => {
                tracing::warn!("{}: trying the next hook", failed.explain(&inputs.facts));
            }
            Err(failed) => return Err(failed.explain(&inputs.facts)),
        }
    }
    Err(ReceiverError::Failed("the plan has no hook".to_owned())) // plan() refuses that itself
}

/// Opens, configures, loads and attaches by one hook. What was acquired is released when a step fails: each is owned.
fn start_with<'slot>(
    hook: HookKind,
    inputs: &Inputs,
    slot: &'slot mut MaybeUninit<OpenObject>,
    sink: &Rc<Sink>,
) -> Result<Started<'slot>, StepError> {
    let at = |step| move |error| StepError { hook, step, error };
    let entries = inputs.facts.cpus_possible * KINDS as u32;

    let mut open = TcpretransSkelBuilder::default().open(slot).map_err(at("opening the object"))?;
    let ring = configure(hook, inputs, &mut open, entries).map_err(at("making the maps"))?;
    let mut skeleton = open.load().map_err(at(LOADING))?;

    let counters = Counters::map(skeleton.maps.counters.as_fd(), entries as usize)
        .map_err(of_errno)
        .map_err(at("mapping the counters"))?;
    let counters = Arc::new(counters);
    let (reader, transport, reached) = match ring {
        Some(ring) => {
            let reached = ("ringbuf_size", "By", ring.bytes);
            let reader = ring.read(callback_of(sink)).map_err(at("opening the ring buffer"))?;
            (Reader::Ring(reader), "ringbuf", reached)
        }
        None => {
            let reader = open_perf(inputs, &skeleton, sink).map_err(at("opening the perf buffer"))?;
            let reached = ("perf_pages_per_cpu", "{page}", reader.pages_per_cpu);
            (Reader::Perf(reader), "perf", reached)
        }
    };
    let poll = poll(&reader, &inputs.stop).map_err(at("making an epoll"))?;
    attach(hook, inputs.plan.synack, &mut skeleton).map_err(at("attaching"))?;
    let hook: &'static str = hook.into();
    let info = vec![("hook", hook.to_owned()), ("transport", transport.to_owned())];
    inputs.stats.begin(Arc::clone(&counters), info, vec![reached]);
    Ok(Started { skeleton, reader, counters, poll })
}

/// Sets what is decided before the load; makes the ring, whose size may have to be halved.
fn configure(
    hook: HookKind,
    inputs: &Inputs,
    open: &mut OpenTcpretransSkel<'_>,
    entries: u32,
) -> libbpf_rs::Result<Option<Ring>> {
    let plan = &inputs.plan;
    let (scope, scope_netns, scope_cgroup) = match plan.scope {
        ScopePlan::Host => (wire_scope::SCOPE_HOST, 0, 0),
        ScopePlan::Netns(inode) => (wire_scope::SCOPE_NETNS, inode, 0),
        ScopePlan::Cgroup(id) => (wire_scope::SCOPE_CGROUP, 0, id),
    };
    let (transport, ring) = match plan.transport {
        TransportPlan::Ringbuf { bytes } => {
            let ring = Ring::create(bytes, inputs.facts.page_size_bytes, Budget::of_maps(&inputs.facts))?;
            open.maps.events_ring.reuse_fd(ring.fd())?;
            open.maps.events_perf.set_autocreate(false)?;
            (wire_transport::TRANSPORT_RINGBUF, Some(ring))
        }
        TransportPlan::Perf { .. } => {
            open.maps.events_ring.set_autocreate(false)?;
            (wire_transport::TRANSPORT_PERF, None)
        }
    };
    open.maps.counters.set_max_entries(entries)?;
    let stores = plan.socket_storage && hook == HookKind::TpBtf; // a classic tracepoint's socket is untyped
    open.maps.kept_by_socket.set_autocreate(stores)?;
    open.maps.kept_by_address.set_autocreate(!stores)?;
    let rodata = open.maps.rodata_data.as_deref_mut().ok_or_else(|| {
        libbpf_rs::Error::from(std::io::Error::other("the object has no .rodata")) // it has: bpf/config.h
    })?;
    rodata.config = wire_config {
        scope_cgroup,
        scope_netns,
        wakeup_events: inputs.wakeup.events,
        scope: scope.0 as u8,
        transport: transport.0 as u8,
        has_cookie: plan.socket_cookie.into(),
        has_socket_storage: stores.into(),
        ..wire_config::default()
    };
    let (btf, classic) = (hook == HookKind::TpBtf, hook == HookKind::Tracepoint);
    open.progs.btf_retransmit_skb.set_autoload(btf);
    open.progs.btf_retransmit_synack.set_autoload(btf && plan.synack);
    open.progs.btf_destroy_sock.set_autoload(btf);
    open.progs.classic_destroy_sock.set_autoload(classic);
    open.progs.classic_retransmit_skb.set_autoload(classic);
    open.progs.classic_retransmit_synack.set_autoload(classic && plan.synack);
    Ok(ring)
}

fn open_perf(
    inputs: &Inputs,
    skeleton: &TcpretransSkel<'_>,
    sink: &Rc<Sink>,
) -> libbpf_rs::Result<PerfReader> {
    let TransportPlan::Perf { pages_per_cpu } = inputs.plan.transport else {
        return Err(std::io::Error::other("the plan has no perf buffer").into()); // configure() made a ring then
    };
    let budget = Budget::of_perf(&inputs.facts);
    let map = skeleton.maps.events_perf.as_fd();
    PerfReader::open(map, pages_per_cpu, inputs.wakeup.events, budget, callback_of(sink))
}

fn callback_of(sink: &Rc<Sink>) -> Rc<Callback> {
    let sink = Rc::clone(sink);
    Rc::new(Callback::new(move |bytes| sink.record(bytes)))
}

fn attach(hook: HookKind, synack: bool, skeleton: &mut TcpretransSkel<'_>) -> libbpf_rs::Result<()> {
    let (progs, links) = (&skeleton.progs, &mut skeleton.links);
    match hook {
        HookKind::TpBtf => {
            links.btf_retransmit_skb = Some(progs.btf_retransmit_skb.attach()?);
            links.btf_destroy_sock = Some(progs.btf_destroy_sock.attach()?);
            if synack {
                links.btf_retransmit_synack = Some(progs.btf_retransmit_synack.attach()?);
            }
        }
        HookKind::Tracepoint => {
            links.classic_retransmit_skb = Some(progs.classic_retransmit_skb.attach()?);
            links.classic_destroy_sock = Some(progs.classic_destroy_sock.attach()?);
            if synack {
                links.classic_retransmit_synack = Some(progs.classic_retransmit_synack.attach()?);
            }
        }
    }
    Ok(())
}

/// Reads until told to stop, or until nobody listens; then detaches and takes what is left.
fn read(inputs: &Inputs, mut started: Started<'_>, sink: &Sink) {
    if let Err(error) = read_until_stopped(inputs, &started, sink) {
        tracing::error!(%error, "reading the kernel's buffer");
    }
    started.skeleton.links = Default::default(); // closes the links: from here on nothing new is seen
    until(STRAGGLERS, || {
        if let Err(error) = started.reader.consume() {
            tracing::error!(%error, "reading the kernel's buffer");
            return true;
        }
        sink.stats().missing() == 0
    });
    count_misses(&started.skeleton, sink.stats());
    sink.stats().settle();
    sink.look_last(&started.counters);
    if !until(LAST_GAP, || sink.is_closed() || sink.heal()) {
        tracing::error!("the pipelines have no room for the last gap: it is missing in the sums");
    }
}

/// Tries until it is done, or until the time is over. Was it done?
fn until(time: Duration, done: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + time;
    while !done() {
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    true
}

fn count_misses(skeleton: &TcpretransSkel<'_>, stats: &Stats) {
    let progs = &skeleton.progs;
    let loaded = [
        &progs.btf_retransmit_skb,
        &progs.btf_retransmit_synack,
        &progs.btf_destroy_sock,
        &progs.classic_retransmit_skb,
        &progs.classic_retransmit_synack,
        &progs.classic_destroy_sock,
    ];
    let misses = loaded.into_iter().filter(|program| program.autoload()).map(recursion_misses).sum();
    match misses {
        Ok(misses) => stats.recursion_misses(misses),
        Err(error) => tracing::debug!(%error, "reading recursion_misses"),
    }
}

/// What [`epoll`] says of the stop; of the reader it says 0.
const STOP: u64 = 1;

fn poll(reader: &Reader, stop: &OwnedFd) -> libbpf_rs::Result<OwnedFd> {
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(of_errno)?;
    // Edge-triggered: below the wakeup threshold there is data too, and level-triggering would return for it at once.
    let edge = epoll::EventFlags::IN | epoll::EventFlags::ET;
    epoll::add(&poll, reader.fd(), epoll::EventData::new_u64(0), edge).map_err(of_errno)?;
    epoll::add(&poll, stop, epoll::EventData::new_u64(STOP), epoll::EventFlags::IN).map_err(of_errno)?;
    Ok(poll)
}

fn of_errno(error: Errno) -> libbpf_rs::Error {
    libbpf_rs::Error::from_raw_os_error(error.raw_os_error())
}

fn read_until_stopped(inputs: &Inputs, started: &Started<'_>, sink: &Sink) -> libbpf_rs::Result<()> {
    let timeout = (*inputs.wakeup.interval).min(wall_clock::GOOD_FOR);
    let timeout =
        rustix::time::Timespec { tv_sec: timeout.as_secs() as i64, tv_nsec: timeout.subsec_nanos().into() };
    let mut events = Vec::with_capacity(2);
    while !sink.is_closed() {
        events.clear();
        match epoll::wait(&started.poll, rustix::buffer::spare_capacity(&mut events), Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(of_errno(error)),
        }
        if sink.begin_pass() {
            count_misses(&started.skeleton, sink.stats());
        }
        sink.look(&started.counters);
        started.reader.consume()?;
        sink.heal();
        if events.iter().any(|event| event.data.u64() == STOP) {
            break;
        }
    }
    Ok(())
}
