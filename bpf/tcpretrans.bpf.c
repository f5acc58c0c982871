/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The programs. One set works on BTF-typed tracepoints, and one on classic ones: one of
 * them is loaded. Classic ones know no owner.
 */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#include "kernel.h"
#include "output.h"
#include "preempt.h"
#include "reason.h"
#include "scope.h"
#include "segments.h"

/* include/net/tcp_states.h */
#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT 2
#define TCP_SYN_RECV 3
#define TCP_CLOSE 7
#define TCP_LISTEN 10
#define TCP_NEW_SYN_RECV 12

/* bpf_get_socket_cookie and bpf_perf_event_output are for GPL-compatible programs. */
char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* ::ffff:0:0/96, RFC 4291, section 2.5.5.2 */
static __always_inline int is_ipv4_mapped(const __u32 *address)
{
	return !address[0] && !address[1] && address[2] == bpf_htonl(0xffff);
}

/* Loads by helper: the pointer is a number to the verifier. */
#define LOAD(p, ...) BPF_CORE_READ(p, __VA_ARGS__)
#define BITS(p, field) BPF_CORE_READ_BITFIELD_PROBED(p, field)
#define COPY(to, p, field) bpf_core_read(to, 16, &(p)->field)
#define NAME(name) probed_##name
#include "event.h"
#undef LOAD
#undef BITS
#undef COPY
#undef NAME

/* Direct loads: the pointer's BTF type is known to the verifier. */
#define LOAD_1(p, a) ((p)->a)
#define LOAD_2(p, a, b) ((p)->a->b)
#define LOAD_3(p, a, b, c) ((p)->a->b->c)
#define LOAD_N(_1, _2, _3, name, ...) name
#define LOAD(p, ...) LOAD_N(__VA_ARGS__, LOAD_3, LOAD_2, LOAD_1)(p, __VA_ARGS__)
#define BITS(p, field) BPF_CORE_READ_BITFIELD(p, field)
#define COPY(to, p, field)                                                  \
	do {                                                                \
		for (int i = 0; i < 4; i++)                                 \
			((__u32 *)(to))[i] = (p)->field.in6_u.u6_addr32[i]; \
	} while (0)
#define NAME(name) direct_##name
#include "event.h"
#undef LOAD
#undef BITS
#undef COPY
#undef NAME

static __always_inline int reports_err(void)
{
	return bpf_core_type_exists(struct trace_event_raw_tcp_retransmit_skb___with_err);
}

static __always_inline void direct_cookie(struct wire_event *event, const struct sock *sk)
{
	if (config.has_cookie)
		event->socket_cookie = bpf_get_socket_cookie((void *)sk);
	else
		event->unknown |= UNKNOWN_COOKIE;
}

/* A number only once somebody asked for it: the kernel makes cookies on demand. */
static __always_inline void probed_cookie(struct wire_event *event, const struct sock *sk)
{
	event->socket_cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	if (!event->socket_cookie)
		event->unknown |= UNKNOWN_COOKIE;
}

static __always_inline struct kept *kept_of(const struct sock *sk)
{
	if (config.has_socket_storage)
		return bpf_sk_storage_get(&kept_by_socket, (void *)sk, 0,
					  BPF_SK_STORAGE_GET_F_CREATE);
	return find_or_make_by_address(sk);
}

static __always_inline struct kept *kept_if_any(const struct sock *sk)
{
	if (config.has_socket_storage)
		return bpf_sk_storage_get(&kept_by_socket, (void *)sk, 0, 0);
	return lookup_by_address(sk);
}

/*
 * Tells of an attempt to send a segment again. Where nothing can be kept of the socket,
 * the second program could not know whether the first has told, so that one leaves it to
 * the second.
 */
