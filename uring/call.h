/* SPDX-License-Identifier: MIT */
/*
 * One trapped system call while the engine serves it: what its handlers share.
 * Private to the engine's files.
 *
 * A handler takes a call, and either finishes it (one of the call_finish
 * functions, after which the call must not be touched) or lets it wait.
 */
#ifndef SANDTOP_URING_CALL_H
#define SANDTOP_URING_CALL_H

#include <sys/socket.h>

#include "core/notif.h"
#include "core/socket.h"
#include "uring/engine.h"

/* Goes on with a call; `res` is the result of what it waited for (0 when it only yielded). */
typedef void call_fn(struct engine *e, struct call *c, int res);

/* Why a waiting operation was cancelled. */
enum cancel {
	CANCEL_NONE,
	CANCEL_GONE,     /* the task does not wait any more */
	CANCEL_SIGNAL,   /* it has a signal to handle */
	CANCEL_TIMEOUT,  /* SO_SNDTIMEO */
	CANCEL_DENIED,   /* a new policy does not allow it */
	CANCEL_RETRY,    /* a wake-up may have been missed: look again */
	CANCEL_ANSWERED, /* it was held, and is not any more */
};

struct call_type {
	int nr;
	const char *name;
	enum counter counter; /* of the calls performed on behalf */
	bool inbound;         /* judged as DIR_IN; a refusal is EACCES */
	call_fn *begin;
	bool no_socket; /* its first argument is none */
};

struct call {
	const struct call_type *type;
	struct notif n;
	uint64_t start;   /* CLOCK_MONOTONIC, ns */
	uint64_t latency; /* ns until the answer */
	int sock;         /* the pinned duplicate, or -1 */
	struct socket_info info;
	struct target target; /* from the first and only copy of the address */
	struct decision decision;
	bool decided;
	struct snapshot *snapshot; /* that judged it, or NULL */
	uint64_t generation;       /* of that */
	bool counted;              /* for --max-connections */
	size_t done;               /* bytes already sent of this message */
	/* sendmmsg only: messages sent, and where the call goes on after each. */
	unsigned messages;
	bool (*next_message)(struct engine *e, struct call *c, int64_t value, int error);
	bool started;                 /* a send with MSG_FASTOPEN has begun to connect ... */
	bool connecting;              /* ... and waits for the outcome */
	char name[ENDPOINT_NAME_MAX]; /* of an AF_UNIX peer, for its record */
	int personality; /* of the ring, for a connect as the task (loop.h); 0 = none */
	int peer;        /* O_PATH of the AF_UNIX socket that c->target names, or -1 */
	/* Waiting. */
	struct event event;
	struct engine *engine; /* for the event's callback */
	call_fn *resume;
	enum cancel cancel;
	bool polls;        /* it waits for a writable socket, not for a connect */
	bool looked_after; /* by a tick: from then on the next two are known */
	uint64_t timeout;  /* SO_SNDTIMEO in ns, 0 = none */
	uint64_t deadline; /* CLOCK_MONOTONIC, ns; 0 = none */
	int stat;          /* /proc/TID/stat, or -1 */
	/* Held for the operator's answer (ask.h). */
	uint64_t question;   /* its number while it is held, else 0 */
	uint64_t answers;    /* seq of the record that asked, or 0 */
	uint64_t held_since; /* CLOCK_MONOTONIC, ns */
	char *host;          /* the name of its address that the operator is shown, or NULL */
	struct __kernel_timespec hold;
	bool answered;  /* c->decision is the answer */
	bool answering; /* a rule that answers it is being made */
	bool paused;    /* it has not begun (pause.h) */
	call_fn *go_on;
	struct call *prev, *next;
};

/* Buffers that are in use only while one call is being served. */
enum {
	SCRATCH_PAYLOAD = 512 * 1024, /* above every datagram the kernel lets through by default */
	SCRATCH_CONTROL = 128 * 1024, /* net.core.optmem_max */
	SCRATCH_VECTORS = 1024,       /* UIO_MAXIOV */
	SCRATCH_FDS = 253,            /* SCM_MAX_FD */
	SCRATCH_COVER = 128 * 1024,
};

