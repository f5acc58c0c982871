//! A token in a file that is replaced while the agent runs.

use std::fs;
use std::time::Duration;

use otlp_backend::Backend;
use rustix::process::Signal;

use crate::run::{PROTOCOLS, Run, ended, slow_recording};

#[test]
fn a_token_that_is_replaced_is_used_without_a_restart() {
    for protocol in PROTOCOLS {
        let folder = tempfile::tempdir().unwrap();
        let token = folder.path().join("token");
        fs::write(&token, "first\n").unwrap();
        let records = slow_recording(&folder, 0, 100_000, Duration::from_millis(5));
        let backend = Backend::start();
        let exporter = format!("headers: {{ authorization: 'Bearer ${{file:{}}}' }}", token.display());
        let url = backend.url();
        let mut agent =
            Run { exporter: &exporter, receiver: ", speed: realtime", ..Run::new(&records, protocol, &url) }
                .start();
        agent.0.wait_until("the first token", |_| backend.authorizations() == ["Bearer first"]);
        fs::write(folder.path().join("new"), "second").unwrap();
        fs::rename(folder.path().join("new"), &token).unwrap();
        agent.0.wait_until("the second token", |_| {
            backend.authorizations() == ["Bearer first", "Bearer second"]
        });
        // What can't be read does not take the place of what works.
        fs::remove_file(&token).unwrap();
        agent.wait_until_said("what was there before stays in use");
        let before = backend.requests();
        agent.0.wait_until("more requests", |_| backend.requests() > before + 2);
        assert_eq!(backend.authorizations().len(), 2);
        assert!(!agent.0.stderr().contains("second"), "a token is in the log");
        agent.0.signal(Signal::TERM);
        ended(agent).assert_nothing_lost();
    }
}
