/* SPDX-License-Identifier: MIT */
/*
 * The addresses of this machine's interfaces, kept current: the kernel says
 * when one comes or goes (rtnetlink(7)), and then they are listed anew.
 */
#ifndef SANDTOP_URING_ADDRESSES_H
#define SANDTOP_URING_ADDRESSES_H

#include "policy/live.h"
#include "uring/loop.h"
#include "uring/report.h"

struct addresses {
	struct addr_set set;
	struct live *live; /* whose this_host it is */
	struct event event;
	int watch; /* rtnetlink */
	struct loop *loop;
	struct report *report;
};

/*
 * List the addresses, for `live`, and watch for changes. Returns 0 or -errno; addresses_exit() is
 * due in any case, also for a zeroed one whose `watch` is -1.
 */
int addresses_init(struct addresses *a, struct live *live, struct loop *loop,
		   struct report *report);
void addresses_exit(struct addresses *a);

/*
 * To be called once in each turn of the loop: where the list could not be had, which is told once,
 * decisions are strict (LIVE_HOST_UNSURE) until it can.
 */
void addresses_run(struct addresses *a);

#endif