/* One message as it is read from the task (message.h), without its name: that is judged once. */
struct message {
	size_t total;  /* bytes of payload, over all vectors */
	size_t count;  /* vectors in scratch->remote, addresses of the task */
	uint64_t name; /* where the name is, 0 = none */
	int name_len;
	uint64_t control;
	size_t control_len;
};

struct scratch {
	uint8_t payload[SCRATCH_PAYLOAD];
	_Alignas(16) uint8_t control[SCRATCH_CONTROL];
	size_t control_len;
	bool vouches;                /* it has credentials of a user that is not ours */
	int control_fd[SCRATCH_FDS]; /* descriptors that the control messages pass */
	size_t control_fds;
	struct iovec remote[SCRATCH_VECTORS];
	/* sendmmsg only. */
	uint8_t cover[SCRATCH_COVER]; /* many pieces of the task's memory, read as one */
	struct spans guess;           /* what cover holds before the headers were looked at */
	struct spans found;           /* where it turned out to be */
	struct iovec local[SCRATCH_VECTORS];
	struct iovec gather[SCRATCH_VECTORS];
	struct mmsghdr headers[SCRATCH_VECTORS];
	struct mmsghdr as_read[SCRATCH_VECTORS]; /* the task's, where headers[] become ours */
	struct message messages[SCRATCH_VECTORS];
	struct sockaddr_storage names[SCRATCH_VECTORS];
	struct target targets[SCRATCH_VECTORS];
	struct decision decisions[SCRATCH_VECTORS];
};

/* The handlers, one file each family of calls. */
call_fn clone_begin, reach_begin;    /* continued.c */
call_fn connect_begin;               /* connect.c */
call_fn bind_begin, listen_begin;    /* inbound.c */
call_fn sendto_begin, sendmsg_begin; /* send.c */
call_fn send_message;                /* send.c: the message c->messages of a sendmmsg, by itself */
call_fn sendmmsg_begin;              /* sendmmsg.c */
call_fn unix_connect, unix_bind, unix_listen; /* unix.c: of an AF_UNIX socket */

/*
 * Make the AF_UNIX address in c->target, if there is one, ready to be sent to: found, judged and
 * pinned as c->peer. Returns false when the call is finished, or held until it is denied or
 * `resume` is called.
 */
bool unix_prepare_peer(struct engine *e, struct call *c, call_fn *resume);

/*
 * Make the control messages that were read to the scratch buffer ours: the descriptors in
 * SCM_RIGHTS become duplicates of the task's, which unix_close_control() closes; credentials that
 * name the sender become what unix_send() can vouch for. Returns 0, -EBADF, -EINVAL, -EPERM
 * (credentials of another), -EACCES (the receiver would take the task for somebody else), -ESRCH.
 */
int unix_rewrite_control(struct engine *e, const struct call *c);
void unix_close_control(struct engine *e);

/* Whether the kernel may run this sendmsg(2) itself: the one exception, with its proof there. */
bool unix_may_continue(struct engine *e, const struct call *c);

/* sendmsg(2) as the task. Returns the number of bytes or -errno. */
ssize_t unix_send(struct engine *e, const struct call *c, const struct msghdr *msg, int flags);

/*
 * netlink.c: whether the address in c->target, and `len` bytes of payload, may be used with an
 * AF_NETLINK socket `sock`. Return 0, -EPERM, -EINVAL.
 */
int netlink_check_target(const struct target *t);
int netlink_check_payload(const struct engine *e, int sock, const uint8_t *payload, size_t len);

/*
 * Record c->decision on c->target, of which the task sees the positive `error`, or 0. Returns its
 * seq.
 */
uint64_t call_record(struct engine *e, const struct call *c, int error);

