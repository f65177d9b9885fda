/* SPDX-License-Identifier: MIT */
#include "tools/sinkhole.h"

#include <string.h>
#include <unistd.h>

#include "policy/dns.h"
#include "tools/cmd.h"

/* Returns 0 or -errno with *step the words for what failed. */
static int try_open(struct sinkhole *s, const char **step)
{
	int ret = mirror_start(&s->mirror, step);

	if (ret)
		return ret;
	*step = "open DNS servers in it";
	ret = dns_serve(&s->mirror, s->server);
	if (ret)
		mirror_stop(&s->mirror);
	return ret;
}

int sinkhole_open(struct sinkhole *s, struct draft *d)
{
	const char *step;
	int ret = draft_needs_sinkhole(d);

	*s = (struct sinkhole){ 0 };
	if (ret < 0) {
		complain("out of memory");
		return EXIT_HOST;
	}
	if (!ret)
		return 0;
	ret = try_open(s, &step);
	if (!ret) {
		s->open = true;
		draft_set_sinkhole(d);
		return 0;
	}
	if (draft_relies_on_sinkhole(d)) {
		complain("names cannot be blocked: cannot %s: %s (see sandtop check)", step,
			 strerror(-ret));
		return EXIT_HOST;
	}
	complain("names: cannot %s: %s: a rule's name means the addresses that it has now, and "
		 "every name can be looked up (see sandtop check)",
		 step, strerror(-ret));
	return 0;
}

void sinkhole_close(struct sinkhole *s)
{
	if (!s->open)
		return;
	for (int i = 0; i < DNS_SERVERS; i++)
		if (s->server[i] >= 0)
			close(s->server[i]);
	mirror_stop(&s->mirror);
	s->open = false;
}
