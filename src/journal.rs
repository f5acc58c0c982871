//! The journal: where stderr leads there, messages are written to it with their fields and priorities.

use std::fs;
use std::os::unix::fs::MetadataExt;

use tracing_journald::{Layer, Priority, PriorityMappings};

/// What the names of fields begin with.
const PREFIX: &str = "OTEL_TCPRETRANS";

/// Writes to the journal; `None` if stderr does not lead there, or if the journal can't be reached.
pub(crate) fn layer() -> Option<Layer> {
    let stderr = fs::metadata("/proc/self/fd/2").ok()?;
    if !leads_there(&std::env::var("JOURNAL_STREAM").ok()?, stderr.dev(), stderr.ino()) {
        return None; // somebody has sent it elsewhere
    }
    // As syslog names them. The crate would take `info` for a notice.
    let priorities = PriorityMappings {
        error: Priority::Error,
        warn: Priority::Warning,
        info: Priority::Informational,
        debug: Priority::Debug,
        trace: Priority::Debug,
    };
    let layer = Layer::new().ok()?;
    Some(layer.with_field_prefix(Some(PREFIX.to_owned())).with_priority_mappings(priorities))
}

/// Whether `JOURNAL_STREAM`, `device:inode`, is this file (systemd.exec(5)).
fn leads_there(stream: &str, device: u64, inode: u64) -> bool {
    stream
        .split_once(':')
        .is_some_and(|(of_device, of_inode)| of_device.parse() == Ok(device) && of_inode.parse() == Ok(inode))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_stream_itself_is_the_journal() {
        assert!(leads_there("9:316393", 9, 316393));
        for other in ["9:316394", "8:316393", "9", "", "a:b"] {
            assert!(!leads_there(other, 9, 316393), "{other}");
        }
    }
}
