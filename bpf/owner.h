/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Who owns a socket: the process that opened or accepted it. And what the socket had
 * sent again when it was first known.
 *
 * The process that runs when a segment is sent again is seldom the socket's owner, so
 * each socket is tagged while its owner is the one that runs: where a connection is
 * opened, where a listener begins to listen, and where a connection is accepted. A
 * child that a listener makes inherits the tag (BPF_F_CLONE). Sockets that exist when
 * the receiver starts are tagged by a pass over all files of all processes.
 */
#ifndef TCPRETRANS_OWNER_H
#define TCPRETRANS_OWNER_H

#include "config.h"
#include "kernel.h"

#define PF_KTHREAD 0x00200000 /* include/linux/sched.h */
#define AF_INET 2 /* include/linux/socket.h */
#define AF_INET6 10
#define SOCK_STREAM 1 /* include/linux/net.h */

/* tag.born_with: not known. A listener's children begin with it. */
#define BORN_UNKNOWN (~0U)

struct owner {
	__u32 pid; /* 0: not known, or the kernel itself */
	__u8 command[16];
};

struct tag {
	struct owner owner;
	__u32 born_with; /* the socket's total_retrans when it was first known */
};

/*
 * Lives and dies with the socket. A program that does not hold the socket's lock only
 * creates tags, so that nobody sees a half-written one.
 */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct tag);
} tags SEC(".maps");

static __always_inline struct tag *tag_of(const struct sock *sk)
{
	return config.has_socket_storage ? bpf_sk_storage_get(&tags, (void *)sk, 0, 0) : 0;
}

/*
 * The process of this thread. Its command is the main thread's, because threads have
 * names of their own. A thread of the kernel opens sockets for others (NFS, MPTCP): its
 * name would tell nothing.
 */
static __always_inline void set_owner(struct owner *owner, const struct task_struct *task)
{
	const struct task_struct *leader = task->group_leader;

	if (task->flags & PF_KTHREAD) {
		owner->pid = 0;
		return;
	}
	owner->pid = task->tgid;
	for (int i = 0; i < 4; i++)
		((__u32 *)owner->command)[i] = ((const __u32 *)leader->comm)[i];
}

/* `sk` as a tcp_sock; 0 if it is another socket. A raw socket may have TCP's protocol number, too. */
static __always_inline struct tcp_sock *tcp_sock_of(struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	if ((family != AF_INET && family != AF_INET6) || sk->sk_type != SOCK_STREAM)
		return 0;
	return bpf_skc_to_tcp_sock(sk);
}

static __always_inline void show_owner(struct wire_event *event, const struct owner *owner)
{
	if (!owner || !owner->pid) {
		event->unknown |= UNKNOWN_OWNER;
		return;
	}
	event->owner_pid = owner->pid;
	for (int i = 0; i < 4; i++)
		((__u32 *)event->owner_command)[i] = ((const __u32 *)owner->command)[i];
}

/* The owner that the socket's tag has. */
static __always_inline void show_tagged(struct wire_event *event, const struct tag *tag)
{
	show_owner(event, tag ? &tag->owner : 0);
}

#endif
