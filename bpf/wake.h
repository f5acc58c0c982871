/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * When the programs wake the reader of the ring buffer.
 *
 * A wakeup costs as much as twenty events, so the reader says when it needs one. It
 * writes into `wake_at` how many bytes are to wait in the ring buffer: any while it
 * sleeps, and about half of the buffer while it looks by its own timer. The first
 * program that finds so many writes WAKE_NEVER there, and then rings.
 *
 * No wakeup is lost, because each side writes first and reads second:
 *
 *   a program   commits its event;    full barrier;  reads `wake_at`
 *   the reader  writes `wake_at`;     full barrier;  looks into the buffers;  sleeps
 *
 * The program's barrier is the xchg() in bpf_ringbuf_commit(). It writes WAKE_NEVER
 * before it rings. In the other order it could overwrite what the reader has written
 * since the ring woke it, to sleep again.
 *
 * A program whose output failed has no such barrier, and needs none. It rings whether
 * the reader sleeps or not, unless it finds WAKE_NEVER. Then another program is about
 * to ring, and after a ring the reader looks at its timer once more before it sleeps.
 *
 * crates/source-tcpretrans/tests/wakeups.rs is a model of all this.
 */
#ifndef TCPRETRANS_WAKE_H
#define TCPRETRANS_WAKE_H

#include "config.h"

/*
 * The reader waits for this ring buffer. It is apart from that of the events, because
 * one that is full can't wake anybody. A record has nothing in it. Where this one is
 * full, its reader has been woken and has not looked yet. libbpf makes it a page.
 */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} wakeups SEC(".maps");

/* Bytes in the ring buffer of the events at which the reader is woken, or one of enum wire_wake. The reader maps it. */
__u64 wake_at;

/* After an output into the ring buffer `events`, which gave `err`. */
static __always_inline void wake(void *events, long err)
{
	__u64 bytes = LOAD_ONCE(wake_at);
	__u64 nothing = 0;

	if (bytes == WAKE_NEVER)
		return;
	if (!err && bpf_ringbuf_query(events, BPF_RB_AVAIL_DATA) < bytes)
		return;
	STORE_ONCE(wake_at, WAKE_NEVER);
	/* Where this fails the next event tries again, whatever the reader wrote meanwhile. */
	if (bpf_ringbuf_output(&wakeups, &nothing, sizeof(nothing), BPF_RB_FORCE_WAKEUP))
		STORE_ONCE(wake_at, WAKE_AT_ANY);
}

#endif
