/* SPDX-License-Identifier: MIT */
#include "uring/loop.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/*
 * How long a wait that closes something may pass for a turn that is still going on: see wait().
 * Well below the time after which a turn is taken for stuck.
 */
enum { WAKE_NS = 100 * 1000 * 1000 };

/*
 * The cookie of an operation is generation:32 | slot:32, so that the completion of an operation
 * whose slot was given away meanwhile is recognised. A cookie of 0 is one whose completion says
 * nothing to anybody.
 */
static uint64_t cookie(const struct loop *l, uint32_t slot)
{
	return (uint64_t)l->slots[slot].generation << 32 | slot;
}

uint64_t loop_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void woken(struct event *ev, int res)
{
	(void)ev; /* the turn is what it is for */
	(void)res;
}

int loop_init(struct loop *l, unsigned entries, unsigned events, struct stats *stats)
{
	/*
	 * Multishot polls complete faster than they are submitted: a larger completion queue. A
	 * completion is posted in whatever system call comes next, or sleeps (loop_leave()), and
	 * does not interrupt what is none (COOP_TASKRUN).
	 */
	struct io_uring_params params = {
		.flags = IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP |
			 IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN,
		.cq_entries = entries * 8,
	};
	int ret;

	*l = (struct loop){
		.stats = stats,
		.nslots = events + 1,
		.closing = -1,
		.waker = { .fn = woken },
		.wake_time = { .tv_nsec = WAKE_NS },
	};
	l->slots = calloc(l->nslots, sizeof(*l->slots));
	if (!l->slots)
		return -ENOMEM;
	ret = io_uring_queue_init_params(entries, &l->ring, &params);
	if (ret == -EINVAL) {
		/* Before Linux 6.0. */
		params.flags &= ~IORING_SETUP_SINGLE_ISSUER;
		ret = io_uring_queue_init_params(entries, &l->ring, &params);
	}
	if (ret) {
		free(l->slots);
		l->slots = NULL;
		return ret;
	}
	rouse_init(&l->rouse, &l->ring);
	return 0;
}

void loop_exit(struct loop *l)
{
	if (!l->slots)
		return;
	loop_close_now(l);
	rouse_exit(&l->rouse);
	io_uring_queue_exit(&l->ring);
	free(l->slots);
	l->slots = NULL;
}

static void submit(struct loop *l)
{
	/* What completes on the way, as a connect on loopback often does, is seen at once. */
	int n = io_uring_submit_and_get_events(&l->ring);

	stats_add(l->stats, STAT_RING_ENTERED, 1);
	if (n > 0)
		stats_add(l->stats, STAT_RING_SUBMITTED, (uint64_t)n);
	if (!io_uring_sq_ready(&l->ring))
		l->acts = l->closes = false;
}

/* NULL only if the kernel takes no more even after a submission. */
static struct io_uring_sqe *get_sqe(struct loop *l)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&l->ring);

	if (!sqe) {
		submit(l);
		sqe = io_uring_get_sqe(&l->ring);
	}
	return sqe;
}

/* Take a slot and a submission entry for `ev`; the entry's cookie is set by commit(). */
static struct io_uring_sqe *begin(struct loop *l, struct event *ev)
{
	bool fresh = !l->free_slot;
	uint32_t slot = fresh ? l->used_slots + 1 : l->free_slot;
	struct io_uring_sqe *sqe;

	assert(!event_is_armed(ev));
	if (slot >= l->nslots)
		return NULL;
	sqe = get_sqe(l);
	if (!sqe)
		return NULL;
	if (fresh)
		l->used_slots++;
	else
		l->free_slot = l->slots[slot].next_free;
	l->slots[slot].ev = ev;
	l->slots[slot].multishot = false;
	ev->slot = slot;
	return sqe;
}

static int commit(struct loop *l, struct event *ev, struct io_uring_sqe *sqe)
{
	io_uring_sqe_set_data64(sqe, cookie(l, ev->slot));
	return 0;
}

/* The same for one that does more than wait: see wait(). */
static int commit_act(struct loop *l, struct event *ev, struct io_uring_sqe *sqe)
{
	l->acts = true;
	return commit(l, ev, sqe);
}

static void free_slot(struct loop *l, uint32_t slot)
{
	l->slots[slot].ev = NULL;
	l->slots[slot].generation++;
	l->slots[slot].next_free = l->free_slot;
	l->free_slot = slot;
}

int loop_poll(struct loop *l, struct event *ev, int fd, unsigned mask)
{
	struct io_uring_sqe *sqe = begin(l, ev);

	if (!sqe)
		return -EBUSY;
	io_uring_prep_poll_add(sqe, fd, mask);
	return commit(l, ev, sqe);
}

