/* SPDX-License-Identifier: MIT */
#include "policy/endpoint.h"

static const char *const proto_names[PROTO_COUNT] = {
	[PROTO_TCP] = "tcp",   [PROTO_UDP] = "udp", [PROTO_ICMP] = "icmp",
	[PROTO_UNIX] = "unix", [PROTO_DNS] = "dns",
};

static const char *const verdict_names[] = {
	[VERDICT_DENY] = "deny",
	[VERDICT_ALLOW] = "allow",
	[VERDICT_ASK] = "ask",
};

static const char *const reason_names[REASON_COUNT] = {
	[REASON_RULE] = "rule",
	[REASON_DEFAULT] = "default",
	[REASON_BIND_DEFAULT] = "bind-default",
	[REASON_BIND_UNMATCHED] = "bind-default",
	[REASON_BIND_UNLISTED] = "bind-default",
	[REASON_BIND_LISTED] = "bind-default",
	[REASON_UNIX_DEFAULT] = "unix-default",
	[REASON_CONTROL_SOCKET] = "control-socket",
	[REASON_MAX_CONNECTIONS] = "max-connections",
	[REASON_IMPLIED_DNS] = "implied-dns",
	[REASON_SINKHOLE] = "sinkhole",
	[REASON_BLOCKED] = "blocked",
	[REASON_NOT_NEEDED] = "not-needed",
	[REASON_NONE_RESOLVED] = "not-needed",
	[REASON_REBIND] = "rebind",
	[REASON_ENCRYPTED_DNS] = "encrypted-dns",
	[REASON_HOSTS] = "hosts",
	[REASON_PROTOCOL] = "protocol",
	[REASON_LEARN] = "learn",
	[REASON_LEARN_FULL] = "learn-full",
	[REASON_ASK_TIMEOUT] = "ask-timeout",
	[REASON_ASK_NOBODY] = "ask-nobody",
	[REASON_ASK_FULL] = "ask-full",
	[REASON_PANIC] = "panic",
	[REASON_ERROR] = "error",
};

const char *proto_name(enum proto proto)
{
	return proto_names[proto];
}

const char *verdict_name(enum verdict verdict)
{
	return verdict_names[verdict];
}

bool reason_is_final(enum reason reason)
{
	switch (reason) {
	case REASON_BIND_UNLISTED:
	case REASON_BIND_LISTED:
	case REASON_NONE_RESOLVED:
	case REASON_CONTROL_SOCKET:
	case REASON_MAX_CONNECTIONS:
	case REASON_BLOCKED:
	case REASON_REBIND:
	case REASON_PROTOCOL:
	case REASON_PANIC:
	case REASON_ERROR:
		return true;
	default:
		return false;
	}
}

const char *reason_name(enum reason reason)
{
	return reason_names[reason];
}
