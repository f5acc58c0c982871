//! Reads the buffer until the session is to stop, and then what is left.

use std::time::{Duration, Instant};

use super::load::Loaded;
use super::reader::Ended;
use crate::counts::LiveCounts;
use crate::misses::recursion_misses;
use crate::sink::Sink;
use crate::skeleton::TcpretransSkel;
use crate::wall_clock;

/// How long a stop waits for events that a program was sending when it was detached.
const STRAGGLERS: Duration = Duration::from_millis(100);
/// How long a stop waits for room in the channel for the last gap.
const LAST_GAP: Duration = Duration::from_secs(2);
/// When a gap that the channel had no room for is tried again, if nothing else comes.
const NEXT_TRY: Duration = Duration::from_millis(200);

/// Reads until the session is to stop or the channel's other end is gone; then detaches and takes what is left.
pub(super) fn read(mut loaded: Loaded<'_>, sink: &Sink) {
    if let Err(error) = read_until_stopped(&loaded, sink) {
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

/// Looks by a timer while something comes. By the ring buffer it then sleeps until the kernel side wakes it.
fn read_until_stopped(loaded: &Loaded<'_>, sink: &Sink) -> libbpf_rs::Result<()> {
    let interval = loaded.interval.min(wall_clock::GOOD_FOR);
    let reader = &loaded.reader;
    reader.wake_at_many();
    let mut time = Some(interval);
    while !sink.is_closed() {
        let ended = loaded.poll.wait(time)?;
        let first = pass(loaded, sink)?;
        if ended == Ended::ByStop {
            break;
        }
        // Only after a whole interval in which nothing came: what a program on another CPU wrote while somebody else was
        // about to wake this reader, such as a loss, can be seen by now.
        let may_sleep = ended == Ended::InTime && first != Found::Something && reader.wake_at_any();
        let found = if may_sleep { pass(loaded, sink)? } else { Found::Something };
        time = match found {
            // After the pass: the next program is to wake this reader again, if the pass took a wakeup.
            Found::Something => {
                reader.wake_at_many();
                Some(interval)
            }
            Found::OnlyGap => Some(interval.max(NEXT_TRY)),
            Found::Nothing => {
                count_misses(&loaded.skeleton, sink.counts());
                sink.before_sleep();
                None
            }
        };
    }
    Ok(())
}

/// What a pass over the buffers found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// Events, or a wakeup.
    Something,
    /// Only that something is missing, which is not delivered as a gap yet.
    OnlyGap,
    Nothing,
}

fn pass(loaded: &Loaded<'_>, sink: &Sink) -> libbpf_rs::Result<Found> {
    let _lasts = sink.counts().passes.begin();
    if sink.begin_pass() {
        count_misses(&loaded.skeleton, sink.counts());
    }
    let is_missing = sink.look(&loaded.counters);
    let came = loaded.reader.consume();
    sink.flush();
    let came = came?;
    sink.deliver_gap();
    Ok(match (came, is_missing) {
        (true, _) => Found::Something,
        (false, true) => Found::OnlyGap,
        (false, false) => Found::Nothing,
    })
}

/// Of the programs that nothing stands in for when they are skipped: the second one of a hit is not among them.
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
