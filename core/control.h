/* SPDX-License-Identifier: MIT */
/*
 * The control protocol, as a client speaks it: where the sockets of running
 * sandboxes are, and how requests and replies are framed.
 *
 * A packet (SOCK_SEQPACKET) is one JSON object of at most CONTROL_PACKET_MAX
 * bytes. A longer text travels as a body: a sealed memfd beside the packet.
 * Documentation/control-protocol.rst has the verbs.
 */
#ifndef SANDTOP_CORE_CONTROL_H
#define SANDTOP_CORE_CONTROL_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
	CONTROL_VERSION = 1,
	CONTROL_PACKET_MAX = 64 * 1024,
	CONTROL_INLINE_MAX = 32 * 1024, /* a longer text of a reply is a body */
	CONTROL_BODY_MAX = 64 << 20,
	CONTROL_JUDGE_MAX = 64, /* endpoints that are judged at once */
	CONTROL_NAME_MAX = 64,  /* bytes of a sandbox's name */
	CONTROL_PATIENCE = 2,   /* seconds that a sandbox has to say who it is */
};

/* One line for the user, without a newline. It may quote what others wrote: see core/escape.h. */
struct control_error {
	char text[512];
};

/* The names of the sockets in the directory, sorted: some may belong to nobody any more. */
struct control_names {
	char (*v)[CONTROL_NAME_MAX + 1];
	size_t n;
};

/*
 * Write the path of the directory of the sockets to `buf`; it is made when it is missing. It is
 * below $XDG_RUNTIME_DIR, else /run/user/UID, when those are this user's own, else in /tmp.
 * Returns 0; -EPERM when what is at the path in /tmp is not a directory of this user's alone; or
 * -errno.
 */
int control_dir(char buf[static PATH_MAX]);

/* The same directory as an O_PATH descriptor, which is the caller's. Returns it or -errno. */
int control_open_dir(void);

/*
 * Fill `buf` with a path that leads to the socket of that name in the directory `dir` and fits a
 * socket's address, whatever the directory's own path is.
 */
enum { CONTROL_PATH_MAX = 108 };
void control_path(int dir, const char *name, char buf[static CONTROL_PATH_MAX]);

/* Returns 0 with out->v to be freed, or -errno. */
int control_names(struct control_names *out);

/*
 * Connect to a sandbox: by its name, by the process id of its command or of sandtop, or with NULL
 * to the only one that runs. Returns the descriptor (close-on-exec, blocking), or -errno with *err
 * filled: -ENOENT when there is none, -ENOTUNIQ when NULL would mean several.
 */
int control_connect(const char *name, struct control_error *err);

/* How long a send or receive on the descriptor waits: EAGAIN after that; 0 is for ever. */
void control_set_patience(int fd, int seconds);

/*
 * Send one packet, and with body_fd >= 0 that descriptor. Returns 0, -EMSGSIZE when the packet
 * would be too large, or -errno of sendmsg(2).
 */
int control_send(int fd, const json_t *packet, int body_fd);

/*
 * Receive one packet. The body's descriptor is put into *body_fd (-1: none) and is the caller's;
 * with a NULL body_fd it is closed. Returns the packet, to be released with json_decref(), or NULL
 * with errno: ECONNRESET at the end of the connection, EMSGSIZE and EBADMSG when it is not such a
 * packet, or that of recvmsg(2).
 */
json_t *control_recv(int fd, int *body_fd);

/* Who sent a packet, as the kernel says on a socket with SO_PASSCRED and SO_PASSPIDFD. */
struct control_sender {
	pid_t pid;
	uid_t uid;
	int pidfd; /* the receiver's; -1 when the sender has ended */
};

/* The same, with *sender filled even when there is no packet; all 0 and -1 on other sockets. */
json_t *control_recv_from(int fd, int *body_fd, struct control_sender *sender);

/*
 * Read a packet of `len` bytes. Returns the object, or NULL when it is not one JSON object, or
 * `len` is above CONTROL_PACKET_MAX.
 */
json_t *control_parse(const char *text, size_t len);

/* A new request of this verb: {"v":1,"verb":VERB}. NULL for want of memory. */
json_t *control_request(const char *verb);

/*
 * Send a request and receive its reply; events that come before it are dropped (a connection that
 * watches should not be used for it). Returns as control_recv().
 */
json_t *control_call(int fd, const json_t *request, int body_fd, int *reply_fd);

/*
 * Whether the reply says that the request was carried out. If not, or if it is NULL (errno then
 * says why), *err has the reason.
 */
bool control_succeeded(const json_t *reply, struct control_error *err);

/*
 * Make a body of `len` bytes, or read one that was received: *text gets a NUL behind it and is to
 * be freed. A body that is not a sealed memfd is refused, as its reading could wait or change.
 * control_body_new() returns the descriptor or -errno; control_body_read() returns 0, -EBADMSG,
 * -EFBIG, -ENOMEM, or -errno; the descriptor stays the caller's.
 */
int control_body_new(const char *text, size_t len);
int control_body_read(int fd, char **text, size_t *len);

#endif
