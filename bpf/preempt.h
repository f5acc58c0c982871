/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * No other thread runs on this CPU while a program does. The kernel skips a program
 * that is under way on its CPU. A thread that is preempted inside one may come back
 * only after milliseconds, and until then no hit on that CPU would be told of. Softirqs
 * come all the same, but they return at once.
 *
 * The two calls cost 50 ns, so they are made only where a tracepoint does not disable
 * preemption itself.
 */
#ifndef TCPRETRANS_PREEMPT_H
#define TCPRETRANS_PREEMPT_H

#include <bpf/bpf_helpers.h>

#include "config.h"

extern void bpf_preempt_disable(void) __ksym __weak;
extern void bpf_preempt_enable(void) __ksym __weak;

static __always_inline void preempt_disable(void)
{
	if (config.may_be_preempted && bpf_ksym_exists(bpf_preempt_disable))
		bpf_preempt_disable();
}

static __always_inline void preempt_enable(void)
{
	if (config.may_be_preempted && bpf_ksym_exists(bpf_preempt_enable))
		bpf_preempt_enable();
}

#endif
