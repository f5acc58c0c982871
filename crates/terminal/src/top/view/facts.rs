//! What the header says beside the sums: where the records come from, what was lost, and whether the kernel agrees.

/// What is true at the moment of a drawing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The second, since the Unix epoch, in the time of the records.
    pub(crate) now: u64,
    pub(crate) source: Source,
    /// Seconds since the start, or between the first and the latest record of a recording.
    pub(crate) elapsed: u64,
    /// Events that the receiver did not observe.
    pub(crate) lost: u64,
    /// Records that a pipeline dropped.
    pub(crate) dropped: u64,
    /// The latest warning or error of the log.
    pub(crate) warning: Option<String>,
}

/// Where the records come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The kernel. `None` if the count can't be compared with the kernel's.
    Live(Option<Compared>),
    /// A recording: its file, and whether its end was reached.
    Recording { file: String, ended: bool },
    /// A running agent: its address.
    Agent(String),
}

/// The kernel's count of this network namespace beside ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Compared {
    /// RetransSegs since the start.
    pub(crate) kernel: u64,
    /// Segments of the records of this namespace.
    pub(crate) counted: u64,
    pub(crate) verdict: Verdict,
}

/// Whether both counts are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// They are.
    Equal,
    /// They are not, and the kernel's count has just changed: records are on their way.
    OnTheWay,
    /// They are not.
    Different,
}
