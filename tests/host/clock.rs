//! The time of an event is the machine's wall time.

use crate::e2e::agent::{Agent, log};
use crate::e2e::harness::readable_by_all;
use crate::e2e::support::namespace::isolated;
use crate::e2e::traffic::lossy_transfers;

/// In a time namespace the boot time is not that of the kernel. A container that was moved here from another machine is
/// in such a namespace.
pub fn in_a_time_namespace() {
    isolated(|| {
        let another_time = ["unshare", "--time", "--boottime", "1000000"];
        let mut agent = Agent::start_by(&another_time, readable_by_all(""));
        lossy_transfers(4, &[]);
        agent.stop(rustix::process::Signal::TERM);

        let log = log(&agent.0);
        let said = |message: &str| {
            let line = log.iter().find(|line| line["message"] == message).expect(message);
            line["timestamp"].as_str().expect("a timestamp").to_owned()
        };
        let (ready, stopping) = (said("ready"), said("stopping"));
        let printed = agent.0.stdout();
        let events: Vec<_> = printed.lines().filter(|line| line.contains(" -> ")).collect();
        assert!(!events.is_empty());
        for event in events {
            let (time, _) = event.split_once(' ').expect("a time");
            assert!(*ready <= *time && *time <= *stopping, "between {ready} and {stopping}: {event}");
        }
    });
}
