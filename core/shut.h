/* SPDX-License-Identifier: MIT */
/*
 * Ending the open flows that a policy denies.
 *
 * The sockets are found by looking at every task of the sandbox, on a job's
 * thread, so that no call waits for it and no call pays for it. A connection is
 * ended by shutdown(2) on a duplicate, which holds for every descriptor of the
 * socket: the command reads the end of the stream and its peer sees it close.
 */
#ifndef SANDTOP_CORE_SHUT_H
#define SANDTOP_CORE_SHUT_H

#include "core/facts.h"
#include "core/outbound.h"
#include "core/tree.h"
#include "policy/policy.h"

struct shut_result {
	unsigned shut; /* flows */
	struct tree_result tree;
};

/*
 * Shut what `p` denies, and what it would ask about while one of the `n` policies `before` allowed
 * it: what an answer has allowed once stays. That is connected TCP, ICMP and UNIX sockets and those
 * that are being connected, if `o` has them (icmp: in any case), and connected UDP sockets; also
 * those around the sinkhole that it leads there (f->mirror). Standard descriptors that the command
 * was started with are left alone. Returns 0 or -errno.
 */
int shut_denied(const struct policy *p, const struct policy *const before[], size_t n,
		const struct facts *f, const struct outbound *o, struct shut_result *out);

/*
 * The cookies of all sockets that the sandbox has open, for outbound_keep(); to be freed. Returns 0
 * or -errno.
 */
int shut_list(uint64_t **cookies, size_t *n);

#endif
