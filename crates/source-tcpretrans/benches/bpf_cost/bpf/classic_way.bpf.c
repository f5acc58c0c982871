/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The usual design, as in Retina's tcpretrans plugin: classic tracepoint, a
 * helper call for each field that is read, one perf sample and one wakeup an
 * event. It carries less than our own programs do, and counts nothing.
 */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#define AF_INET 2 /* include/linux/socket.h */
#define TCP_FLAGS_OFFSET 13 /* of the byte in the header, RFC 9293, section 3.1 */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct in6_addr {
	__u8 u6_addr8[16];
};

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	unsigned char skc_state;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct sock {
	struct sock_common __sk_common;
};

struct sk_buff {
	unsigned char *head;
	__u16 transport_header;
};

#pragma clang attribute pop

struct event {
	__u64 boot_time_ns;
	__u8 local_address[16];
	__u8 peer_address[16];
	__u32 state;
	__u16 local_port;
	__u16 peer_port;
	__u16 family;
	__u8 tcp_flags;
	__u8 padding;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} events SEC(".maps");

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* The tracepoint's record begins so on every kernel: /sys/kernel/tracing/events/tcp/tcp_retransmit_skb/format. */
struct record {
	__u64 common;
	const struct sk_buff *skb;
	const struct sock *sk;
};

SEC("tracepoint/tcp/tcp_retransmit_skb")
int plain_retransmit_skb(struct record *record)
{
	const struct sock *sk = record->sk;
	const struct sk_buff *skb = record->skb;
	struct event event = {};
	unsigned char *head = BPF_CORE_READ(skb, head);
	__u16 header = BPF_CORE_READ(skb, transport_header);

	event.boot_time_ns = bpf_ktime_get_boot_ns();
	event.family = BPF_CORE_READ(sk, __sk_common.skc_family);
	event.state = BPF_CORE_READ(sk, __sk_common.skc_state);
	event.local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
	event.peer_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	bpf_probe_read_kernel(&event.tcp_flags, 1, head + header + TCP_FLAGS_OFFSET);
	if (event.family == AF_INET) {
		BPF_CORE_READ_INTO((__u32 *)event.local_address, sk, __sk_common.skc_rcv_saddr);
		BPF_CORE_READ_INTO((__u32 *)event.peer_address, sk, __sk_common.skc_daddr);
	} else {
		BPF_CORE_READ_INTO(&event.local_address, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&event.peer_address, sk, __sk_common.skc_v6_daddr);
	}
	bpf_perf_event_output(record, &events, BPF_F_CURRENT_CPU, &event, sizeof(event));
	return 0;
}
