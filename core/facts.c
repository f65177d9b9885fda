/* SPDX-License-Identifier: MIT */
#include "core/facts.h"

#include <stdlib.h>

struct facts *facts_new(const struct live *live, const struct listeners *listeners)
{
	struct facts *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	if (addr_set_copy(live->this_host, &f->this_host)) {
		free(f);
		return NULL;
	}
	f->live = *live;
	f->live.this_host = &f->this_host;
	listeners_copy(listeners, &f->listeners);
	return f;
}

void facts_free(struct facts *f)
{
	if (!f)
		return;
	listeners_exit(&f->listeners);
	addr_set_free(&f->this_host);
	free(f);
}
