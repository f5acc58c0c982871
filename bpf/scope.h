/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Scope: where to find a socket's cgroup. Whether a socket is in scope is in event.h. */
#ifndef TCPRETRANS_SCOPE_H
#define TCPRETRANS_SCOPE_H

#include "config.h"
#include "kernel.h"

/* Levels of the hierarchy that are searched. The verifier wants a bound, and real hierarchies are less deep. */
#define CGROUP_LEVELS 32

/* The socket's cgroup where its pointer is kept in `val`: sock_cgroup_ptr(), include/linux/cgroup.h. */
static __always_inline struct cgroup *tagged_cgroup(const struct sock *sk)
{
	struct sock_cgroup_data___before_5_15 *old = (void *)&sk->sk_cgrp_data;
	__u64 value = 0;

	if (bpf_core_field_exists(old->val))
		bpf_core_read(&value, sizeof(value), &old->val);
	return value & 3 ? 0 : (void *)value;
}

#endif
