/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Counting and output: an event is counted first, then sent. */
#ifndef TCPRETRANS_OUTPUT_H
#define TCPRETRANS_OUTPUT_H

#include "config.h"
#include "netns.h"
#include "wake.h"

/* Sized before the load: one entry per CPU and kind. The reader maps it, so that reading it needs no privilege. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, KINDS);
	__type(key, __u32);
	__type(value, struct wire_counters);
} counters SEC(".maps");

/* One of these two is created: the setup decides which. */
struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} events_perf SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events_ring SEC(".maps");

static __always_inline struct wire_counters *counters_of(__u32 cpu, enum wire_kind kind)
{
	__u32 slot = cpu * KINDS + kind;

	return bpf_map_lookup_elem(&counters, &slot);
}

static __always_inline void count(struct wire_counters *counters, const struct wire_event *event)
{
	__u32 class = (event->ipv6 ? REASONS : 0) + (event->reason & (REASONS - 1));
	struct wire_class *sums;

	/* Before Linux 6.12 the verifier loses the bounds of this number in clang's code: show them again. */
	barrier_var(class);
	sums = &counters->classes[class & (CLASSES - 1)];
	sums->events++;
	sums->segments += event->segments;
	if (event->err)
		sums->failures++;
	else
		sums->payload_bytes += event->payload_bytes;
	if (!event->err && event->segments > event->skb_segments)
		counters->healed_segments += event->segments - event->skb_segments;
}

static __always_inline enum wire_loss loss_of(long err)
{
	switch (err) {
	case -ENOSPC:
	case -EAGAIN:
		return LOSS_FULL;
	case -ENOENT:
		return LOSS_NO_BUFFER;
	case -EBUSY:
		return LOSS_BUSY;
	default:
		return LOSS_OTHER;
	}
}

/* Sends an event, or counts it as lost. Wakes nobody, except for perf's buffers at the threshold that libbpf set. */
static __always_inline long output(void *ctx, struct wire_event *event,
				   struct wire_counters *counters)
{
	long err;

	if (config.transport == TRANSPORT_RINGBUF)
		err = bpf_ringbuf_output(&events_ring, event, sizeof(*event), BPF_RB_NO_WAKEUP);
	else
		err = bpf_perf_event_output(ctx, &events_perf, BPF_F_CURRENT_CPU, event,
					    sizeof(*event));
	if (err) {
		struct wire_lost *lost = &counters->lost[loss_of(err)];

		lost->events++;
		lost->segments += event->segments;
	}
	return err;
}

/* Takes back what begin_event added to `busy`. */
static __always_inline void leave(struct wire_counters *counters)
{
	barrier();
	STORE_ONCE(counters->busy, LOAD_ONCE(counters->busy) - 1);
}

/*
 * Begins an event on this CPU, until end_event. NULL where another one is under
 * way there: before Linux 6.1 a softirq may interrupt a program and run the same
 * program again. Later kernels skip such a run themselves (05b24ff9b2cf, also in
 * 6.0.10), and classic tracepoints have always skipped it.
 *
 * A nested run begins and ends within the run that it interrupts, so it leaves
 * `busy` as it found it. That makes plain loads and stores enough: a nested run
 * between the load and the store of `busy` leaves the loaded value right. Nothing
 * else is changed by a nested run, except `nested`, by an atomic addition.
 */
static __always_inline struct wire_counters *begin_event(struct wire_event *event)
{
	struct wire_counters *counters;
	__u64 busy;

	event->cpu = bpf_get_smp_processor_id();
	counters = counters_of(event->cpu, event->kind);
	if (!counters)
		return 0;
	busy = LOAD_ONCE(counters->busy) + 1;
	STORE_ONCE(counters->busy, busy);
	barrier();
	if (busy > 1) {
		__sync_fetch_and_add(&counters->nested, 1);
		leave(counters);
		return 0;
	}
	event->sequence = counters->events++;
	barrier();
	return counters;
}

static __always_inline void end_event(void *ctx, struct wire_event *event,
				      struct wire_counters *counters)
{
	long err;

	count(counters, event);
	tell_netns(event);
	err = output(ctx, event, counters);
	barrier();
	counters->finished++;
	leave(counters);
	/* Last, so that a reader that is woken finds this event finished. */
	if (config.transport == TRANSPORT_RINGBUF)
		wake(&events_ring, err);
}

#endif