/* Whether a call with these MSG_ flags may wait: neither MSG_DONTWAIT nor O_NONBLOCK. */
bool call_may_wait(const struct call *c, int flags);

/*
 * Copy the address of `len` bytes that the task has at `addr`. Returns false when the call is
 * finished because it cannot be read.
 */
bool call_copy_address(struct engine *e, struct call *c, uint64_t addr, int len,
		       struct sockaddr_storage *out, size_t *outlen);

/* Goes on when `ret`, the result of making c->target, is 0; else the call is finished with it. */
bool call_has_target(struct engine *e, struct call *c, int ret);

/*
 * Reading the call's arguments ended with -errno `ret`, the kernel's answer to them or a failure to
 * read: finish the call accordingly.
 */
void call_unreadable(struct engine *e, struct call *c, int ret);

/* What the live policy says to `endpoint`; the call keeps the snapshot for its record. */
struct decision call_decide(struct engine *e, struct call *c, struct endpoint *endpoint);

/*
 * Judge c->target on c->sock: fills c->decision. Returns true when the call may go on; otherwise
 * it is finished with the denial, or held until it is denied or `resume` is called.
 */
bool call_judge(struct engine *e, struct call *c, call_fn *resume);

/*
 * c->decision is to allow the call: see to the limit on connections. Returns true when it may go
 * on; otherwise it is finished with the denial.
 */
bool call_admit(struct engine *e, struct call *c);

/*
 * Whether the task still waits for this call, so that what was read from it and pinned is its own.
 * To be asked after the last look at the task and before acting. If not, the call is finished.
 */
bool call_is_valid(struct engine *e, struct call *c);

/* Give back what a call holds, and the call itself; it is not answered. */
void call_release(struct engine *e, struct call *c);

/* Answer with `value`, or with the positive `error`: record what was decided, and let go. */
void call_answer(struct engine *e, struct call *c, int64_t value, int error);

/* The call was performed: `ret` is its result or -errno. */
void call_finish(struct engine *e, struct call *c, int64_t ret);

/*
 * There is no decision because the call is wrong in itself: `error` (positive) is what the kernel
 * says to it.
 */
void call_fail(struct engine *e, struct call *c, int error);

/*
 * sandtop could not find out what the call wants: it is denied, with the positive `error` in the
 * log. -ESRCH, where the task is gone, only ends the call.
 */
void call_refuse(struct engine *e, struct call *c, int error);

/*
 * A policy that came while it waited has denied the call, and c->decision is that denial: whatever
 * it has reached is shut.
 */
void call_deny_waiting(struct engine *e, struct call *c);

/* Denied by c->decision. */
void call_deny(struct engine *e, struct call *c);

/* Let the kernel run it; see notif_continue(). */
void call_continue(struct engine *e, struct call *c);

/* Wait until a descriptor of ours, which is not the task's, is readable; then `resume`. */
void call_wait_readable(struct engine *e, struct call *c, int fd, call_fn *resume);

/* Wait until the socket is writable, connected to c->target, or for the next turn; then `resume`.
 */
void call_wait_writable(struct engine *e, struct call *c, call_fn *resume);
void call_wait_connect(struct engine *e, struct call *c, const struct sockaddr *addr, socklen_t len,
		       call_fn *resume);
void call_yield(struct engine *e, struct call *c, call_fn *resume);

/*
 * Wait for that long, *ts being the call's until then. Returns false when the call is finished for
 * want of room on the ring.
 */
bool call_wait_timeout(struct engine *e, struct call *c, struct __kernel_timespec *ts,
		       call_fn *resume);

/*
 * A connect that was under way is over: do as a second connect(2) would, which returns its result
 * and lets the socket know it. Returns 0, -errno, or -EALREADY when it is not over after all.
 */
int call_conclude_connect(const struct call *c);

/*
 * A waiting call was cancelled before it had an effect: answer for c->cancel, with `timeout_error`
 * (positive) when it was the socket's own limit.
 */
void call_finish_cancelled(struct engine *e, struct call *c, int timeout_error);

#endif