int loop_watch(struct loop *l, struct event *ev, int fd, unsigned mask)
{
	struct io_uring_sqe *sqe = begin(l, ev);

	if (!sqe)
		return -EBUSY;
	io_uring_prep_poll_multishot(sqe, fd, mask);
	l->slots[ev->slot].multishot = true;
	l->slots[ev->slot].fd = fd;
	l->slots[ev->slot].mask = mask;
	return commit(l, ev, sqe);
}

int loop_personality(struct loop *l)
{
	return io_uring_register_personality(&l->ring);
}

void loop_forget_personality(struct loop *l, int personality)
{
	io_uring_unregister_personality(&l->ring, personality);
}

int loop_connect(struct loop *l, struct event *ev, int fd, const struct sockaddr *addr,
		 socklen_t len, int personality)
{
	struct io_uring_sqe *sqe = begin(l, ev);

	if (!sqe)
		return -EBUSY;
	io_uring_prep_connect(sqe, fd, addr, len);
	sqe->personality = (uint16_t)personality;
	return commit_act(l, ev, sqe);
}

int loop_write(struct loop *l, struct event *ev, int fd, const void *buf, unsigned len)
{
	struct io_uring_sqe *sqe = begin(l, ev);

	if (!sqe)
		return -EBUSY;
	/* Offset -1: at the file's own position, which O_APPEND moves to the end. */
	io_uring_prep_write(sqe, fd, buf, len, (__u64)-1);
	return commit_act(l, ev, sqe);
}

int loop_timeout(struct loop *l, struct event *ev, struct __kernel_timespec *ts)
{
	struct io_uring_sqe *sqe = begin(l, ev);

	if (!sqe)
		return -EBUSY;
	io_uring_prep_timeout(sqe, ts, 0, 0);
	return commit(l, ev, sqe);
}

int loop_open(struct loop *l, struct event *ev, const char *path, int flags, mode_t mode)
{
	struct io_uring_sqe *sqe = begin(l, ev);

	if (!sqe)
		return -EBUSY;
	io_uring_prep_openat(sqe, AT_FDCWD, path, flags | O_CLOEXEC, mode);
	return commit_act(l, ev, sqe);
}

int loop_statx(struct loop *l, struct event *ev, int fd, struct statx *out)
{
	struct io_uring_sqe *sqe = begin(l, ev);

	if (!sqe)
		return -EBUSY;
	io_uring_prep_statx(sqe, fd, "", AT_EMPTY_PATH, STATX_SIZE, out);
	return commit_act(l, ev, sqe);
}

int loop_unlink(struct loop *l, struct event *ev, const char *path)
{
	struct io_uring_sqe *sqe = begin(l, ev);

	if (!sqe)
		return -EBUSY;
	io_uring_prep_unlinkat(sqe, AT_FDCWD, path, 0);
	return commit_act(l, ev, sqe);
}

int loop_rename(struct loop *l, struct event *ev, const char *from, const char *to)
{
	struct io_uring_sqe *sqe = begin(l, ev);

	if (!sqe)
		return -EBUSY;
	io_uring_prep_renameat(sqe, AT_FDCWD, from, AT_FDCWD, to, 0);
	return commit_act(l, ev, sqe);
}

void loop_close(struct loop *l, int fd)
{
	struct io_uring_sqe *sqe = get_sqe(l);

	if (!sqe) {
		close(fd);
		return;
	}
	io_uring_prep_close(sqe, fd);
	l->acts = true;
	io_uring_sqe_set_data64(sqe, 0);
}

void loop_close_now(struct loop *l)
{
	if (l->closing >= 0)
		close(l->closing);
	l->closing = -1;
}

void loop_close_soon(struct loop *l, int fd)
{
	loop_close_now(l);
	l->closing = fd;
}

static void submit_closing(struct loop *l)
{
	struct io_uring_sqe *sqe;

	if (l->closing < 0)
		return;
	sqe = get_sqe(l);
	if (!sqe) {
		loop_close_now(l);
		return;
	}
	/* io_uring/openclose.c io_close(): without ->flush it is done inside the submission. */
	io_uring_prep_close(sqe, l->closing);
	sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
	io_uring_sqe_set_data64(sqe, 0);
	l->closing = -1;
	l->closes = true;
}

/* One for all the waits of its time: a busy loop arms ten in a second. */
static bool waker_is_set(struct loop *l)
{
	return event_is_armed(&l->waker) || loop_timeout(l, &l->waker, &l->wake_time) == 0;
}

static void cancel(struct loop *l, uint64_t which)
{
	struct io_uring_sqe *sqe = get_sqe(l);

	stats_add(l->stats, STAT_CANCELLED, 1);
	if (!sqe)
		return; /* the caller asks again on its next tick */
	io_uring_prep_cancel64(sqe, which, 0);
	io_uring_sqe_set_data64(sqe, 0);
}

