/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The wire: what the kernel side hands to the reader, and nothing else.
 *
 * Rust sees these types through the skeleton that build.rs generates from the
 * object's BTF; nobody types them again. Fixed-width integers only, largest
 * first, no padding: the assertions below and their twins in
 * crates/source-tcpretrans/src/wire.rs fail the build otherwise.
 */
#ifndef TCPRETRANS_WIRE_H
#define TCPRETRANS_WIRE_H

#include <linux/types.h>

/* Goes up whenever a field changes its place or its meaning: recordings of another version are refused. */
enum wire_version {
	WIRE_VERSION = 1,
};

/* What was sent again; also the number of the program that saw it. */
enum wire_kind {
	KIND_SEGMENT = 0, /* __tcp_retransmit_skb */
	KIND_SYNACK = 1, /* tcp_rtx_synack */
	KINDS = 2,
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

/* wire_event.unknown: what this kernel or this hook could not tell. */
enum wire_unknown {
	UNKNOWN_COOKIE = 1,
	UNKNOWN_CGROUP = 2,
	UNKNOWN_NETNS = 4,
	UNKNOWN_ERR = 8, /* the hook fires for successes only */
	UNKNOWN_TCP_SOCK = 16, /* no tcp_sock: srtt, cwnd, totals are 0 */
	UNKNOWN_TOTAL = 32, /* nothing kept of the socket: segments are the skb's */
};

/* One retransmission. Addresses in network order, ports in host order. */
struct wire_event {
	__u64 boot_time_ns; /* bpf_ktime_get_boot_ns */
	__u64 sequence; /* from 0, by CPU and kind, counted before output */
	__u64 socket_cookie;
	__u64 cgroup_id;
	__u8 local_address[16]; /* IPv4: the first four bytes */
	__u8 peer_address[16];
	__u32 cpu;
	__u32 netns_inode;
	__u32 tcp_sequence;
	__u32 payload_bytes;
	__u32 segments; /* by which RetransSegs moved since the socket's last event */
	__u32 skb_segments; /* of this skb alone */
	__u32 srtt_us;
	__u32 cwnd;
	__u32 mss;
	__u32 total_retransmits;
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
	__u32 reserved;
};

/*
 * Counters of one CPU and kind. The recursion protection of BPF programs lets
 * one program run once at a time on a CPU, so plain additions are exact.
 */
struct wire_counters {
	__u64 events; /* in scope; also the next sequence number */
	__u64 segments; /* by which RetransSegs moved */
	__u64 healed_segments; /* of those, what no event showed when it was sent */
	__u64 ring_full; /* ring buffer: no room */
	__u64 output_failed; /* perf: bpf_perf_event_output said no */
	__u64 reserved[3]; /* one cache line */
};

/* What user space decides before the load; constant for the verifier. */
struct wire_config {
	__u64 scope_cgroup; /* cgroup id, with SCOPE_CGROUP */
	__u32 scope_netns; /* inode, with SCOPE_NETNS */
	__u32 wakeup_events; /* wake the reader every so many events of a CPU */
	__u8 scope; /* enum wire_scope */
	__u8 transport; /* enum wire_transport */
	__u8 has_cookie; /* bpf_get_socket_cookie takes a tracing program's sock */
	__u8 has_socket_storage; /* BPF_MAP_TYPE_SK_STORAGE is for tracing programs too */
	__u32 reserved;
};

_Static_assert(sizeof(struct wire_event) == 128, "wire_event has padding or a new size");
_Static_assert(sizeof(struct wire_counters) == 64, "wire_counters must be one cache line");
_Static_assert(sizeof(struct wire_config) == 24, "wire_config has padding or a new size");

#endif
