/* SPDX-License-Identifier: MIT */
/*
 * The event loop: one io_uring, one thread.
 *
 * An event is one operation on the ring, embedded in whoever waits for it. It
 * is idle or armed; while it is armed its owner must stay, until the callback
 * comes or loop_forget() is called. Preparing an operation never blocks and
 * never submits by itself unless the submission queue is full: everything that
 * was prepared in one turn of the loop goes to the kernel together with the
 * wait for the next completion.
 */
#ifndef SANDTOP_URING_LOOP_H
#define SANDTOP_URING_LOOP_H

#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "core/stats.h"
#include "uring/rouse.h"

struct event;

/*
 * Called with the operation's result (as the system call of the same name, -errno on failure).
 * The event is idle again, unless it is a multishot poll that goes on.
 */
typedef void event_fn(struct event *ev, int res);

struct event {
	event_fn *fn;
	uint32_t slot; /* private to loop.c: 0 is idle */
};

struct slot {
	struct event *ev; /* NULL: forgotten, its completion is dropped */
	uint32_t generation;
	uint32_t next_free;
	bool multishot;
	int fd;        /* of a multishot poll, to arm it anew */
	unsigned mask; /* the same */
};

struct loop {
	struct io_uring ring;
	struct stats *stats;
	struct slot *slots; /* index 0 is never used */
	uint32_t nslots, free_slot;
	uint32_t used_slots; /* the first so many; memory of the others is not touched */
	bool again;          /* do not sleep in the next turn: somebody has work left */
	bool acts;           /* an operation is prepared that does more than wait */
	int closing;         /* of loop_close_soon(), or -1 */
	bool closes;         /* that is among what is prepared */
	struct event waker;  /* of a wait that began with a close */
	struct __kernel_timespec wake_time;
	struct rouse rouse; /* out of a wait elsewhere */
	/*
	 * If not NULL: 0 while the loop waits, else a number that no turn before has had. Whoever
	 * shares the memory sees a loop that is stuck.
	 */
	_Atomic uint64_t *pulse;
	uint64_t turns;
};

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t loop_now(void);

/*
 * Make the ring, in the thread that will use it. `entries` is the size of the submission queue,
 * `events` the number of events that can be armed at once. Counters go to `stats`.
 * Returns 0, or -errno of io_uring_setup(2): -EPERM (forbidden), -ENOSYS (absent), -ENOMEM.
 */
int loop_init(struct loop *l, unsigned entries, unsigned events, struct stats *stats);
void loop_exit(struct loop *l);

/* One turn: submit, wait for a completion (not if `again` is set), call back for all there are.
 * Returns 0, or -errno when the ring does not work any more. */
int loop_turn(struct loop *l);

/*
 * Wait in another system call than the ring's, one that a signal interrupts. loop_leave() returns
 * whether the caller may begin it: nothing is prepared or completed, nobody has work left. What
 * completes from then on ends that call with EINTR. loop_come_back() is due after it. If
 * loop_leave() says no, loop_turn() is what is to be called.
 */
bool loop_leave(struct loop *l);
void loop_come_back(struct loop *l);

static inline bool event_is_armed(const struct event *ev)
{
	return ev->slot != 0;
}

/*
 * Keep the credentials that this thread has now for operations until loop_forget_personality(),
 * which must wait for the end of each of them. Returns the personality, from 1, or -errno.
 */
int loop_personality(struct loop *l);
void loop_forget_personality(struct loop *l, int personality);

/*
 * Each arms the idle event `ev`. Return 0, or -EBUSY when as many events are armed as the loop
 * holds.
 *
 * loop_poll() reports poll(2) bits once. loop_watch() reports them again and again: one report may
 * stand for many, so the callback takes what there is until there is no more; when the kernel ends
 * the operation (overflow, ...) the loop arms it anew.
 * loop_connect() copies the address when it is submitted, before the turn ends; loop_write() needs
 * its buffer until the callback; loop_timeout() is relative. A connect with a `personality` that is
 * not 0 has the credentials of the thread at the moment of loop_personality().
 */
int loop_poll(struct loop *l, struct event *ev, int fd, unsigned mask);
int loop_watch(struct loop *l, struct event *ev, int fd, unsigned mask);
int loop_connect(struct loop *l, struct event *ev, int fd, const struct sockaddr *addr,
		 socklen_t len, int personality);
int loop_write(struct loop *l, struct event *ev, int fd, const void *buf, unsigned len);
int loop_timeout(struct loop *l, struct event *ev, struct __kernel_timespec *ts);

/*
 * System calls on files, which a thread of the kernel's makes: the file system may hang. It shares
 * this process's directory and umask, which change at any time: paths are absolute, and a mode has
 * what the umask is to take away taken away. What is pointed to must stay until the callback.
 */
int loop_open(struct loop *l, struct event *ev, const char *path, int flags, mode_t mode);
int loop_statx(struct loop *l, struct event *ev, int fd, struct statx *out);
int loop_unlink(struct loop *l, struct event *ev, const char *path);
int loop_rename(struct loop *l, struct event *ev, const char *from, const char *to);

/* Close `fd`, and let nobody know. */
void loop_close(struct loop *l, int fd);

/*
 * Close `fd` in the system call that waits next, before it waits; that saves one of its own. One
 * that was given before and is still open is closed at once, and so it is by loop_close_now().
 */
void loop_close_soon(struct loop *l, int fd);
void loop_close_now(struct loop *l);

/*
 * Ask for the end of an armed operation. The callback still comes: with -ECANCELED, or with the
 * result when the operation was faster.
 */
void loop_cancel(struct loop *l, struct event *ev);

/* As loop_cancel(), but the event is idle at once and its callback never comes. */
void loop_forget(struct loop *l, struct event *ev);

#endif
