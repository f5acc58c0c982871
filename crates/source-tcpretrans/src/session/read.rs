//! Reads the buffer until the session is to stop, and then what is left.

use std::time::{Duration, Instant};

use super::inputs::Inputs;
use super::load::Loaded;
use crate::counts::LiveCounts;
use crate::misses::recursion_misses;
use crate::sink::Sink;
use crate::skeleton::TcpretransSkel;
use crate::wall_clock;

/// How long a stop waits for events that a program was sending when it was detached.
const STRAGGLERS: Duration = Duration::from_millis(100);
/// How long a stop waits for room in the channel for the last gap.
const LAST_GAP: Duration = Duration::from_secs(2);

/// Reads until the session is to stop or the channel's other end is gone; then detaches and takes what is left.
pub(super) fn read(inputs: &Inputs, mut loaded: Loaded<'_>, sink: &Sink) {
    if let Err(error) = read_until_stopped(inputs, &loaded, sink) {
        tracing::error!(%error, "reading the kernel's buffer");
    }
    loaded.skeleton.links = Default::default(); // closes the links: from here on nothing new is seen
    until(STRAGGLERS, || {
        let read = loaded.reader.consume();
        sink.flush();
        if let Err(error) = read {
            tracing::error!(%error, "reading the kernel's buffer");
            return true;
        }
        sink.counts().missing() == 0
    });
    count_misses(&loaded.skeleton, sink.counts());
    sink.counts().settle();
    sink.look_last(&loaded.counters);
    if !until(LAST_GAP, || sink.is_closed() || sink.deliver_gap()) {
        tracing::error!("the pipelines have no room for the last gap: it is missing in the sums");
    }
}

/// Tries again until it is done or the time is over. Returns whether it was done.
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

fn read_until_stopped(inputs: &Inputs, loaded: &Loaded<'_>, sink: &Sink) -> libbpf_rs::Result<()> {
    let time = (*inputs.wakeup.interval).min(wall_clock::GOOD_FOR);
    while !sink.is_closed() {
        let is_to_stop = loaded.poll.wait(time)?;
        if sink.begin_pass() {
            count_misses(&loaded.skeleton, sink.counts());
        }
        sink.look(&loaded.counters);
        let read = loaded.reader.consume();
        sink.flush();
        read?;
        sink.deliver_gap();
        if is_to_stop {
            break;
        }
    }
    Ok(())
}

fn count_misses(skeleton: &TcpretransSkel<'_>, counts: &LiveCounts) {
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
        Ok(misses) => counts.recursion_misses(misses),
        Err(error) => tracing::debug!(%error, "reading recursion_misses"),
    }
}
