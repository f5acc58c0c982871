//! The watchdog: a reader that does not read any more is not taken for one that has nothing to read.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use crate::e2e::agent::Agent;
use crate::e2e::harness::readable_by_all;
use crate::e2e::notified::{Frozen, messages_within, wait_for_message};
use crate::e2e::support::namespace::isolated;
use crate::e2e::traffic::lossy_transfers;

/// The unit's time is longer; this one keeps the test short.
const WATCHDOG: Duration = Duration::from_secs(3);

pub fn is_not_fed_while_the_reader_hangs() {
    isolated(|| {
        let folder = readable_by_all("");
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).expect("a socket");
        let socket = format!("NOTIFY_SOCKET={}", path.display());
        let watchdog = format!("WATCHDOG_USEC={}", WATCHDOG.as_micros());
        let mut agent = Agent::start_by(&["env", &socket, &watchdog], folder);
        wait_for_message(&manager, "WATCHDOG=1");

        // Idle, it is fed, though the reader gets nothing done.
        let frozen = Frozen::threads(agent.0.pid(), "tcpretrans");
        assert!(messages_within(&manager, WATCHDOG).contains(&"WATCHDOG=1".to_owned()));
        lossy_transfers(4, &[]);
        agent.wait_until_said("hangs");
        assert!(!messages_within(&manager, WATCHDOG).contains(&"WATCHDOG=1".to_owned()));
        drop(frozen);
        wait_for_message(&manager, "WATCHDOG=1");
        agent.finish();
    });
}
