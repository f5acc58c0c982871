//! A model of how bpf/output.h begins and ends an event, where runs of the program interrupt each other.
//!
//! A kernel before 6.1 lets a softirq interrupt a program and run it again. No test can choose the instruction at which
//! that happens, so this one goes through all of them: a run is interrupted once, before any of its steps, by a whole run,
//! which is interrupted in the same way.

use std::collections::BTreeSet;

/// The numbers of one CPU and kind, as `struct wire_counters` has them, and what really happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Memory {
    events: u64,
    finished: u64,
    busy: u64,
    nested: u64,
    /// Runs that began.
    runs: u64,
    /// Events that were sent.
    sent: u64,
}

type Field = fn(&mut Memory) -> &mut u64;

const EVENTS: Field = |memory| &mut memory.events;
const FINISHED: Field = |memory| &mut memory.finished;
const BUSY: Field = |memory| &mut memory.busy;
const NESTED: Field = |memory| &mut memory.nested;
const SENT: Field = |memory| &mut memory.sent;

/// One instruction; a run has one register.
#[derive(Clone, Copy)]
enum Step {
    Load(Field),
    Add(i64),
    Store(Field),
    /// Adds 1 with nothing between load and store.
    AtomicIncrement(Field),
    /// Goes on with the steps for a skipped run, where the register is not this number.
    SkipUnless(u64),
    /// The same, where the register is not this field.
    SkipUnlessEqual(Field),
}

use Step::{Add, AtomicIncrement, Load, SkipUnless, SkipUnlessEqual, Store};

/// A program: what a run does, and what it does instead once it is skipped.
struct Program {
    counts: &'static [Step],
    skips: &'static [Step],
}

/// `begin_event`, the output, and `end_event`.
const PROGRAM: Program = Program {
    counts: &[
        Load(BUSY),
        Add(1),
        Store(BUSY),
        SkipUnless(1),
        Load(EVENTS),
        Add(1),
        Store(EVENTS),
        AtomicIncrement(SENT),
        Load(FINISHED),
        Add(1),
        Store(FINISHED),
        Load(BUSY),
        Add(-1),
        Store(BUSY),
    ],
    skips: &[AtomicIncrement(NESTED), Load(BUSY), Add(-1), Store(BUSY)],
};

/// As it was up to version 0.1: no `busy`, an event is under way while `events` and `finished` differ.
const WITHOUT_BUSY: Program = Program {
    counts: &[
        Load(EVENTS),
        SkipUnlessEqual(FINISHED),
        Add(1),
        Store(EVENTS),
        AtomicIncrement(SENT),
        Load(FINISHED),
        Add(1),
        Store(FINISHED),
    ],
    skips: &[Load(NESTED), Add(1), Store(NESTED)],
};

/// Where a run is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Run {
    memory: Memory,
    register: u64,
    is_skipped: bool,
    was_interrupted: bool,
}

impl Run {
    fn take(&mut self, step: Step) {
        match step {
            Load(field) => self.register = *field(&mut self.memory),
            Add(number) => self.register = self.register.wrapping_add_signed(number),
            Store(field) => *field(&mut self.memory) = self.register,
            AtomicIncrement(field) => *field(&mut self.memory) += 1,
            SkipUnless(number) => self.is_skipped = self.register != number,
            SkipUnlessEqual(field) => self.is_skipped = self.register != *field(&mut self.memory),
        }
    }
}

/// All that memory can be after a run, which others interrupt, up to so many inside each other.
fn run(program: &Program, mut memory: Memory, depth: u32) -> BTreeSet<Memory> {
    memory.runs += 1;
    let begun = Run { memory, register: 0, is_skipped: false, was_interrupted: false };
    let mut skipped = BTreeSet::new();
    let mut counted = BTreeSet::from([begun]);
    for step in program.counts {
        let after = take(program, *step, &counted, depth);
        let leaves;
        (leaves, counted) = after.into_iter().partition(|run| run.is_skipped);
        skipped.extend(leaves);
    }
    for step in program.skips {
        skipped = take(program, *step, &skipped, depth);
    }
    counted.into_iter().chain(skipped).map(|run| run.memory).collect()
}

/// Takes a step in each of the runs, with and without an interruption before it.
fn take(program: &Program, step: Step, runs: &BTreeSet<Run>, depth: u32) -> BTreeSet<Run> {
    let mut all = runs.clone();
    for at in runs.iter().filter(|at| depth > 0 && !at.was_interrupted) {
        let interrupted = run(program, at.memory, depth - 1);
        all.extend(interrupted.into_iter().map(|memory| Run { memory, was_interrupted: true, ..*at }));
    }
    let taken = all.into_iter().map(|mut run| {
        run.take(step);
        run
    });
    taken.collect()
}

/// The next run finds the CPU idle, and is counted.
fn sees_the_next(program: &Program, memory: Memory) -> bool {
    run(program, memory, 0).iter().all(|after| after.sent == memory.sent + 1)
}

#[test]
fn wherever_runs_nest_each_is_counted_and_the_cpu_sees_the_next() {
    let all = run(&PROGRAM, Memory::default(), 3);
    assert!(all.iter().any(|memory| memory.nested > 2) && all.len() > 3, "{} ends", all.len());
    for memory in all {
        assert_eq!(
            (memory.events, memory.finished, memory.busy),
            (memory.sent, memory.sent, 0),
            "{memory:?}"
        );
        assert_eq!(memory.sent + memory.nested, memory.runs, "{memory:?}");
        assert!(sees_the_next(&PROGRAM, memory), "{memory:?}");
    }
}

/// The model finds what it is there to find.
#[test]
fn without_busy_a_cpu_could_go_blind() {
    let all = run(&WITHOUT_BUSY, Memory::default(), 1);
    let blind = all.iter().filter(|memory| !sees_the_next(&WITHOUT_BUSY, **memory)).count();
    assert!(blind > 0, "{all:?}");
}
