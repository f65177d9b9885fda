/* SPDX-License-Identifier: MIT */
/*
 * The messages of sendto(2), sendmsg(2) and sendmmsg(2) as they are read from
 * the task. Private to the engine's files.
 */
#ifndef SANDTOP_URING_MESSAGE_H
#define SANDTOP_URING_MESSAGE_H

#include "uring/call.h"
#include "uring/guess.h"

/*
 * Read what the arguments of a sendto, or the header at `addr`, describe; the vectors go to `s`.
 * Return 0, or -errno as the kernel's copy_msghdr_from_user() would: -EFAULT, -EINVAL, -EMSGSIZE;
 * or as task_read().
 */
int message_read_sendto(struct scratch *s, const struct notif *n, struct message *out);
int message_read_header(struct scratch *s, pid_t tid, uint64_t addr, struct message *out);

/*
 * The same with the name, of which *name_len bytes go to `name` (0: there is none). The payload is
 * read along with it where its place is known, of a sendto, or was guessed right: *payload is what
 * message_read_payload() would return, or -EAGAIN if that is yet to be called. `g` is the thread's.
 */
int message_read_first(struct scratch *s, struct guess *g, const struct notif *n, uint64_t header,
		       struct message *out, struct sockaddr_storage *name, size_t *name_len,
		       ssize_t *payload);

/*
 * Copy payload from byte `skip` on, as much as fits, to s->payload. Returns the number of bytes
 * (less than there are when the task's memory ends), or -errno.
 */
ssize_t message_read_payload(struct scratch *s, pid_t tid, const struct message *m, size_t skip);

/*
 * Copy the control messages, s->control_len bytes, to s->control. Returns 0, -ENOBUFS (too long,
 * net/socket.c), or as task_read().
 */
int message_read_control(struct scratch *s, pid_t tid, const struct message *m);

/*
 * Whether `len` bytes of control messages may be sent from an internet socket: they pass unchanged,
 * but for those that would lead the packet to a host that nobody judged. Returns 0 or -EPERM.
 */
int message_check_control(const uint8_t *control, size_t len);

#endif
