/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * For tests/kernel/owners.rs: a program of the kind that sees who accepts a connection,
 * and nothing else. Where it can be attached, the receiver must have attached its own.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

SEC("fentry/security_sock_graft")
int sees_accept(void *ctx)
{
	return 0;
}
