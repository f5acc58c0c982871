/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Exact segments: by how many the kernel's own count moved.
 *
 * A socket's total_retrans moves with RetransSegs, always together
 * (__tcp_retransmit_skb and tcp_rtx_synack, net/ipv4/tcp_output.c), so its
 * difference to the value kept here is right where the skb is not: for
 * attempts that fail after the kernel counted them, and for events that were
 * not seen, which the socket's next one makes good, or its end
 * (tcp_v4_destroy_sock, net/ipv4/tcp_ipv4.c). Before the socket's first event
 * the value is the one that its tag has from its birth (owner.h).
 */
#ifndef TCPRETRANS_SEGMENTS_H
#define TCPRETRANS_SEGMENTS_H

#include "config.h"
#include "owner.h"

#define TCPCB_EVER_RETRANS 0x80 /* include/net/tcp.h */

/*
 * Kept of a socket, 0 at first: its ports, which tell whether it is that socket,
 * and its total. It is one word, read and written at once, because the LRU map
 * may give an entry to another socket while a program on another CPU holds its
 * pointer. Then one of the two sockets finds the other's ports, and counts as at
 * first sight; it never finds its own ports beside the other's total.
 */
struct kept {
	__u64 ports_and_total;
	/* A copy of the tag's, which spares an event the look at the tag. In kept_by_socket alone. */
	struct owner owner;
};

/* Lives and dies with the socket. For programs whose socket pointer is typed, since Linux 5.11. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct kept);
} kept_by_socket SEC(".maps");

/* For the others, by the socket's address. The least used entries are forgotten. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct kept);
} kept_by_address SEC(".maps");

static __always_inline struct kept *lookup_by_address(const void *sk)
{
	__u64 address = (__u64)sk;

	return bpf_map_lookup_elem(&kept_by_address, &address);
}

static __always_inline struct kept *find_or_make_by_address(const void *sk)
{
	struct kept *kept = lookup_by_address(sk);
	__u64 address = (__u64)sk;
	struct kept none = {};

	if (kept)
		return kept;
	bpf_map_update_elem(&kept_by_address, &address, &none, BPF_NOEXIST);
	return lookup_by_address(sk);
}

/*
 * What was told of last on each CPU. It spares the second program of a hit a look into
 * the socket's storage, which is dear.
 */
struct told {
	__u64 socket;
	__u64 total;
};

/* Sized before the load: one entry per CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct told);
} last_told SEC(".maps");

static __always_inline void remember_told(const struct wire_event *event, const struct sock *sk)
{
	__u32 cpu = event->cpu;
	struct told *told = bpf_map_lookup_elem(&last_told, &cpu);

	if (told) {
		told->socket = (__u64)sk;
		told->total = event->total_retransmits;
	}
}

/* Right also where the entry is old: what was told of this socket is told. */
static __always_inline int is_last_told(const struct sock *sk, __u32 total)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct told *told = bpf_map_lookup_elem(&last_told, &cpu);

	return told && told->socket == (__u64)sk && told->total == total;
}

/* Is it this socket's? Then `total` is what was kept. */
static __always_inline int load_kept(const struct kept *kept, __u32 ports, __u32 *total)
{
	__u64 word = LOAD_ONCE(kept->ports_and_total);

	*total = word;
	return word >> 32 == ports;
}

static __always_inline __u32 total_in(const struct kept *kept)
{
	return LOAD_ONCE(kept->ports_and_total);
}

static __always_inline void store_kept(struct kept *kept, __u32 ports, __u32 total)
{
	STORE_ONCE(kept->ports_and_total, (__u64)ports << 32 | total);
}

static __always_inline __u32 ports_of(const struct wire_event *event)
{
	return (__u32)event->local_port << 16 | event->peer_port;
}

/*
 * Errors that __tcp_retransmit_skb gives before it counts: the skb is still in
 * the host's queue, the window shrank, there is no route, the skb is acknowledged.
 * ENOMEM is nearly always one of them too (the skb can't be trimmed, split or
 * unshared), and seldom the device's, after the count.
 */
static __always_inline int fails_before_count(__s32 err)
{
	return err == -EBUSY || err == -EAGAIN || err == -EHOSTUNREACH || err == -EINVAL ||
	       err == -ENOMEM;
}

/*
 * Whether the kernel counted this attempt. It counts before it transmits, and
 * what fails after that is marked as sent again all the same. The mark alone is
 * not enough: it may be left from an earlier attempt. A failed attempt that was
 * counted and is not recognised here is one that ended with an error of the above.
 */
static __always_inline int was_counted(const struct wire_event *event, __u8 sacked)
{
	return !event->err || (sacked & TCPCB_EVER_RETRANS && !fails_before_count(event->err));
}

/* Whether the socket was tagged early enough to know its total before its first event. */
static __always_inline int load_born(const struct tag *tag, __u32 *total)
{
	*total = tag ? tag->born_with : BORN_UNKNOWN;
	return *total != BORN_UNKNOWN;
}

/*
 * Sets event->segments by what is kept, or else by the tag, and the owner. Without both
 * the segments stay what the skb shows. The socket's lock is held: nobody else has its
 * `kept`.
 */
static __always_inline void count_segments(struct wire_event *event, struct kept *kept,
					   const struct sock *sk)
{
	__u32 total = event->total_retransmits;
	__u32 moved_at_least = event->err ? 0 : event->skb_segments;
	__u32 before;
	int is_known;

	if (!kept) {
		event->unknown |= UNKNOWN_TOTAL;
		show_tagged(event, tag_of(sk));
		return;
	}
	is_known = load_kept(kept, ports_of(event), &before);
	if (!is_known || !kept->owner.pid) {
		const struct tag *tag = tag_of(sk);

		if (!is_known)
			is_known = load_born(tag, &before);
		if (tag)
			kept->owner = tag->owner;
	}
	show_owner(event, &kept->owner);
	/*
	 * A total that moved by less than this skb was cleared meanwhile, by tcp_disconnect(),
	 * and the ports kept by bind().
	 */
	if (is_known && before <= total && total - before >= moved_at_least)
		event->segments = total - before;
	store_kept(kept, ports_of(event), total);
}

/* What the socket's events have not shown when it ends. 0 where its beginning is not known. */
static __always_inline __u32 unseen_segments(const struct kept *kept, const struct tag *tag,
					     __u32 ports, __u32 total)
{
	__u32 before;

	if (!(kept && load_kept(kept, ports, &before)) && !load_born(tag, &before))
		return 0;
	return before < total ? total - before : 0;
}

/*
 * A SYN-ACK moved the total of a fast-open child, which is `sk` then; a listener has
 * nothing kept. A child's birth is later than its SYN-ACKs.
 */
static __always_inline void synack_counted(const struct wire_event *event, struct kept *kept)
{
	__u32 before;

	if (kept && load_kept(kept, ports_of(event), &before))
		store_kept(kept, ports_of(event), before + 1);
}

#endif
