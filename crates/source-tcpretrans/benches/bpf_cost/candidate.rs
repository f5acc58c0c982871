//! What is compared: each can be attached, read as its user would read it, and detached.

use std::error::Error;
use std::fmt;
use std::hint::black_box;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use libbpf_rs::{Link, MapCore, Object, PerfBuffer, PerfBufferBuilder};
use otel_tcpretrans_pipeline::chunk;
use otel_tcpretrans_pipeline::component::Receiver;
use otel_tcpretrans_source::Tcpretrans;
use otel_tcpretrans_source::config::{Config, Hook, Transport, Wakeup};
use rustix::process::{Signal, set_parent_process_death_signal};

use crate::compile;

/// What the usual design asks for.
const PAGES_PER_CPU: usize = 16;

/// The 5-tuple of each retransmission, by what Debian's bpftrace can do without kprobes.
const BPFTRACE: &str = r#"tracepoint:tcp:tcp_retransmit_skb {
    if (args->family == 2) {
        printf("TCP %s:%d -> %s:%d\n", ntop(2, args->saddr), args->sport, ntop(2, args->daddr), args->dport);
    } else {
        printf("TCP %s:%d -> %s:%d\n", ntop(10, args->saddr_v6), args->sport, ntop(10, args->daddr_v6), args->dport);
    }
}"#;

/// One of those that are compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Candidate {
    /// A program that does nothing.
    Empty(Hook),
    /// Our receiver, by default or with a wakeup for each event.
    Ours { hook: Hook, transport: Transport, wakes_for_each: bool },
    /// Classic tracepoint, a helper call a field, perf with one wakeup an event.
    ClassicWay,
    /// bpftrace with a script of one line an event.
    Bpftrace,
}

impl Candidate {
    /// Attaches it. `Attached` detaches it when it is dropped.
    pub fn attach(self) -> Result<Attached, Box<dyn Error>> {
        Ok(match self {
            Candidate::Empty(Hook::TpBtf) => {
                Attached::Empty(Bpf::attach("empty.bpf.c", "btf_retransmit_empty")?)
            }
            Candidate::Empty(_) => Attached::Empty(Bpf::attach("empty.bpf.c", "classic_retransmit_empty")?),
            Candidate::Ours { hook, transport, wakes_for_each } => {
                let wakeup = Wakeup { events: wakes_for_each.then_some(1), ..Wakeup::default() };
                Attached::Ours(Ours::start(Config { hook, transport, wakeup, ..Config::default() })?)
            }
            Candidate::ClassicWay => Attached::ClassicWay(ClassicWay::start()?),
            Candidate::Bpftrace => Attached::Bpftrace(Bpftrace::start()?),
        })
    }

    /// The hook of the program whose cost is in this one's, and is no work.
    pub fn hook(self) -> Hook {
        match self {
            Candidate::Empty(hook) | Candidate::Ours { hook, .. } => hook,
            Candidate::ClassicWay | Candidate::Bpftrace => Hook::Tracepoint,
        }
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hook = match self.hook() {
            Hook::TpBtf => "tp_btf",
            _ => "tracepoint",
        };
        match self {
            Candidate::Empty(_) => write!(f, "{hook}, empty program"),
            Candidate::Ours { transport, wakes_for_each, .. } => {
                let transport = if *transport == Transport::Perf { "perf" } else { "ringbuf" };
                let wakes = if *wakes_for_each { ", every event wakes" } else { "" };
                write!(f, "{hook}, {transport}{wakes}")
            }
            Candidate::ClassicWay => write!(f, "the classic way"),
            Candidate::Bpftrace => write!(f, "bpftrace, a line an event"),
        }
    }
}

/// One that is attached.
#[allow(dead_code)] // held, to be dropped
pub enum Attached {
    Empty(Bpf),
    Ours(Ours),
    ClassicWay(ClassicWay),
    Bpftrace(Bpftrace),
}

impl Attached {
    /// The process that holds its programs.
    pub fn pid(&self) -> u32 {
        match self {
            Attached::Bpftrace(bpftrace) => bpftrace.0.id(),
            _ => std::process::id(),
        }
    }
}

/// A program of this bench's own.
pub struct Bpf {
    _link: Link,
    object: Object,
}

impl Bpf {
    fn attach(source: &str, program: &str) -> Result<Bpf, Box<dyn Error>> {
        let object = compile::load(source, &[program])?;
        let found = object.progs_mut().find(|found| found.name() == program).ok_or("no such program")?;
        let link = found.attach()?;
        Ok(Bpf { _link: link, object })
    }
}

/// The receiver, and a thread that takes its events.
pub struct Ours {
    receiver: Tcpretrans,
    taker: Option<JoinHandle<()>>,
}

impl Ours {
    fn start(config: Config) -> Result<Ours, Box<dyn Error>> {
        let mut receiver = Tcpretrans::new(config);
        let (sender, mut events) = chunk::channel(receiver.channel_capacity());
        receiver.start(sender)?;
        let taker = thread::spawn(move || {
            while let Some(event) = events.blocking_recv() {
                black_box(event);
            }
        });
        Ok(Ours { receiver, taker: Some(taker) })
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        self.receiver.stop(); // closes the channel
        if let Some(taker) = self.taker.take() {
            let _ = taker.join();
        }
    }
}

/// The usual design and its reader.
pub struct ClassicWay {
    bpf: Option<Bpf>,
    stop: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl ClassicWay {
    fn start() -> Result<ClassicWay, Box<dyn Error>> {
        let bpf = Bpf::attach("classic_way.bpf.c", "plain_retransmit_skb")?;
        let events = bpf.object.maps().find(|map| map.name() == "events").ok_or("no such map")?;
        let take = |_cpu: i32, bytes: &[u8]| drop(black_box(bytes.to_vec()));
        let buffer = PerfBufferBuilder::new(&events).pages(PAGES_PER_CPU).sample_cb(take).build()?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let reader = thread::spawn(move || read(&buffer, &stopped));
        Ok(ClassicWay { bpf: Some(bpf), stop, reader: Some(reader) })
    }
}

fn read(buffer: &PerfBuffer<'_>, stopped: &AtomicBool) {
    while !stopped.load(Ordering::Relaxed) {
        if let Err(error) = buffer.poll(Duration::from_millis(100))
            && error.kind() != libbpf_rs::ErrorKind::Interrupted
        {
            panic!("reading the perf buffer: {error}");
        }
    }
}

impl Drop for ClassicWay {
    fn drop(&mut self) {
        self.bpf = None;
        self.stop.store(true, Ordering::Relaxed);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

/// A running bpftrace.
pub struct Bpftrace(Child);

impl Bpftrace {
    fn start() -> Result<Bpftrace, Box<dyn Error>> {
        let mut command = Command::new("bpftrace");
        command.args(["-e", BPFTRACE]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // SAFETY: between fork and exec it makes one system call, and allocates nothing.
        unsafe {
            command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?));
        }
        let child =
            command.spawn().map_err(|error| format!("bpftrace (.ci/setup bench installs it): {error}"))?;
        Ok(Bpftrace(child))
    }
}

impl Drop for Bpftrace {
    fn drop(&mut self) {
        // Errors mean that it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