static __always_inline void tell_segment(__u64 *ctx, enum wire_kind kind)
{
	const struct sock *sk = (void *)ctx[0];
	const struct sk_buff *skb = (void *)ctx[1];
	struct wire_event event = {};
	struct wire_counters *counters;
	struct kept *kept;

	if (reports_err())
		event.err = (int)ctx[2];
	else
		event.unknown |= UNKNOWN_ERR;
	if (!direct_segment(&event, sk, bpf_skc_to_tcp_sock((void *)sk), skb))
		return;
	event.kind = kind;
	kept = kept_of(sk);
	if (!kept && config.has_socket_storage && kind == KIND_SEGMENT)
		return;
	counters = begin_event(&event);
	if (!counters)
		return;
	direct_cookie(&event, sk);
	count_segments(&event, kept, sk);
	end_event(ctx, &event, counters);
	if (kept)
		remember_told(&event, sk);
}

/* TP_PROTO(const struct sock *sk, const struct sk_buff *skb[, int err]), include/trace/events/tcp.h */
SEC("tp_btf/tcp_retransmit_skb")
int btf_retransmit_skb(__u64 *ctx)
{
	preempt_disable();
	tell_segment(ctx, KIND_SEGMENT);
	preempt_enable();
	return 0;
}

/*
 * Tells of what the first program has not: then the socket's total is not the one that
 * is kept. An attempt that failed before the kernel counted it moves no total. Where
 * such an attempt interrupts, nobody tells of it, and the books have it as a recursion.
 */
static __always_inline void tell_segment_if_untold(__u64 *ctx)
{
	struct sock *sk = (void *)ctx[0];
	const struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct kept *kept;

	if (!tp || is_last_told(sk, tp->total_retrans))
		return;
	kept = kept_if_any(sk);
	if (!kept || total_in(kept) != tp->total_retrans)
		tell_segment(ctx, KIND_SEGMENT_INTERRUPTING);
}

/*
 * The same hit again, after btf_retransmit_skb. A program is skipped while it runs on
 * the same CPU, and a softirq may interrupt it and send something again. But of two
 * programs only one runs at a time, and so one of them sees each hit. Not loaded
 * without socket storage.
 */
SEC("tp_btf/tcp_retransmit_skb")
int btf_retransmit_skb_interrupting(__u64 *ctx)
{
	preempt_disable();
	tell_segment_if_untold(ctx);
	preempt_enable();
	return 0;
}

static __always_inline void tell_synack(__u64 *ctx)
{
	const struct sock *sk = (void *)ctx[0];
	const struct request_sock *req = (void *)ctx[1];
	struct wire_event event = {};
	struct wire_counters *counters;

	event.unknown |= UNKNOWN_ERR | UNKNOWN_COOKIE;
	if (!direct_synack(&event, sk, req))
		return;
	counters = begin_event(&event);
	if (!counters)
		return;
	synack_counted(&event, kept_if_any(sk));
	show_tagged(&event, tag_of(sk));
	end_event(ctx, &event, counters);
}

/* TP_PROTO(const struct sock *sk, const struct request_sock *req); fires on success only. */
SEC("tp_btf/tcp_retransmit_synack")
int btf_retransmit_synack(__u64 *ctx)
{
	preempt_disable();
	tell_synack(ctx);
	preempt_enable();
	return 0;
}

/*
 * Tells what no event has shown of a socket that sends nothing any more. When the
 * connection ends, it tells only if it can keep that it did: the socket's end comes after.
 */
static __always_inline void tell_unseen(__u64 *ctx, struct sock *sk, const struct tcp_sock *tp,
					enum wire_kind kind)
{
	struct wire_event event = {};
	struct wire_counters *counters;
	struct kept *kept;
	struct tag *tag;

	if (!direct_unseen(&event, sk, tp))
		return;
	event.kind = kind;
	kept = kind == KIND_UNSEEN_AT_CLOSE ? kept_of(sk) : kept_if_any(sk);
	if (!kept && kind == KIND_UNSEEN_AT_CLOSE)
		return;
	tag = tag_of(sk);
	show_tagged(&event, tag);
	event.segments = unseen_segments(kept, tag, ports_of(&event), tp->total_retrans);
	if (!event.segments)
		return;
	counters = begin_event(&event);
	if (!counters)
		return;
	direct_cookie(&event, sk);
	end_event(ctx, &event, counters);
	if (kept)
		store_kept(kept, ports_of(&event), tp->total_retrans);
}

