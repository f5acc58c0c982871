/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Programs that do nothing: what the statistics' own clock costs, and being called. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

SEC("?tp_btf/tcp_retransmit_skb")
int btf_retransmit_empty(void *ctx)
{
	return 0;
}

SEC("?tracepoint/tcp/tcp_retransmit_skb")
int classic_retransmit_empty(void *ctx)
{
	return 0;
}
