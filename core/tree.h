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
#include <sys/types.h>

/* Gets a duplicate of each socket once, with its SO_COOKIE; it is closed afterwards. */
typedef void tree_fn(void *arg, int sock, uint64_t cookie);

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

/* Gets the inode of each socket once, with the first process that is found to have it. */
typedef void tree_inode_fn(void *arg, uint64_t inode, pid_t pid);

/*
 * The same without a duplicate, and looking twice: the command cannot tell, as no socket of its is
 * kept open when it closes it just then. Returns as tree_sockets().
 */
int tree_inodes(tree_inode_fn *fn, void *arg, struct tree_result *out);

#endif
