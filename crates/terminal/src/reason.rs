//! Why something was sent again, as people read it.

use otel_tcpretrans_pipeline::record::Class;

/// Writes the reason: `timeout`, `handshake(client)`, `timeout(slow_start)`.
pub fn write(out: &mut Vec<u8>, class: Class) {
    out.extend_from_slice(<&str>::from(class.retransmit_type).as_bytes());
    let detail = match class.handshake_role {
        Some(role) => role.into(),
        None if class.slow_start == Some(true) => "slow_start",
        None => return,
    };
    out.push(b'(');
    out.extend_from_slice(detail.as_bytes());
    out.push(b')');
}