void loop_cancel(struct loop *l, struct event *ev)
{
	if (event_is_armed(ev))
		cancel(l, cookie(l, ev->slot));
}

void loop_forget(struct loop *l, struct event *ev)
{
	if (!event_is_armed(ev))
		return;
	cancel(l, cookie(l, ev->slot));
	l->slots[ev->slot].ev = NULL;
	ev->slot = 0;
}

static int dispatch(struct loop *l, const struct io_uring_cqe *cqe)
{
	uint64_t data = io_uring_cqe_get_data64(cqe);
	uint32_t index = (uint32_t)data;
	bool more = cqe->flags & IORING_CQE_F_MORE;
	struct slot *slot = &l->slots[index];
	struct event *ev = slot->ev;
	int fd = slot->fd;
	unsigned mask = slot->mask;
	bool again;

	if (!index || slot->generation != data >> 32)
		return 0;
	again = slot->multishot && cqe->res >= 0;
	if (!more) {
		if (ev)
			ev->slot = 0;
		free_slot(l, index);
	}
	if (!ev)
		return 0;
	ev->fn(ev, cqe->res);
	if (again && !more && !event_is_armed(ev)) {
		/* The kernel ended a poll that is still wanted: it would stay deaf for ever. */
		stats_add(l->stats, STAT_POLL_REARMED, 1);
		return loop_watch(l, ev, fd, mask);
	}
	return 0;
}

static bool is_prepared(const struct loop *l)
{
	return io_uring_sq_ready(&l->ring) || io_uring_cq_has_overflow(&l->ring);
}

/*
 * Whether there is no reason to enter the kernel: what has completed is in shared memory since the
 * last system call, and whoever waits next, or serves the next call, closes what is to be closed.
 */
static bool is_done_without(const struct loop *l)
{
	return l->again && !is_prepared(l);
}

/*
 * Submit, and wait for a completion or, with `again`, only take those that there are.
 *
 * What may take long begins inside its submission, so that is not yet waiting, and has a submission
 * of its own. Only a close shares the one that waits. It can be the last of a stream, because the
 * task has closed its own meanwhile, and linger (socket(7), SO_LINGER). So a wait with a close is
 * not called one: whoever feels the pulse interrupts what does not end. That it is no more than a
 * wait in the end, the waker shows in time.
 */
static int wait(struct loop *l)
{
	int ret;

	if (is_done_without(l))
		return 0;
	submit_closing(l);
	if (l->acts || (l->closes && !waker_is_set(l))) {
		submit(l);
		if (l->again || io_uring_cq_ready(&l->ring))
			return 0;
	}
	if (l->pulse && !l->closes)
		*l->pulse = 0;
	do {
		stats_add(l->stats, STAT_RING_ENTERED, 1);
		if (l->again)
			ret = io_uring_submit_and_get_events(&l->ring);
		else
			ret = io_uring_submit_and_wait(&l->ring, 1);
		if (!io_uring_sq_ready(&l->ring))
			l->closes = false;
		/* EBUSY and EAGAIN: completions must be taken before more is submitted. */
	} while (ret == -EINTR);
	return ret;
}

bool loop_leave(struct loop *l)
{
	/* Before it passes for waiting: a close can linger. */
	loop_close_now(l);
	if (l->again || is_prepared(l) || !rouse_sleep(&l->rouse))
		return false;
	if (l->pulse)
		*l->pulse = 0;
	return true;
}

void loop_come_back(struct loop *l)
{
	rouse_awake(&l->rouse);
	if (l->pulse)
		*l->pulse = ++l->turns;
}

int loop_turn(struct loop *l)
{
	struct io_uring_cqe *cqe;
	unsigned head, count = 0;
	int ret = wait(l);

	if (l->pulse)
		*l->pulse = ++l->turns;
	if (ret < 0 && ret != -EBUSY && ret != -EAGAIN)
		return ret;
	l->again = false;
	ret = 0;
	io_uring_for_each_cqe(&l->ring, head, cqe)
	{
		/* A copy: callbacks may submit, which may let the kernel reuse the entry. */
		struct io_uring_cqe copy = { .user_data = cqe->user_data,
					     .res = cqe->res,
					     .flags = cqe->flags };

		count++;
		if (!ret)
			ret = dispatch(l, &copy);
	}
	io_uring_cq_advance(&l->ring, count);
	stats_add(l->stats, STAT_RING_COMPLETED, count);
	if (io_uring_cq_has_overflow(&l->ring))
		l->again = true;
	return ret;
}
