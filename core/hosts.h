/* SPDX-License-Identifier: MIT */
/*
 * The names that this machine knows by itself: /etc/hosts, and localhost (RFC 6761).
 */
#ifndef SANDTOP_CORE_HOSTS_H
#define SANDTOP_CORE_HOSTS_H

#include <stdbool.h>

#include "policy/addr.h"
#include "policy/domain.h"

enum { HOSTS_ADDRESSES = 32 }; /* of one name are kept, the first ones */

struct hosts {
	struct domain_map names; /* to indices in `entries`, plus one */
	struct hosts_entry {
		struct addr addr;
		uint32_t next; /* the next one of the same name: index plus one, 0 at the end */
	} * entries;
	size_t n;
};

/*
 * Read a file of hosts(5); lines that are none are passed over, and so is a file that is not there.
 * Returns 0 or -ENOMEM; *h is to be freed in any case.
 */
int hosts_read(struct hosts *h, const char *path);
void hosts_free(struct hosts *h);

/*
 * The addresses of a normalised name, at most `max`, of both families. Returns how many were
 * written; 0 for a name that is not known here.
 */
size_t hosts_find(const struct hosts *h, const char *name, struct addr *out, size_t max);

/*
 * Whether rules for what is above the name hold for this address, which hosts_find() gave. Lists
 * that block names give them an address of this machine, and a rule for a domain is not to open it;
 * where the name is a local one (domain_is_local()) that is what is meant.
 */
bool hosts_speaks_for(const char *name, struct addr addr);

#endif
