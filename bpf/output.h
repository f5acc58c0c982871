/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Counting and output: an event is counted first, then sent. */
#ifndef TCPRETRANS_OUTPUT_H
#define TCPRETRANS_OUTPUT_H

#include "config.h"

/* Sized before the load: one entry a CPU and kind. Mapped by the reader, so that reading it needs no privilege. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, KINDS);
	__type(key, __u32);
	__type(value, struct wire_counters);
} counters SEC(".maps");

/* Of these two the plan creates one. */
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

/*
 * Every `wakeup_events`th event of a CPU wakes the reader; the others wait for
 * it, or for the reader's own interval. libbpf arranges the same for perf.
 */
static __always_inline __u64 ring_flags(__u64 sequence)
{
	return (sequence + 1) % config.wakeup_events ? BPF_RB_NO_WAKEUP : BPF_RB_FORCE_WAKEUP;
}

static __always_inline void output(void *ctx, struct wire_event *event,
				   struct wire_counters *counters)
{
	event->sequence = counters->events++;
	counters->segments += event->segments;
	if (!event->err && event->segments > event->skb_segments)
		counters->healed_segments += event->segments - event->skb_segments;

	if (config.transport == TRANSPORT_RINGBUF) {
		if (bpf_ringbuf_output(&events_ring, event, sizeof(*event),
				       ring_flags(event->sequence)))
			counters->ring_full++;
	} else {
		/* A full perf ring is no error here: the kernel counts it as lost. */
		long err = bpf_perf_event_output(ctx, &events_perf, BPF_F_CURRENT_CPU, event,
						 sizeof(*event));

		if (err && err != -ENOSPC)
			counters->output_failed++;
	}
}

#endif
