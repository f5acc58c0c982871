/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The kernel's types, as far as we read them. CO-RE relocates every field by
 * name on the running kernel, so order and size here mean nothing; a field of
 * another width (tcp_flags was u8 before Linux 6.17) is relocated by size too.
 */
#ifndef TCPRETRANS_KERNEL_H
#define TCPRETRANS_KERNEL_H

#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* include/linux/ns_common.h, include/net/net_namespace.h */
struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

/* include/linux/kernfs.h, include/linux/cgroup-defs.h */
struct kernfs_node {
	__u64 id;
};

struct cgroup;

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
};

struct sock_cgroup_data {
	struct cgroup *cgroup;
};

/* The same pointer. With one of its two lowest bits set it is something else. */
struct sock_cgroup_data___before_5_15 {
	__u64 val;
};

/* include/net/sock.h */
struct in6_addr {
	union {
		__be32 u6_addr32[4];
	} in6_u;
};

typedef struct {
	__s64 counter;
} atomic64_t;

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	atomic64_t skc_cookie;
};

struct sock {
	struct sock_common __sk_common;
	struct sock_cgroup_data sk_cgrp_data;
	__u16 sk_type;
};

struct request_sock {
	struct sock_common __req_common;
	__u16 mss;
};

/* include/net/inet_sock.h, include/net/inet_connection_sock.h, include/linux/tcp.h */
struct inet_sock {
	__be16 inet_sport;
};

struct inet_connection_sock {
	struct inet_sock icsk_inet;
	__u8 icsk_pending;
	__u8 icsk_ca_state : 5;
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u32 srtt_us;
	__u32 snd_cwnd;
	__u32 mss_cache;
	__u32 total_retrans;
	__u32 data_segs_out;
	__u32 dsack_dups;
};

/* include/linux/skbuff.h, include/net/tcp.h */
struct sk_buff {
	unsigned int len;
	char cb[48];
};

struct tcp_skb_cb {
	__u32 seq;
	__u16 tcp_gso_segs;
	__u16 tcp_flags;
	__u8 sacked;
};

/* include/linux/net.h, include/linux/sched.h */
struct socket {
	struct sock *sk;
};

struct task_struct {
	unsigned int flags;
	int tgid;
	struct task_struct *group_leader;
	char comm[16];
};

/* kernel/bpf/task_iter.c */
struct bpf_iter__task_file {
	struct task_struct *task;
	struct file *file;
};

/*
 * The tracepoint's record. Since Linux 6.17 (and its backports: test the type,
 * never the version) it is a type of its own with `err`, and the tracepoint's
 * third argument is `err` too.
 */
struct trace_event_raw_tcp_event_sk_skb___success_only {
	const void *skbaddr;
	const void *skaddr;
};

struct trace_event_raw_tcp_retransmit_skb___with_err {
	const void *skbaddr;
	const void *skaddr;
	int err;
};

struct trace_event_raw_tcp_event_sk {
	const void *skaddr;
};

struct trace_event_raw_tcp_retransmit_synack {
	const void *skaddr;
	const void *req;
};

#pragma clang attribute pop

#endif
