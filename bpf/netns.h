/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What was told of each network namespace, for the audit: the reader compares it with the namespace's RetransSegs. */
#ifndef TCPRETRANS_NETNS_H
#define TCPRETRANS_NETNS_H

#include "config.h"

/* Segments by inode. What a namespace beyond these sends again is told, and not audited. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u64);
} told_by_netns SEC(".maps");

static __always_inline void tell_netns(const struct wire_event *event)
{
	__u32 inode = event->netns_inode;
	__u64 *told, none = 0;

	if (!event->segments)
		return;
	told = bpf_map_lookup_elem(&told_by_netns, &inode);
	if (!told) {
		bpf_map_update_elem(&told_by_netns, &inode, &none, BPF_NOEXIST);
		told = bpf_map_lookup_elem(&told_by_netns, &inode);
	}
	/* Another CPU, or a softirq on this one, may add at the same time. */
	if (told)
		__sync_fetch_and_add(told, event->segments);
}

#endif
