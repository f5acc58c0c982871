/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* User space's decisions, constants by the time the verifier looks. */
#ifndef TCPRETRANS_CONFIG_H
#define TCPRETRANS_CONFIG_H

#include "wire.h"

const volatile struct wire_config config = {};

/* Never read: BTF, and so the skeleton, holds the types that a variable names. */
const volatile struct {
	enum wire_version version;
	struct wire_event event;
	enum wire_kind kind;
	enum wire_reason reason;
	enum wire_loss loss;
	enum wire_scope scope;
	enum wire_transport transport;
	enum wire_unknown unknown;
} wire_types = {};

#endif