/*
 * TP_PROTO(struct sock *sk); most sockets that end never sent anything again. With
 * socket storage, btf_set_state has told already, unless it was skipped.
 */
SEC("tp_btf/tcp_destroy_sock")
int btf_destroy_sock(__u64 *ctx)
{
	struct sock *sk = (void *)ctx[0];
	const struct tcp_sock *tp;

	preempt_disable();
	tp = bpf_skc_to_tcp_sock(sk);
	if (tp && tp->total_retrans)
		tell_unseen(ctx, sk, tp, KIND_UNSEEN);
	preempt_enable();
	return 0;
}

/* A socket that connects or listens, by the current task. */
static __always_inline void tag_opened(struct sock *sk, const struct tcp_sock *tp, int listens)
{
	struct tag made = { .born_with = listens ? BORN_UNKNOWN : tp->total_retrans };
	struct kept *kept;
	struct tag *tag;

	set_owner(&made.owner, bpf_get_current_task_btf());
	tag = bpf_sk_storage_get(&tags, sk, &made, BPF_SK_STORAGE_GET_F_CREATE);
	if (tag)
		*tag = made;
	/* Left from a connection that this socket had before. */
	kept = kept_if_any(sk);
	if (kept) {
		kept->ports_and_total = 0;
		kept->owner.pid = 0;
	}
}

/* A child that is born. It may have its listener's tag, and so its owner. */
static __always_inline void tag_child(struct sock *sk, const struct tcp_sock *tp)
{
	struct tag made = { .born_with = tp->total_retrans };
	struct tag *tag = bpf_sk_storage_get(&tags, sk, &made, BPF_SK_STORAGE_GET_F_CREATE);

	if (tag && tag->born_with == BORN_UNKNOWN)
		tag->born_with = made.born_with;
}

static __always_inline void tag_or_tell(__u64 *ctx, struct sock *sk, int to)
{
	const struct tcp_sock *tp = tcp_sock_of(sk);

	if (!tp)
		return;
	if (to == TCP_CLOSE) {
		if (tp->total_retrans)
			tell_unseen(ctx, sk, tp, KIND_UNSEEN_AT_CLOSE);
	} else if (direct_in_scope(sk)) {
		if (to == TCP_ESTABLISHED)
			tag_child(sk, tp);
		else
			tag_opened(sk, tp, to == TCP_LISTEN);
	}
}

/*
 * TP_PROTO(const struct sock *sk, const int oldstate, const int newstate), include/trace/events/sock.h.
 * The socket's lock is held. Only connect() and listen() of the current task set
 * TCP_SYN_SENT and TCP_LISTEN. tcp_disconnect() sets TCP_CLOSE before it clears the total.
 */
SEC("tp_btf/inet_sock_set_state")
int btf_set_state(__u64 *ctx)
{
	int from = (int)ctx[1], to = (int)ctx[2];

	preempt_disable();
	if (to == TCP_SYN_SENT || to == TCP_LISTEN || to == TCP_CLOSE ||
	    (to == TCP_ESTABLISHED && from == TCP_SYN_RECV))
		tag_or_tell(ctx, (void *)ctx[0], to);
	preempt_enable();
	return 0;
}

/*
 * security_sock_graft(struct sock *sk, struct socket *parent), security/security.c: accept() gives the
 * child `sk` its file. The socket's lock is held. Where processes share a listener, this
 * is the one that has the connection. Not loaded where the kernel lacks this function.
 */
