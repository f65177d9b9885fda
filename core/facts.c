/* SPDX-License-Identifier: MIT */
#include "core/facts.h"

#include <stdlib.h>

#include "policy/names.h"

struct facts *facts_new(const struct live *live, const struct listeners *listeners)
{
	struct facts *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->live = *live;
	f->live.this_host = &f->this_host;
	f->live.now = 0;
	if (live->names) {
		f->live.names = f->names = names_copy(live->names);
		if (!f->names) {
			free(f);
			return NULL;
		}
	}
	if (addr_set_copy(live->this_host, &f->this_host)) {
		names_free(f->names);
		free(f);
		return NULL;
	}
	listeners_copy(listeners, &f->listeners);
	return f;
}

void facts_free(struct facts *f)
{
	if (!f)
		return;
	listeners_exit(&f->listeners);
	addr_set_free(&f->this_host);
	names_free(f->names);
	free(f);
}
