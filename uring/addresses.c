/* SPDX-License-Identifier: MIT */
#include "uring/addresses.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "core/host.h"

static int add(void *arg, struct addr addr)
{
	return addr_set_add(arg, addr);
}

static int list(struct addresses *a)
{
	struct addr_set now = { 0 };
	int ret = host_addresses(add, &now);

	if (ret) {
		addr_set_free(&now);
		return ret;
	}
	addr_set_free(&a->set);
	a->set = now;
	a->live->host = LIVE_HOST_LISTED;
	return 0;
}

/* What has changed need not be read: the list tells, also when messages were lost (ENOBUFS). */
static void changed(struct event *ev, int res)
{
	struct addresses *a = (struct addresses *)((char *)ev - offsetof(struct addresses, event));
	char message[4096];
	int ret;

	(void)res;
	do {
		ret = recv(a->watch, message, sizeof(message), MSG_DONTWAIT) < 0 ? -errno : 0;
	} while (!ret || ret == -ENOBUFS || ret == -EINTR);
	ret = list(a);
	if (!ret || a->live->host == LIVE_HOST_UNSURE)
		return;
	a->live->host = LIVE_HOST_UNSURE;
	report_message(a->report,
		       "cannot list the addresses of this machine: %s: until that works, what "
		       "depends on @this-host is refused",
		       strerror(-ret));
}

void addresses_run(struct addresses *a)
{
	if (a->live->host == LIVE_HOST_UNSURE)
		list(a);
}

int addresses_init(struct addresses *a, struct live *live, struct loop *loop, struct report *report)
{
	int ret;

	*a = (struct addresses){
		.live = live,
		.event = { .fn = changed },
		.loop = loop,
		.report = report,
	};
	live->this_host = &a->set;
	/* First the watch, then the list: nothing can come in between. */
	a->watch = host_watch_addresses();
	if (a->watch < 0)
		return a->watch;
	ret = list(a);
	return ret ? ret : loop_watch(loop, &a->event, a->watch, POLLIN);
}

void addresses_exit(struct addresses *a)
{
	if (a->watch >= 0) {
		loop_forget(a->loop, &a->event);
		close(a->watch);
	}
	addr_set_free(&a->set);
}
