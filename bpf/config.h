/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What user space decides before the load: constants for the verifier. And what all parts of the kernel side use. */
#ifndef TCPRETRANS_CONFIG_H
#define TCPRETRANS_CONFIG_H

#include "wire.h"

/* A 64-bit number is read, or written, by one instruction, in the order of the program. */
#define LOAD_ONCE(field) (*(const volatile __u64 *)&(field))
#define STORE_ONCE(field, value) (*(volatile __u64 *)&(field) = (value))

const volatile struct wire_config config = {};

/* Nothing reads it. It is here so that BTF, and with it the skeleton, has these types. */
const volatile struct {
	enum wire_version version;
	struct wire_event event;
	enum wire_kind kind;
	enum wire_reason reason;
	enum wire_loss loss;
	enum wire_scope scope;
	enum wire_transport transport;
	enum wire_wake wake;
	enum wire_unknown unknown;
} wire_types = {};

#endif
