/* SPDX-License-Identifier: MIT */
/*
 * Every socket that the sandbox has open: those of the descendants of this
 * process, which is the subreaper of all of them. It takes milliseconds, or
 * many of them, and is not for the loop's thread.
 */
#ifndef SANDTOP_CORE_TREE_H
#define SANDTOP_CORE_TREE_H

#include <stdbool.h>
#include <stdint.h>

/* Gets a duplicate of each socket once; it is closed afterwards. */
typedef void tree_fn(void *arg, int sock, uint64_t inode);

struct tree_result {
	unsigned unseen; /* tasks that cannot be looked into: they are not dumpable */
	/*
	 * Descriptors are on their way in UNIX sockets, where they cannot be seen, or new tasks
	 * kept appearing: some may have been missed.
	 */
	bool unsettled;
};

/* Returns 0, -ENOMEM, or -errno when /proc cannot be read. */
int tree_sockets(tree_fn *fn, void *arg, struct tree_result *out);

#endif
