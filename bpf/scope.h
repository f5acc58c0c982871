/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Scope: whether a socket is one that the user wants reported. */
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

/* Whether this is the scope's cgroup or one below it. */
static __always_inline int cgroup_in_scope(struct cgroup *cgroup)
{
	struct cgroup___before_6_1 *old = (void *)cgroup;
	int level = 0;

	bpf_core_read(&level, sizeof(level), &cgroup->level);
	for (int i = 0; i < CGROUP_LEVELS; i++) {
		__u64 id = 0;

		if (i > level)
			break;
		if (bpf_core_field_exists(cgroup->ancestors)) {
			struct cgroup *ancestor = 0;

			bpf_core_read(&ancestor, sizeof(ancestor), &cgroup->ancestors[i]);
			id = BPF_CORE_READ(ancestor, kn, id);
		} else if (bpf_core_field_exists(old->ancestor_ids)) {
			bpf_core_read(&id, sizeof(id), &old->ancestor_ids[i]);
		}
		if (id == config.scope_cgroup)
			return 1;
	}
	return 0;
}

/* `sk` owns the traffic: the socket itself, or the listener of a request. */
static __always_inline int in_scope(const struct sock *sk, __u32 netns_inode)
{
	switch (config.scope) {
	case SCOPE_NETNS:
		return netns_inode == config.scope_netns;
	case SCOPE_CGROUP:
		if (!bpf_core_field_exists(sk->sk_cgrp_data.cgroup))
			return cgroup_in_scope(tagged_cgroup(sk));
		return cgroup_in_scope(BPF_CORE_READ(sk, sk_cgrp_data.cgroup));
	default:
		return 1;
	}
}

#endif
