/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The wire: what the kernel side hands to the reader, and nothing else.
 *
 * Rust sees these types through the skeleton that build.rs generates from the
 * object's BTF, so they are defined here alone. Fixed-width integers only, largest
 * first, no padding: the assertions below and their twins in
 * crates/source-tcpretrans/src/wire.rs fail the build otherwise.
 */
#ifndef TCPRETRANS_WIRE_H
#define TCPRETRANS_WIRE_H

#include <linux/types.h>

/* Goes up whenever a field changes its place or its meaning: recordings of another version are refused. */
enum wire_version {
	WIRE_VERSION = 4,
};

/* What was sent again. The number is also the one of the program that saw it. */
enum wire_kind {
	KIND_SEGMENT = 0, /* __tcp_retransmit_skb */
	KIND_SYNACK = 1, /* tcp_rtx_synack */
	KIND_UNSEEN = 2, /* segments that no event showed, found when the socket ended */
	KIND_SEGMENT_INTERRUPTING =
		3, /* as KIND_SEGMENT, where its program was running on that CPU already */
	KIND_UNSEEN_AT_CLOSE = 4, /* as KIND_UNSEEN, found earlier, when the connection ended */
	KINDS = 5,
};

/* Why it was sent again: bpf/reason.h. */
enum wire_reason {
	REASON_UNKNOWN = 0,
	REASON_FAST = 1,
	REASON_TAIL_LOSS_PROBE = 2,
	REASON_TIMEOUT = 3, /* by the timer itself */
	REASON_SLOW_START = 4, /* in the slow start after a timeout */
	REASON_SYN = 5, /* handshake, client */
	REASON_SYNACK = 6, /* handshake, server */
	REASONS = 8, /* a power of two */
};

/* Why an event was not sent, by errno. */
enum wire_loss {
	LOSS_FULL = 0, /* -ENOSPC of perf, -EAGAIN of the ring buffer: no room */
	LOSS_NO_BUFFER = 1, /* -ENOENT: this CPU has no perf buffer */
	LOSS_BUSY = 2, /* -EBUSY: too many nested outputs */
	LOSS_OTHER = 3,
	LOSSES = 4,
};

/* Which sockets are reported. */
enum wire_scope {
	SCOPE_HOST = 0,
	SCOPE_NETNS = 1,
	SCOPE_CGROUP = 2,
};

/* By which map events travel. */
enum wire_transport {
	TRANSPORT_PERF = 0,
	TRANSPORT_RINGBUF = 1,
};

/* What the reader of the ring buffer writes into `wake_at` beside a number of bytes. */
enum wire_wake {
	WAKE_NEVER = 0,
	WAKE_AT_ANY = 1,
};

/* wire_event.unknown: what this kernel or this hook could not tell. */
enum wire_unknown {
	UNKNOWN_COOKIE = 1,
	UNKNOWN_CGROUP = 2,
	UNKNOWN_NETNS = 4,
	UNKNOWN_ERR = 8, /* the hook fires for successes only */
	UNKNOWN_TCP_SOCK = 16, /* no tcp_sock: srtt, cwnd, totals are 0 */
	UNKNOWN_TOTAL = 32, /* nothing kept of the socket: segments are the skb's */
	UNKNOWN_OWNER = 64, /* no owner_pid and no owner_command */
};

/* One retransmission. Addresses in network order, ports in host order. */
struct wire_event {
	__u64 boot_time_ns; /* bpf_ktime_get_boot_ns */
	__u64 sequence; /* from 0, by CPU and kind, counted before output */
	__u64 socket_cookie;
	__u64 cgroup_id;
	__u8 local_address[16]; /* IPv4: the first four bytes */
	__u8 peer_address[16];
	__u8 owner_command[16]; /* comm of that process: up to 15 bytes, then zeros */
	__u32 cpu;
	__u32 netns_inode;
	__u32 owner_pid; /* the process that opened or accepted the socket, in the initial pid namespace */
	__u32 tcp_sequence;
	__u32 payload_bytes;
	__u32 segments; /* by which RetransSegs moved since the socket's last event */
	__u32 skb_segments; /* of this skb alone */
	__u32 srtt_us;
	__u32 cwnd;
	__u32 mss;
	__u32 total_retransmits;
	__u32 segments_sent; /* with data, those sent again included */
	__u32 dsack_dups; /* duplicates of which the peer has told */
	__s32 err;
	__u16 local_port;
	__u16 peer_port;
	__u16 family;
	__u16 tcp_flags;
	__u8 kind; /* enum wire_kind */
	__u8 state;
	__u8 ca_state;
	__u8 pending_timer;
	__u32 unknown; /* enum wire_unknown, or-ed */
	__u8 reason; /* enum wire_reason */
	__u8 ipv6; /* the IP version: 0 for an IPv4-mapped peer too */
	__u8 reserved[6];
};

/* Sums over one IP version and reason. */
struct wire_class {
	__u64 events;
	__u64 segments; /* by which RetransSegs moved */
	__u64 payload_bytes; /* of events that did not fail */
	__u64 failures; /* of the events, those with an error */
};

struct wire_lost {
	__u64 events;
	__u64 segments;
};

#define CLASSES (2 * REASONS)

/*
 * Counters of one CPU and kind. One run of a program counts at a time on a CPU
 * (`busy`), so plain additions are exact. While `events` and `finished` differ,
 * an event is under way. While they are equal and stay so, all numbers are of
 * one moment, and each of the events has been sent or is in `lost`. A reader
 * compares these two and not `busy`: they only grow, so that an event between two
 * readings shows.
 */
struct wire_counters {
	__u64 events; /* in scope; also the next sequence number; counted first */
	__u64 finished; /* of those, what output was tried for; counted last */
	__u64 busy; /* runs of the program that are under way, one inside the other */
	__u64 nested; /* runs that were skipped because another was under way: only before Linux 6.1 */
	__u64 healed_segments; /* of the segments, what no event showed when it was sent */
	struct wire_lost lost[LOSSES];
	struct wire_class classes[CLASSES]; /* ipv6 * REASONS + reason */
};

/* What user space decides before the load; constant for the verifier. */
struct wire_config {
	__u64 scope_cgroup; /* cgroup id, with SCOPE_CGROUP */
	__u32 scope_netns; /* inode, with SCOPE_NETNS */
	__u8 scope; /* enum wire_scope */
	__u8 transport; /* enum wire_transport */
	__u8 has_cookie; /* bpf_get_socket_cookie takes a tracing program's sock */
	__u8 has_socket_storage; /* BPF_MAP_TYPE_SK_STORAGE is for tracing programs too */
	__u8 may_be_preempted; /* a tracepoint leaves preemption enabled */
	__u8 reserved[7];
};

_Static_assert(sizeof(struct wire_event) == 160, "wire_event has padding or a new size");
_Static_assert(sizeof(struct wire_counters) == 616, "wire_counters has padding or a new size");
_Static_assert(sizeof(struct wire_config) == 24, "wire_config has padding or a new size");

#endif
