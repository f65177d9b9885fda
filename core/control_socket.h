/* SPDX-License-Identifier: MIT */
/*
 * The listening end of the control protocol: a socket of the sandbox's name in
 * the directory of core/control.h, for as long as the sandbox runs.
 *
 * A supervisor that was killed leaves its socket behind. Whoever starts removes
 * what nobody listens on any more; a lock on the directory, held from before
 * bind(2) until after listen(2), keeps it from taking a new one for that.
 */
#ifndef SANDTOP_CORE_CONTROL_SOCKET_H
#define SANDTOP_CORE_CONTROL_SOCKET_H

#include <sys/types.h>

#include "core/control.h"

struct control_socket {
	int fd;  /* listens; non-blocking */
	int dir; /* O_PATH */
	dev_t dev;
	ino_t ino; /* of the file */
	char name[CONTROL_NAME_MAX + 1];
};

/*
 * Make the socket, and let the kernel say with every packet who sent it (SO_PASSCRED,
 * SO_PASSPIDFD). Returns 0; -EADDRINUSE when a sandbox of that name runs; or -errno, with *err
 * filled.
 */
int control_socket_init(struct control_socket *s, const char *name, struct control_error *err);

/* Remove the file, unless it is another's by now, and close what is open. */
void control_socket_exit(struct control_socket *s);

#endif
