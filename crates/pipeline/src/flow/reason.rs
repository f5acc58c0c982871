//! The kernel's reason for a retransmission, as far as one event shows it.

use super::{HandshakeRole, RetransmitType, TcpFlags};
use crate::raw::{RawEvent, RawKind};

/// `TCP_CA_Recovery` and `TCP_CA_Loss` of `enum tcp_ca_state` (include/uapi/linux/tcp.h).
const CA_RECOVERY: u8 = 3;
const CA_LOSS: u8 = 4;
/// `ICSK_TIME_LOSS_PROBE` (include/net/inet_connection_sock.h).
const TIMER_LOSS_PROBE: u8 = 5;

/// The type of a retransmission and, on a handshake, whose it is.
///
/// From net/ipv4/tcp_timer.c and tcp_output.c, Linux 6.18: `tcp_retransmit_timer` enters Loss before it sends, and the
/// slow start after it stays there; `tcp_send_loss_probe` runs with the probe timer still pending, and only
/// outside Recovery and Loss (`tcp_schedule_loss_probe`); `tcp_xmit_retransmit_queue` sends in Recovery.
pub(super) fn reason(event: &RawEvent) -> (RetransmitType, Option<HandshakeRole>) {
    if event.kind == RawKind::SynAck {
        return (RetransmitType::Handshake, Some(HandshakeRole::Server));
    }
    let flags = TcpFlags(event.tcp_flags);
    if flags.contains(TcpFlags::SYN) {
        // A fast-open server retransmits its SYN-ACK from the child's own queue.
        let role = if flags.contains(TcpFlags::ACK) { HandshakeRole::Server } else { HandshakeRole::Client };
        return (RetransmitType::Handshake, Some(role));
    }
    let kind = match (event.ca_state, event.pending_timer) {
        (CA_LOSS, _) => RetransmitType::Timeout,
        (CA_RECOVERY, _) => RetransmitType::Fast,
        (_, TIMER_LOSS_PROBE) => RetransmitType::TailLossProbe,
        _ => RetransmitType::Unknown,
    };
    (kind, None)
}

#[cfg(test)]
mod tests;
