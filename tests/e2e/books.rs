//! The agent's books, which it logs at its end.

use serde_json::Value;

use super::support::hidden::Hidden;

/// The lines of the log with the books: one per receiver, and one per ledger.
#[derive(Debug)]
pub struct Books {
    lines: Vec<Value>,
    hidden: Hidden,
}

impl Books {
    /// The books in a log, and what the machine hid from the agent that wrote them.
    pub fn of(log: &[Value], hidden: Hidden) -> Books {
        let lines = log.iter().filter(|line| line["message"] == "books").cloned().collect();
        Books { lines, hidden }
    }

    /// By how many segments the sums may be below the kernel's count although nothing is wrong. These are segments of
    /// hidden events. The socket's next event, or its end, adds most of them to the sums.
    pub fn shortage(&self) -> u64 {
        self.hidden.segments
    }

    /// Events that came while their program was already running on the CPU (`recursion`), and that no other program told
    /// of.
    fn recursions(&self) -> u64 {
        reason(self.receiver(), "unobserved", "kernel/recursion")
    }

    /// Events that the receiver did not observe.
    pub fn unobserved(&self) -> u64 {
        reasons(self.receiver(), "unobserved")
    }

    /// A number of the receiver.
    pub fn received(&self) -> u64 {
        number(self.receiver(), "received")
    }

    /// A number of the ledger of a pipeline and an exporter.
    pub fn exporter(&self, pipeline: &str, exporter: &str, name: &str) -> u64 {
        number(self.ledger(pipeline, Some(exporter)), name)
    }

    /// How many items of a pipeline an exporter dropped.
    pub fn dropped(&self, pipeline: &str, exporter: &str) -> u64 {
        reasons(self.ledger(pipeline, Some(exporter)), "dropped")
    }

    /// The same for one reason.
    pub fn dropped_for(&self, pipeline: &str, exporter: &str, name: &str) -> u64 {
        reason(self.ledger(pipeline, Some(exporter)), "dropped", name)
    }

    /// How many records a pipeline itself dropped.
    pub fn dropped_by_pipeline(&self, pipeline: &str) -> u64 {
        reasons(self.ledger(pipeline, None), "dropped")
    }

    /// Checks that nothing was dropped, rejected or lost.
    pub fn assert_nothing_lost(&self) {
        assert_eq!(self.unobserved(), self.recursions(), "{self:?}");
        for ledger in self.ledgers() {
            assert_eq!(reasons(ledger, "dropped"), 0, "{ledger}");
            assert_eq!(ledger["rejected"].as_u64().unwrap_or(0), 0, "{ledger}");
        }
    }

    /// Checks that each ledger's equation holds, that nothing is in flight any more, and that each ledger accepted what
    /// the one before it passed on.
    pub fn assert_balanced(&self) {
        let receiver = self.receiver();
        let received = self.received();
        assert_eq!(number(receiver, "seen"), received + self.unobserved(), "{receiver}");
        for ledger in self.ledgers() {
            let sum = |names: &[&str]| names.iter().map(|name| number(ledger, name)).sum::<u64>();
            let mut restored = 0;
            let settled = match ledger.get("exporter") {
                Some(_) => {
                    assert_eq!(number(ledger, "queued"), 0, "{ledger}");
                    restored = number(ledger, "restored");
                    sum(&["delivered", "rejected", "stored"])
                }
                None => {
                    // A gap is a record too, but it is no event of the receiver.
                    let accepted = received + number(receiver, "gaps");
                    assert_eq!(number(ledger, "accepted"), accepted, "{ledger} of {receiver}");
                    sum(&["passed", "filtered", "aggregated"])
                }
            };
            assert_eq!(ledger["in_flight"], 0, "{ledger}");
            let came = number(ledger, "accepted") + restored;
            assert_eq!(came, settled + reasons(ledger, "dropped"), "{ledger}");
            if ledger["pipeline"] == "logs" && ledger.get("exporter").is_some() {
                let passed = number(self.ledger("logs", None), "passed");
                assert_eq!(number(ledger, "accepted"), passed, "{ledger}");
            }
        }
        assert!(self.ledgers().count() >= 2, "{self:?}");
    }

    fn receiver(&self) -> &Value {
        let receiver = self.lines.iter().find(|line| line.get("receiver").is_some());
        receiver.unwrap_or_else(|| panic!("no receiver in {self:?}"))
    }

    fn ledgers(&self) -> impl Iterator<Item = &Value> {
        self.lines.iter().filter(|line| line.get("pipeline").is_some())
    }

    fn ledger(&self, pipeline: &str, exporter: Option<&str>) -> &Value {
        let is_it = |line: &&Value| {
            line["pipeline"] == pipeline && line.get("exporter").and_then(Value::as_str) == exporter
        };
        self.ledgers().find(is_it).unwrap_or_else(|| panic!("no {pipeline} {exporter:?} in {self:?}"))
    }
}

fn number(ledger: &Value, name: &str) -> u64 {
    ledger[name].as_u64().unwrap_or_else(|| panic!("no number {name} in {ledger}"))
}

/// The sum over a list of reasons: `queue_full=3 shutdown=4`.
fn reasons(ledger: &Value, name: &str) -> u64 {
    parsed(ledger, name).map(|(_, number)| number).sum()
}

/// The number of one reason in such a list.
fn reason(ledger: &Value, name: &str, reason: &str) -> u64 {
    parsed(ledger, name).filter(|(name, _)| *name == reason).map(|(_, number)| number).sum()
}

fn parsed<'l>(ledger: &'l Value, name: &str) -> impl Iterator<Item = (&'l str, u64)> {
    let list = ledger[name].as_str().unwrap_or_else(|| panic!("no list {name} in {ledger}"));
    let parsed = |reason: &'l str| {
        let (name, value) = reason.split_once('=')?;
        Some((name, value.parse().ok()?))
    };
    list.split_whitespace().map(move |reason| parsed(reason).unwrap_or_else(|| panic!("{reason}")))
}
