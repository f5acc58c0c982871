//! A model of how the kernel side wakes the reader of the ring buffer: bpf/wake.h, src/wake.rs and src/session/read.rs.
//!
//! It goes through every order in which the steps of the reader and of programs on other CPUs can follow each other. A
//! processor may keep a store to itself for a while and carry out later loads before others see it, as on x86. So what
//! each CPU has stored is seen by the others at any later time, or when it takes a full barrier. In no order may the
//! reader sleep for good while there is something for it.

use std::collections::HashSet;

/// What the variable `wake_at` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum WakeAt {
    Never,
    AtAny,
    /// At as many bytes as only some programs of the model find.
    AtMany,
}

use WakeAt::{AtAny, AtMany, Never};

/// A step of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Commits an event, which is a full barrier.
    Send,
    /// Counts an event that found no room.
    Lose,
    /// Reads `wake_at`, to do what follows only where it says one of these.
    Read(&'static [WakeAt]),
    Write(WakeAt),
    /// Adds a record to the ring buffer that the reader waits for. A full barrier, too.
    Ring,
}

use Step::{Lose, Read, Ring, Send};

const SENDS: &[Step] = &[Send, Read(&[AtAny]), Step::Write(Never), Ring];
/// It finds that the buffer is half full.
const FILLS: &[Step] = &[Send, Read(&[AtAny, AtMany]), Step::Write(Never), Ring];
const LOSES: &[Step] = &[Lose, Read(&[AtAny, AtMany]), Step::Write(Never), Ring];
/// Its record does not get into the ring buffer that the reader waits for.
const SENDS_AND_CANNOT_RING: &[Step] = &[Send, Read(&[AtAny]), Step::Write(Never), Step::Write(AtAny)];

/// A step of the reader. After the last one it begins again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// Waits, so long that all stores from before are seen, or until it is woken. If it is woken it goes on as after
    /// `Sleep`.
    Wait,
    Write(WakeAt),
    /// Looks for losses, then for rings, then for events, and takes what there is. If there is something it goes to the
    /// first step.
    Take,
    /// A full barrier.
    Fence,
    /// Waits until it is woken.
    Sleep,
}

use Reading::{Fence, Sleep, Take, Wait};

const READER: &[Reading] =
    &[Reading::Write(AtMany), Wait, Take, Reading::Write(AtAny), Fence, Take, Sleep, Take];

/// What a CPU has stored and others do not see yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stored {
    WakeAt(WakeAt),
    Loss,
}

/// So much a CPU can store before others must see the first of it.
const ROOM: usize = 2;

/// A CPU that runs one program after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Cpu {
    program: usize,
    step: usize,
    /// What the program read, once it did.
    read: Option<WakeAt>,
    /// In the order in which others will see it.
    unseen: Vec<Stored>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Moment {
    wake_at: WakeAt,
    losses: u8,
    rings: u8,
    events: u8,
    /// The reader's step, what of `Take` it has done, and whether it has found something.
    reading: usize,
    taken: u8,
    has_found: bool,
    /// What the reader has written and others do not see yet.
    unseen: Vec<WakeAt>,
    cpus: Vec<Cpu>,
}

struct Model<'a> {
    reader: &'a [Reading],
    /// The programs that each CPU runs.
    cpus: &'a [&'a [&'a [Step]]],
}

