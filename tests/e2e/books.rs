//! The agent's books as its log shows them at the end.

use serde_json::Value;

/// One line a ledger.
#[derive(Debug)]
pub struct Books(Vec<Value>);

impl Books {
    /// The books in a log.
    pub fn of(log: &[Value]) -> Books {
        Books(log.iter().filter(|line| line["message"] == "books").cloned().collect())
    }

    /// Events that the receiver did not observe.
    pub fn unobserved(&self) -> u64 {
        reasons(self.receiver(), "unobserved")
    }

    /// A number of the receiver.
    pub fn received(&self) -> u64 {
        number(self.receiver(), "received")
    }

    /// A number of a pipeline's exporter.
    pub fn exporter(&self, pipeline: &str, exporter: &str, name: &str) -> u64 {
        number(self.ledger(pipeline, Some(exporter)), name)
    }

    /// What a pipeline's exporter dropped.
    pub fn dropped(&self, pipeline: &str, exporter: &str) -> u64 {
        reasons(self.ledger(pipeline, Some(exporter)), "dropped")
    }

    /// What a pipeline itself dropped.
    pub fn dropped_by_pipeline(&self, pipeline: &str) -> u64 {
        reasons(self.ledger(pipeline, None), "dropped")
    }

    /// Nothing was dropped anywhere, rejected or lost.
    pub fn assert_nothing_lost(&self) {
        assert_eq!(self.unobserved(), 0, "{self:?}");
        for ledger in self.ledgers() {
            assert_eq!(reasons(ledger, "dropped"), 0, "{ledger}");
            assert_eq!(ledger["rejected"].as_u64().unwrap_or(0), 0, "{ledger}");
        }
    }

    /// Each ledger's equation holds, nothing is on its way any more, and what one hands on the next one takes over.
    pub fn assert_balanced(&self) {
        let receiver = self.receiver();
        let received = self.received();
        assert_eq!(number(receiver, "seen"), received + self.unobserved(), "{receiver}");
        for ledger in self.ledgers() {
            let sum = |names: &[&str]| names.iter().map(|name| number(ledger, name)).sum::<u64>();
            let settled = match ledger.get("exporter") {
                Some(_) => {
                    assert_eq!(number(ledger, "queued"), 0, "{ledger}");
                    sum(&["delivered", "rejected"])
                }
                None => {
                    // A gap is a record too, and no event of the receiver.
                    let gaps = ["gap_events", "gap_segments"].iter().any(|name| number(receiver, name) > 0);
                    let accepted = number(ledger, "accepted");
                    assert!(accepted == received || gaps && accepted > received, "{ledger} of {receiver}");
                    sum(&["passed", "filtered", "aggregated"])
                }
            };
            assert_eq!(ledger["in_flight"], 0, "{ledger}");
            assert_eq!(number(ledger, "accepted"), settled + reasons(ledger, "dropped"), "{ledger}");
            if ledger["pipeline"] == "logs" && ledger.get("exporter").is_some() {
                let passed = number(self.ledger("logs", None), "passed");
                assert_eq!(number(ledger, "accepted"), passed, "{ledger}");
            }
        }
        assert!(self.ledgers().count() >= 2, "{self:?}");
    }

    fn receiver(&self) -> &Value {
        let receiver = self.0.iter().find(|line| line.get("receiver").is_some());
        receiver.unwrap_or_else(|| panic!("no receiver in {self:?}"))
    }

    fn ledgers(&self) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(|line| line.get("pipeline").is_some())
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
    let list = ledger[name].as_str().unwrap_or_else(|| panic!("no list {name} in {ledger}"));
    let value = |reason: &str| reason.split_once('=').and_then(|(_, value)| value.parse::<u64>().ok());
    list.split_whitespace().map(|reason| value(reason).unwrap_or_else(|| panic!("{reason}"))).sum()
}