SEC("fentry/security_sock_graft")
int btf_accept(__u64 *ctx)
{
	struct sock *sk = (void *)ctx[0];
	struct kept *kept;
	struct tag *tag;

	if (!tcp_sock_of(sk) || !direct_in_scope(sk))
		return 0;
	tag = tag_of(sk);
	if (tag)
		set_owner(&tag->owner, bpf_get_current_task_btf());
	kept = kept_if_any(sk);
	if (kept)
		kept->owner.pid = 0;
	return 0;
}

/*
 * Tags the sockets that exist already, once, when the other programs are attached: an
 * event may have been told of before, but its total is kept then, and that counts.
 * Whoever has the socket and the lowest process id is its owner.
 */
SEC("iter/task_file")
int btf_tag_files(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct tag made = { .born_with = BORN_UNKNOWN };
	const struct tcp_sock *tp;
	struct socket *socket;
	struct sock *sk;

	if (!task || !file)
		return 0;
	socket = bpf_sock_from_file(file);
	sk = socket ? socket->sk : 0;
	if (!sk)
		return 0;
	tp = tcp_sock_of(sk);
	if (!tp || !direct_in_scope(sk))
		return 0;
	if (sk->__sk_common.skc_state != TCP_LISTEN)
		made.born_with = tp->total_retrans;
	set_owner(&made.owner, task);
	bpf_sk_storage_get(&tags, sk, &made, BPF_SK_STORAGE_GET_F_CREATE);
	return 0;
}

SEC("tracepoint/tcp/tcp_retransmit_skb")
int classic_retransmit_skb(void *ctx)
{
	const struct sock *sk;
	const struct sk_buff *skb;
	struct wire_event event = {};
	struct wire_counters *counters;

	if (reports_err()) {
		struct trace_event_raw_tcp_retransmit_skb___with_err *record = ctx;

		sk = record->skaddr;
		skb = record->skbaddr;
		event.err = record->err;
	} else {
		struct trace_event_raw_tcp_event_sk_skb___success_only *record = ctx;

		sk = record->skaddr;
		skb = record->skbaddr;
		event.unknown |= UNKNOWN_ERR;
	}
	if (!probed_segment(&event, sk, (const void *)sk, skb))
		return 0;
	counters = begin_event(&event);
	if (!counters)
		return 0;
	probed_cookie(&event, sk);
	count_segments(&event, find_or_make_by_address(sk), sk);
	end_event(ctx, &event, counters);
	return 0;
}

SEC("tracepoint/tcp/tcp_retransmit_synack")
int classic_retransmit_synack(void *ctx)
{
	struct trace_event_raw_tcp_retransmit_synack *record = ctx;
	const struct sock *sk = record->skaddr;
	struct wire_event event = {};
	struct wire_counters *counters;

	event.unknown |= UNKNOWN_ERR | UNKNOWN_COOKIE;
	if (!probed_synack(&event, sk, record->req))
		return 0;
	counters = begin_event(&event);
	if (!counters)
		return 0;
	synack_counted(&event, lookup_by_address(sk));
	event.unknown |= UNKNOWN_OWNER;
	end_event(ctx, &event, counters);
	return 0;
}

SEC("tracepoint/tcp/tcp_destroy_sock")
int classic_destroy_sock(void *ctx)
{
	struct trace_event_raw_tcp_event_sk *record = ctx;
	const struct sock *sk = record->skaddr;
	const struct tcp_sock *tp = (const void *)sk;
	__u32 total = BPF_CORE_READ(tp, total_retrans);
	struct wire_event event = {};
	struct wire_counters *counters;

	if (!total)
		return 0;
	if (!probed_unseen(&event, sk, tp))
		return 0;
	event.unknown |= UNKNOWN_OWNER;
	event.segments = unseen_segments(lookup_by_address(sk), 0, ports_of(&event), total);
	if (!event.segments)
		return 0;
	counters = begin_event(&event);
	if (!counters)
		return 0;
	probed_cookie(&event, sk);
	end_event(ctx, &event, counters);
	return 0;
}
