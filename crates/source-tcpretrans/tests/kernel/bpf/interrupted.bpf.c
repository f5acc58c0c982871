/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * A program for tests/kernel/interrupted.rs: it begins and ends an event as the programs
 * in bpf/tcpretrans.bpf.c do, and takes as long in between as the test asks for.
 */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <bpf/bpf_helpers.h>

#include "output.h"

#define MAX_STEPS 1000

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/*
 * One event for the run that is interrupted and one for the run that interrupts it.
 * They are not on the stack: since Linux 6.13 a raw_tp program with 64 bytes on its
 * stack has one stack per CPU, which a nested run would overwrite. The kernel relies
 * on its recursion guard for tracepoints there, and BPF_PROG_TEST_RUN bypasses that.
 */
struct wire_event run_events[2];

/* The arguments: which of the two runs this is, and how many steps its body takes. */
SEC("raw_tp")
int count_slowly(__u64 *ctx)
{
	struct wire_event *event = &run_events[ctx[0] & 1];
	__u64 steps = ctx[1];
	struct wire_counters *counters;

	event->kind = KIND_SEGMENT;
	event->segments = 1;
	counters = begin_event(event);
	if (!counters)
		return 0;
	for (__u32 step = 0; step < MAX_STEPS && step < steps; step++)
		bpf_ktime_get_ns();
	end_event(ctx, event, counters);
	return 0;
}
