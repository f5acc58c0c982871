/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Socket and skb -> event.
 *
 * This file is included twice, once for each way to read the kernel's memory:
 *
 *   LOAD(pointer, field, ...)  the value; more fields follow pointers
 *   BITS(pointer, field)       the same of a bit field
 *   NAME(name)                 the functions' names
 *
 * BTF-typed programs load directly, which the verifier turns into plain loads;
 * classic tracepoints have untyped pointers and need one helper call per load.
 */

/* What any socket, full or request, has in its first part. */
static __always_inline void NAME(fill_common)(struct wire_event *event,
					      const struct sock_common *common)
{
	event->boot_time_ns = bpf_ktime_get_boot_ns();
	event->family = LOAD(common, skc_family);
	event->local_port = LOAD(common, skc_num);
	event->peer_port = bpf_ntohs(LOAD(common, skc_dport));
	if (event->family == AF_INET6) {
		COPY(event->local_address, common, skc_v6_rcv_saddr);
		COPY(event->peer_address, common, skc_v6_daddr);
		event->ipv6 = !is_ipv4_mapped((const __u32 *)event->peer_address);
	} else {
		*(__u32 *)event->local_address = LOAD(common, skc_rcv_saddr);
		*(__u32 *)event->peer_address = LOAD(common, skc_daddr);
	}
}

/* Where the socket is: network namespace and cgroup. */
static __always_inline void NAME(fill_namespaces)(struct wire_event *event, const struct sock *sk)
{
	event->netns_inode = LOAD(sk, __sk_common.skc_net.net, ns.inum);
	if (!event->netns_inode)
		event->unknown |= UNKNOWN_NETNS;
	if (bpf_core_field_exists(sk->sk_cgrp_data.cgroup))
		event->cgroup_id = LOAD(sk, sk_cgrp_data.cgroup, kn, id);
	else
		event->cgroup_id = BPF_CORE_READ(tagged_cgroup(sk), kn, id);
	if (!event->cgroup_id)
		event->unknown |= UNKNOWN_CGROUP;
}

/* Whether this is the scope's cgroup or one below it. The cgroup of a cgroup's own state is itself. */
static __always_inline int NAME(cgroup_in_scope)(const struct cgroup *cgroup)
{
	for (int i = 0; i < CGROUP_LEVELS && cgroup; i++) {
		const struct cgroup_subsys_state *parent;

		if (LOAD(cgroup, kn, id) == config.scope_cgroup)
			return 1;
		parent = LOAD(cgroup, self.parent);
		if (!parent)
			break;
		cgroup = LOAD(parent, cgroup);
	}
	return 0;
}

/* `sk` owns the traffic: the socket itself, or the listener of a request. */
static __always_inline int NAME(in_scope)(const struct sock *sk)
{
	switch (config.scope) {
	case SCOPE_NETNS:
		return LOAD(sk, __sk_common.skc_net.net, ns.inum) == config.scope_netns;
	case SCOPE_CGROUP:
		if (!bpf_core_field_exists(sk->sk_cgrp_data.cgroup))
			return probed_cgroup_in_scope(tagged_cgroup(sk));
		return NAME(cgroup_in_scope)(LOAD(sk, sk_cgrp_data.cgroup));
	default:
		return 1;
	}
}

static __always_inline void NAME(fill_tcp)(struct wire_event *event, const struct tcp_sock *tp)
{
	event->ca_state = BITS(tp, inet_conn.icsk_ca_state);
	event->pending_timer = LOAD(tp, inet_conn.icsk_pending);
	event->srtt_us = LOAD(tp, srtt_us) >> 3; /* kept times eight */
	event->cwnd = LOAD(tp, snd_cwnd);
	event->mss = LOAD(tp, mss_cache);
	event->total_retransmits = LOAD(tp, total_retrans);
	event->segments_sent = LOAD(tp, data_segs_out);
	event->dsack_dups = LOAD(tp, dsack_dups);
}

static __always_inline void NAME(fill_skb)(struct wire_event *event, const struct sk_buff *skb)
{
	const struct tcp_skb_cb *cb = (const void *)skb->cb;

	event->tcp_sequence = LOAD(cb, seq);
	event->tcp_flags = LOAD(cb, tcp_flags);
	event->skb_segments = LOAD(cb, tcp_gso_segs);
	if (!event->skb_segments)
		event->skb_segments = 1;
	event->payload_bytes = LOAD(skb, len); /* headers are on the clone that is sent */
}

/*
 * A segment of the retransmit queue; `tp` is sk as a tcp_sock. event->err is set
 * before. Nonzero: report it, with the segments that the skb shows.
 */
static __always_inline int NAME(segment)(struct wire_event *event, const struct sock *sk,
					 const struct tcp_sock *tp, const struct sk_buff *skb)
{
	__u8 sacked;

	if (!NAME(in_scope)(sk))
		return 0;
	NAME(fill_namespaces)(event, sk);
	NAME(fill_common)(event, &sk->__sk_common);
	event->kind = KIND_SEGMENT;
	event->state = LOAD(sk, __sk_common.skc_state);
	if (tp)
		NAME(fill_tcp)(event, tp);
	else
		event->unknown |= UNKNOWN_TCP_SOCK;
	NAME(fill_skb)(event, skb);
	sacked = LOAD((const struct tcp_skb_cb *)skb->cb, sacked);
	event->reason = reason_of(event, sacked);
	event->segments = was_counted(event, sacked) ? event->skb_segments : 0;
	return 1;
}

/* The SYN-ACK of a request to the listener `sk`. Nonzero: report it. */
static __always_inline int NAME(synack)(struct wire_event *event, const struct sock *sk,
					const struct request_sock *req)
{
	if (!NAME(in_scope)(sk))
		return 0;
	NAME(fill_namespaces)(event, sk);
	NAME(fill_common)(event, &req->__req_common);
	event->kind = KIND_SYNACK;
	event->state = TCP_NEW_SYN_RECV;
	event->tcp_flags = TCP_FLAG_SYN | TCP_FLAG_ACK;
	event->reason = REASON_SYNACK;
	event->segments = 1;
	event->skb_segments = 1;
	event->mss = LOAD(req, mss);
	event->unknown |= UNKNOWN_TCP_SOCK;
	return 1;
}

/* A socket that ends. Its local port is no longer in skc_num, where other sockets have it. Nonzero: report it. */
static __always_inline int NAME(unseen)(struct wire_event *event, const struct sock *sk,
					const struct tcp_sock *tp)
{
	if (!NAME(in_scope)(sk))
		return 0;
	NAME(fill_namespaces)(event, sk);
	NAME(fill_common)(event, &sk->__sk_common);
	event->kind = KIND_UNSEEN;
	event->state = LOAD(sk, __sk_common.skc_state);
	event->local_port = bpf_ntohs(LOAD(tp, inet_conn.icsk_inet.inet_sport));
	NAME(fill_tcp)(event, tp);
	event->unknown |= UNKNOWN_ERR;
	return 1;
}
