//! A model of bpf/segments.h, where the LRU map gives an entry to another socket while a program holds its pointer.
//!
//! The program on one CPU has found the entry of socket A and is about to use it. On another CPU socket B gets that entry.
//! The test goes through all orders in which the two can read and write it, and then lets B send once more.

/// What is kept of a socket. An entry of its own begins with zeros.
#[derive(Clone, Copy, Debug, Default)]
struct Kept {
    ports: u32,
    total: u32,
}

/// One access to the entry.
#[derive(Clone, Copy, Debug)]
enum Access {
    MakeEmpty,
    LoadPorts,
    LoadTotal,
    StorePorts,
    StoreTotal,
    LoadBoth,
    StoreBoth,
}

use Access::{LoadBoth, LoadPorts, LoadTotal, MakeEmpty, StoreBoth, StorePorts, StoreTotal};

/// A run of `count_segments` for a socket's event of one segment.
#[derive(Clone, Copy, Debug)]
struct Run {
    socket: Kept,
    loaded: Kept,
}

impl Run {
    fn of(socket: Kept) -> Run {
        Run { socket, loaded: Kept::default() }
    }

    fn access(&mut self, entry: &mut Kept, access: Access) {
        match access {
            MakeEmpty => *entry = Kept::default(),
            LoadPorts => self.loaded.ports = entry.ports,
            LoadTotal => self.loaded.total = entry.total,
            StorePorts => entry.ports = self.socket.ports,
            StoreTotal => entry.total = self.socket.total,
            LoadBoth => self.loaded = *entry,
            StoreBoth => *entry = self.socket,
        }
    }

    /// The event's segments.
    fn segments(&self) -> u32 {
        let Kept { ports, total } = self.socket;
        let is_known = self.loaded.ports == ports && self.loaded.total < total;
        if is_known { total - self.loaded.total } else { 1 }
    }
}

const A: Kept = Kept { ports: 1, total: 300 };
const B: Kept = Kept { ports: 2, total: 500 };

/// Lets both run in each order, and gives the segments of A's event, of B's, and of B's next.
fn in_each_order(uses: &[Access]) -> Vec<[u32; 3]> {
    let made: Vec<Access> = [MakeEmpty].into_iter().chain(uses.iter().copied()).collect();
    let mut results = Vec::new();
    interleave(
        uses,
        &made,
        Kept { total: A.total - 1, ..A },
        Run::of(A),
        Run::of(B),
        &mut |mut entry, a, b| {
            let mut next = Run::of(Kept { total: B.total + 1, ..B });
            uses.iter().for_each(|access| next.access(&mut entry, *access));
            results.push([a.segments(), b.segments(), next.segments()]);
        },
    );
    results
}

fn interleave(
    first: &[Access],
    second: &[Access],
    entry: Kept,
    a: Run,
    b: Run,
    end: &mut impl FnMut(Kept, Run, Run),
) {
    if let [access, rest @ ..] = first {
        let (mut entry, mut a) = (entry, a);
        a.access(&mut entry, *access);
        interleave(rest, second, entry, a, b, end);
    }
    if let [access, rest @ ..] = second {
        let (mut entry, mut b) = (entry, b);
        b.access(&mut entry, *access);
        interleave(first, rest, entry, a, b, end);
    }
    if first.is_empty() && second.is_empty() {
        end(entry, a, b);
    }
}

#[test]
fn as_one_word_each_event_has_its_own_segments() {
    let results = in_each_order(&[LoadBoth, StoreBoth]);
    assert_eq!(results.len(), 10);
    assert!(results.iter().all(|segments| *segments == [1, 1, 1]), "{results:?}");
}

/// The model finds what it is there to find: B's ports beside A's total.
#[test]
fn as_two_numbers_an_event_could_have_hundreds() {
    let results = in_each_order(&[LoadPorts, LoadTotal, StorePorts, StoreTotal]);
    assert!(results.iter().flatten().any(|segments| *segments > 1), "{results:?}");
}