impl Model<'_> {
    /// A moment in which the reader sleeps for good though there is something for it.
    fn sleeps_over_something(&self) -> Option<Moment> {
        let begin = Moment {
            wake_at: Never,
            losses: 0,
            rings: 0,
            events: 0,
            reading: 0,
            taken: 0,
            has_found: false,
            unseen: Vec::new(),
            cpus: vec![Cpu::default(); self.cpus.len()],
        };
        let mut known = HashSet::from([begin.clone()]);
        let mut open = vec![begin];
        while let Some(moment) = open.pop() {
            let next = self.next(&moment);
            if next.is_empty() && moment.losses + moment.events > 0 {
                return Some(moment);
            }
            open.extend(next.into_iter().filter(|next| known.insert(next.clone())));
        }
        None
    }

    /// All moments that can follow.
    fn next(&self, moment: &Moment) -> Vec<Moment> {
        let mut all = Vec::new();
        for (number, cpu) in moment.cpus.iter().enumerate() {
            if let Some(stored) = cpu.unseen.first() {
                let mut next = moment.clone();
                next.cpus[number].unseen.remove(0);
                match *stored {
                    Stored::WakeAt(wake_at) => next.wake_at = wake_at,
                    Stored::Loss => next.losses += 1,
                }
                all.push(next);
            }
            all.extend(self.step(moment, number));
        }
        if let Some(wake_at) = moment.unseen.first() {
            let mut next = moment.clone();
            next.wake_at = *wake_at;
            next.unseen.remove(0);
            all.push(next);
        }
        all.extend(self.read(moment));
        all
    }

    /// The next step of a CPU, if it can take one.
    fn step(&self, moment: &Moment, number: usize) -> Option<Moment> {
        let cpu = &moment.cpus[number];
        let steps = self.cpus[number].get(cpu.program)?;
        let mut next = moment.clone();
        let Cpu { program, step, read, unseen } = &mut next.cpus[number];
        let reads = steps.iter().find_map(|step| if let Read(reads) = step { Some(*reads) } else { None });
        let goes_on = read.is_none_or(|read| reads.is_some_and(|reads| reads.contains(&read)));
        match steps[*step] {
            Send | Ring if !unseen.is_empty() => return None, // a full barrier comes first
            Send => next.events += 1,
            Lose => unseen.push(Stored::Loss),
            Read(_) => {
                let own = unseen.iter().rev().find_map(|stored| match stored {
                    Stored::WakeAt(wake_at) => Some(*wake_at),
                    Stored::Loss => None,
                });
                *read = Some(own.unwrap_or(moment.wake_at));
            }
            Step::Write(wake_at) if goes_on => unseen.push(Stored::WakeAt(wake_at)),
            Ring if goes_on => next.rings += 1,
            Step::Write(_) | Ring => {}
        }
        *step += 1;
        if *step == steps.len() {
            (*program, *step, *read) = (*program + 1, 0, None);
        }
        Some(next)
    }

    /// The next steps of the reader that it can take.
    fn read(&self, moment: &Moment) -> Vec<Moment> {
        let mut next = moment.clone();
        let after = (moment.reading + 1) % self.reader.len();
        let is_woken = moment.rings > 0;
        match self.reader[moment.reading] {
            Reading::Write(_) if moment.unseen.len() == ROOM => return Vec::new(),
            Reading::Write(wake_at) => next.unseen.push(wake_at),
            Fence if moment.unseen.is_empty() => {}
            Wait => {
                let mut all = Vec::new();
                if is_woken {
                    let asleep = self.reader.iter().position(|step| *step == Sleep);
                    let after = asleep.map_or(0, |asleep| (asleep + 1) % self.reader.len());
                    all.push(Moment { reading: after, ..next.clone() });
                }
                let has_settled = moment.cpus.iter().all(|cpu| cpu.unseen.is_empty());
                if has_settled && moment.unseen.is_empty() {
                    all.push(Moment { reading: after, ..next });
                }
                return all;
            }
            Sleep if is_woken => {}
            Fence | Sleep => return Vec::new(),
            Take => {
                let here = match moment.taken {
                    0 => &mut next.losses,
                    1 => &mut next.rings,
                    _ => &mut next.events,
                };
                let number = std::mem::take(here);
                next.has_found |= number > 0;
                next.taken += 1;
                if next.taken < 3 {
                    return vec![next];
                }
                let reading = if next.has_found { 0 } else { after };
                return vec![Moment { reading, taken: 0, has_found: false, ..next }];
            }
        }
        vec![Moment { reading: after, ..next }]
    }
}

/// What two CPUs may do at the same time.
const ALL: &[&[&[&[Step]]]] = &[
    &[&[SENDS, SENDS], &[SENDS]],
    &[&[SENDS, LOSES], &[SENDS]],
    &[&[LOSES], &[SENDS, SENDS]],
    &[&[LOSES, LOSES], &[LOSES]],
    &[&[FILLS, SENDS], &[FILLS]],
    &[&[FILLS], &[LOSES, SENDS]],
    &[&[SENDS_AND_CANNOT_RING, SENDS], &[SENDS]],
];
/// And three.
const THREE: &[&[&[Step]]] = &[&[SENDS], &[SENDS], &[LOSES]];

fn find(reader: &[Reading], cpus: &[&[&[Step]]]) -> Option<Moment> {
    Model { reader, cpus }.sleeps_over_something()
}

#[test]
fn in_no_order_does_the_reader_sleep_over_something() {
    for cpus in ALL.iter().chain([&THREE]) {
        let moment = find(READER, cpus);
        assert!(moment.is_none(), "{cpus:?}: {moment:#?}");
    }
}

/// Places in `READER` of which two may change. The wait is there for stores from before the last look, so that it may come
/// at any time before that. A look before the last one saves work, and so does one after the sleep.
const MAY_CHANGE: &[(usize, usize)] = &[(1, 2), (1, 3), (1, 4), (2, 3), (6, 7)];

/// The model finds what it is there to find.
#[test]
fn wherever_two_steps_of_the_reader_change_places_it_does() {
    for (one, other) in pairs(READER.len()) {
        let mut reader = READER.to_vec();
        reader.swap(one, other);
        let is_found = ALL.iter().any(|cpus| find(&reader, cpus).is_some());
        let may_change = READER[one] == READER[other] || MAY_CHANGE.contains(&(one, other));
        assert!(is_found != may_change, "{reader:?}");
    }
}

#[test]
fn without_a_step_of_the_reader_it_does() {
    for step in [0, 1, 3, 4, 5] {
        let mut reader = READER.to_vec();
        let without = reader.remove(step);
        assert!(ALL.iter().any(|cpus| find(&reader, cpus).is_some()), "without {without:?}");
    }
}

#[test]
fn wherever_two_steps_of_a_program_change_places_it_does() {
    for program in [SENDS, FILLS, LOSES] {
        for (one, other) in pairs(program.len()) {
            let mut changed = program.to_vec();
            changed.swap(one, other);
            let is_found = ALL.iter().any(|cpus| {
                let replaced = |step: &&'static [Step]| if *step == program { &changed[..] } else { *step };
                let cpus: Vec<Vec<_>> = cpus.iter().map(|cpu| cpu.iter().map(replaced).collect()).collect();
                let cpus: Vec<_> = cpus.iter().map(Vec::as_slice).collect();
                find(READER, &cpus).is_some()
            });
            assert!(is_found, "{changed:?}");
        }
    }
}

/// All pairs of places, the first below the second.
fn pairs(places: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..places).flat_map(move |one| (one + 1..places).map(move |other| (one, other)))
}
