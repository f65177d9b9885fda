/* SPDX-License-Identifier: MIT */
/*
 * Closing files that are no sockets. The file system of one can make close(2) wait
 * for as long as it likes (FUSE_FLUSH), and a command can have one of its own: so
 * it is neither the loop that waits nor the ring's few threads, which the logs need.
 */
#ifndef SANDTOP_URING_CLOSER_H
#define SANDTOP_URING_CLOSER_H

struct closer {
	int pipe; /* descriptors on their way to a thread, or -1 while there was none to close */
};

void closer_init(struct closer *c);

/* What is not closed by then is when the process ends. */
void closer_exit(struct closer *c);

/* Close `fd` some time; it stays open where that cannot be. */
void closer_take(struct closer *c, int fd);

#endif
