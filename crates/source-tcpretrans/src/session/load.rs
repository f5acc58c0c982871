//! Loading and attaching: everything from the setup to programs that run.

use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use libbpf_rs::skel::{OpenSkel, SkelBuilder};
use libbpf_rs::{MapHandle, OpenObject};
use otel_tcpretrans_pipeline::component::ReceiverError;

use super::constants::set_constants;
use super::error::{LOADING, StepError};
use super::inputs::Inputs;
use super::owners;
use super::reader::{Poll, Reader, of_errno};
use crate::audit::Told;
use crate::buffer::Budget;
use crate::callback::Callback;
use crate::counters::{Counters, KINDS};
use crate::gauges::{FACTS, PERF_PAGES_PER_CPU, RINGBUF_SIZE};
use crate::perf::PerfReader;
use crate::ring::{Ring, RingReader};
use crate::setup::{HookKind, TransportSetup};
use crate::sink::Sink;
use crate::skeleton::types::wire_transport;
use crate::skeleton::{OpenTcpretransSkel, TcpretransSkel, TcpretransSkelBuilder};
use crate::wake::WakeAt;

/// A session that is attached.
pub(super) struct Loaded<'slot> {
    pub(super) reader: Reader,
    pub(super) poll: Poll,
    pub(super) counters: Arc<Counters>,
    /// How often the reader looks while events come.
    pub(super) interval: Duration,
    pub(super) skeleton: TcpretransSkel<'slot>,
    /// Lets it be audited.
    _told: Arc<Told>,
}

/// Tries the setup's hooks in turn.
pub(super) fn load<'slots>(
    inputs: &Inputs,
    slots: &'slots mut [MaybeUninit<OpenObject>],
    sink: &Rc<Sink>,
) -> Result<Loaded<'slots>, ReceiverError> {
    let mut hooks = inputs.setup.hooks.iter().zip(slots).peekable();
    while let Some((hook, slot)) = hooks.next() {
        match load_by(*hook, inputs, slot, sink) {
            Ok(loaded) => return Ok(loaded),
            Err(failed) if failed.may_do_otherwise() && hooks.peek().is_some() => {
                tracing::warn!("{}: trying the next hook", failed.explain(&inputs.facts));
            }
            Err(failed) => return Err(failed.explain(&inputs.facts)),
        }
    }
    Err(ReceiverError::Failed("the setup has no hook".to_owned())) // decide() refuses that itself
}

/// Opens, configures, loads and attaches by one hook. What was acquired is released when a step fails: each is owned.
fn load_by<'slot>(
    hook: HookKind,
    inputs: &Inputs,
    slot: &'slot mut MaybeUninit<OpenObject>,
    sink: &Rc<Sink>,
) -> Result<Loaded<'slot>, StepError> {
    let at = |step| move |error| StepError { hook, step, error };
    let entries = inputs.facts.cpus_possible * KINDS as u32;

    let mut open = TcpretransSkelBuilder::default().open(slot).map_err(at("opening the object"))?;
    let ring = configure(hook, inputs, &mut open, entries).map_err(at("making the maps"))?;
    let mut skeleton = open.load().map_err(at(LOADING))?;

    let counters = Counters::map(skeleton.maps.counters.as_fd(), entries as usize)
        .map_err(of_errno)
        .map_err(at("mapping the counters"))?;
    let counters = Arc::new(counters);
    let (reader, interval, transport, reached) = match ring {
        Some(ring) => {
            let reached = (&RINGBUF_SIZE, ring.bytes);
            let reader = open_ring(ring, inputs, &skeleton, sink).map_err(at("opening the ring buffer"))?;
            (Reader::Ring(reader), inputs.wakeup.ringbuf_interval(), "ringbuf", reached)
        }
        None => {
            let reader = open_perf(inputs, &skeleton, sink).map_err(at("opening the perf buffer"))?;
            let reached = (&PERF_PAGES_PER_CPU, reader.pages_per_cpu);
            (Reader::Perf(reader), inputs.wakeup.perf_interval(), "perf", reached)
        }
    };
    let told = MapHandle::try_from(&skeleton.maps.told_by_netns).map_err(at("opening a map"))?;
    let poll = Poll::new(&reader, &inputs.stop).map_err(at("making an epoll"))?;
    attach(&mut skeleton).map_err(at("attaching"))?;
    let owner =
        owners::find(inputs, &mut skeleton).map_err(|(step, error)| StepError { hook, step, error })?;
    let hook: &'static str = hook.into();
    let info = FACTS.into_iter().zip([hook, transport, owner.name()].map(str::to_owned)).collect();
    inputs.counts.begin(Arc::clone(&counters), info, vec![reached]);
    let _told = inputs.audit.begin(Told::new(told, &inputs.setup));
    Ok(Loaded { skeleton, reader, counters, interval, poll, _told })
}

