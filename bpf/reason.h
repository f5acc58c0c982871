/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Why the kernel sends a segment again, read off the socket and the skb.
 *
 * Every caller of __tcp_retransmit_skb (net/ipv4/tcp_output.c), in Debian's
 * 5.10, 6.1, 6.12 and 7.2, by what its tracepoint shows: the congestion state,
 * the pending timer, and whether the skb is marked as lost.
 *
 *   caller                                    ca_state   pending     lost
 *   tcp_retransmit_timer                      Loss       none        yes
 *     enters Loss first (tcp_enter_loss); tcp_write_timer_handler has cleared the timer
 *   tcp_send_loss_probe                       any        LOSS_PROBE  no
 *     the probe's timer is cleared after it
 *   tcp_xmit_retransmit_queue                 see below  some        yes
 *     skips what is not marked as lost, and without a timer there is nothing in flight
 *     from tcp_ack (tcp_xmit_recovery),
 *     tcp_rack_reo_timeout, tcp_tsq_write     Recovery, or Loss in the slow start after a timeout
 *     from tcp_simple_retransmit (a smaller
 *     path MTU), and since 5.12 from
 *     tcp_rcv_fastopen_synack                 Loss
 *   tcp_rcv_fastopen_synack before 5.12       Open       some        no
 *
 * tcp_xmit_retransmit_queue itself adds to TCPSlowStartRetrans in Loss and to
 * TCPFastRetrans in any other state; __tcp_retransmit_skb adds to TCPSynRetrans
 * where the segment has a SYN. SYN-ACKs of requests, a fast-open child's too,
 * come by tcp_rtx_synack and its own tracepoint.
 *
 * What can't be told apart:
 *   - a smaller path MTU, a failed MTU probe and, since 5.12, data that came
 *     with a fast-open SYN and was not taken, from the slow start after a
 *     timeout: the kernel counts them as that too;
 *   - what tcp_ld_RTO_revert sends (ICMP unreachable while the timer backs off)
 *     from the slow start: the timer is pending there. The type is `timeout`
 *     for both;
 *   - a zero window's probe by retransmission from the timer's own, though
 *     TCPTimeouts does not count it;
 *   - a tail loss probe of a segment that is marked as lost already, in
 *     Recovery or Loss, from these.
 * Before 5.12 data that came with a fast-open SYN is a tail loss probe where
 * that timer is pending, and unknown otherwise.
 */
#ifndef TCPRETRANS_REASON_H
#define TCPRETRANS_REASON_H

#include "wire.h"

#define TCP_CA_RECOVERY 3 /* enum tcp_ca_state, include/uapi/linux/tcp.h */
#define TCP_CA_LOSS 4
#define ICSK_TIME_LOSS_PROBE 5 /* include/net/inet_connection_sock.h */
#define TCPCB_LOST 0x04 /* include/net/tcp.h */
#define TCP_FLAG_SYN 0x02 /* RFC 9293, section 3.1 */
#define TCP_FLAG_ACK 0x10

/* `sacked` is the skb's, of struct tcp_skb_cb. */
static __always_inline enum wire_reason reason_of(const struct wire_event *event, __u8 sacked)
{
	if (event->tcp_flags & TCP_FLAG_SYN)
		/* With an ACK it answers the other side's SYN, in a simultaneous open. */
		return event->tcp_flags & TCP_FLAG_ACK ? REASON_SYNACK : REASON_SYN;
	if (event->pending_timer == ICSK_TIME_LOSS_PROBE && !(sacked & TCPCB_LOST))
		return REASON_TAIL_LOSS_PROBE;
	if (event->ca_state == TCP_CA_LOSS)
		return event->pending_timer ? REASON_SLOW_START : REASON_TIMEOUT;
	if (event->ca_state == TCP_CA_RECOVERY || sacked & TCPCB_LOST)
		return REASON_FAST;
	return REASON_UNKNOWN;
}

#endif