/// Sets what is decided before the load; makes the ring, whose size may have to be halved.
fn configure(
    hook: HookKind,
    inputs: &Inputs,
    open: &mut OpenTcpretransSkel<'_>,
    entries: u32,
) -> libbpf_rs::Result<Option<Ring>> {
    let setup = &inputs.setup;
    let (transport, ring) = match setup.transport {
        TransportSetup::Ringbuf { bytes } => {
            let ring = Ring::create(bytes, inputs.facts.page_size_bytes, Budget::of_maps(&inputs.facts))?;
            open.maps.events_ring.reuse_fd(ring.fd())?;
            open.maps.events_perf.set_autocreate(false)?;
            (wire_transport::TRANSPORT_RINGBUF, Some(ring))
        }
        TransportSetup::Perf { .. } => {
            open.maps.events_ring.set_autocreate(false)?;
            open.maps.wakeups.set_autocreate(false)?;
            (wire_transport::TRANSPORT_PERF, None)
        }
    };
    open.maps.counters.set_max_entries(entries)?;
    open.maps.last_told.set_max_entries(inputs.facts.cpus_possible)?;
    let stores = setup.socket_storage && hook == HookKind::TpBtf; // a classic tracepoint's socket is untyped
    open.maps.kept_by_socket.set_autocreate(stores)?;
    open.maps.kept_by_address.set_autocreate(!stores)?;
    open.maps.tags.set_autocreate(stores)?;
    set_constants(open, setup, transport, stores)?;
    let (btf, classic) = (hook == HookKind::TpBtf, hook == HookKind::Tracepoint);
    open.progs.btf_retransmit_skb.set_autoload(btf);
    open.progs.btf_retransmit_synack.set_autoload(btf && setup.synack);
    open.progs.btf_destroy_sock.set_autoload(btf);
    open.progs.btf_retransmit_skb_interrupting.set_autoload(stores);
    open.progs.btf_set_state.set_autoload(stores);
    open.progs.btf_accept.set_autoload(false); // in an object of its own: owners.rs
    open.progs.btf_tag_files.set_autoload(stores);
    open.progs.classic_destroy_sock.set_autoload(classic);
    open.progs.classic_retransmit_skb.set_autoload(classic);
    open.progs.classic_retransmit_synack.set_autoload(classic && setup.synack);
    Ok(ring)
}

fn open_ring(
    ring: Ring,
    inputs: &Inputs,
    skeleton: &TcpretransSkel<'_>,
    sink: &Rc<Sink>,
) -> libbpf_rs::Result<RingReader> {
    let wakeups = MapHandle::try_from(&skeleton.maps.wakeups)?;
    let wake_at =
        WakeAt::map(skeleton.maps.bss.as_fd(), inputs.wakeup.events, ring.bytes).map_err(of_errno)?;
    ring.read(wakeups, wake_at, callback_of(sink))
}

fn open_perf(
    inputs: &Inputs,
    skeleton: &TcpretransSkel<'_>,
    sink: &Rc<Sink>,
) -> libbpf_rs::Result<PerfReader> {
    let TransportSetup::Perf { pages_per_cpu } = inputs.setup.transport else {
        return Err(std::io::Error::other("the setup has no perf buffer").into()); // configure() made a ring then
    };
    let budget = Budget::of_perf(&inputs.facts);
    let map = skeleton.maps.events_perf.as_fd();
    PerfReader::open(map, pages_per_cpu, inputs.wakeup.perf_events(), budget, callback_of(sink))
}

fn callback_of(sink: &Rc<Sink>) -> Rc<Callback> {
    let sink = Rc::clone(sink);
    Rc::new(Callback::new(move |bytes| sink.record(bytes)))
}

/// Attaches the programs that were loaded. The first program of a hit is attached before the second.
fn attach(skeleton: &mut TcpretransSkel<'_>) -> libbpf_rs::Result<()> {
    let (progs, links) = (&skeleton.progs, &mut skeleton.links);
    let attach =
        |program: &libbpf_rs::ProgramMut<'_>| program.autoload().then(|| program.attach()).transpose();
    links.btf_set_state = attach(&progs.btf_set_state)?;
    links.btf_retransmit_skb = attach(&progs.btf_retransmit_skb)?;
    links.btf_retransmit_skb_interrupting = attach(&progs.btf_retransmit_skb_interrupting)?;
    links.btf_destroy_sock = attach(&progs.btf_destroy_sock)?;
    links.btf_retransmit_synack = attach(&progs.btf_retransmit_synack)?;
    links.classic_retransmit_skb = attach(&progs.classic_retransmit_skb)?;
    links.classic_destroy_sock = attach(&progs.classic_destroy_sock)?;
    links.classic_retransmit_synack = attach(&progs.classic_retransmit_synack)?;
    Ok(())
}
