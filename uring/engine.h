/* SPDX-License-Identifier: MIT */
/*
 * The engine: from a trapped system call to its answer.
 *
 * It receives notifications in batches from the seccomp listener, decodes each
 * (one copy of what the task pointed to, on a pinned duplicate of its socket),
 * asks the policy, performs what is allowed on behalf of the task and answers.
 * A call that cannot finish at once waits as an event on the ring; no call
 * waits for another.
 */
#ifndef SANDTOP_URING_ENGINE_H
#define SANDTOP_URING_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/caps.h"
#include "core/connections.h"
#include "core/listeners.h"
#include "core/identity.h"
#include "core/local.h"
#include "core/outbound.h"
#include "core/socket.h"
#include "core/stats.h"
#include "core/task.h"
#include "policy/live.h"
#include "policy/policy.h"
#include "uring/addresses.h"
#include "uring/closer.h"
#include "uring/guess.h"
#include "uring/loop.h"
#include "uring/report.h"
#include "uring/snapshot.h"
#include "uring/spans.h"

enum {
	ENGINE_CALLS = 4096, /* notifications taken and not yet answered, if RLIMIT_NOFILE allows */
	ENGINE_BATCH = 64,   /* notifications taken in one go */
	ASK_HELD = 256,      /* questions that wait at once */
	ENGINE_STEADY = 8,   /* waits that ended with a call, after which others are expected to */
	ENGINE_UNASKED = 8,  /* batches after which it is tried again whether more have come */
};

/* Questions to the operator (ask.h). */
struct ask {
	uint64_t timeout;            /* ns */
	uint64_t last;               /* number of the last one; from 1 */
	uint64_t shown;              /* number of the last one that was told to anybody */
	unsigned held;               /* waiting now */
	bool (*attended)(void *arg); /* whether somebody is there to answer; NULL: nobody ever */
	void *arg;
};

struct call;
struct dns;
struct learn;
struct mirror;
struct scratch;

struct engine {
	struct loop *loop;
	struct stats *stats;
	struct report *report;
	struct snapshot *snapshot;   /* the live one */
	const struct policy *policy; /* its policy */
	struct names *names;         /* what the sandbox has resolved */
	struct live live;            /* what its words stand for right now */
	struct addresses addresses;
	struct listeners listeners;
	uint64_t generation;
	struct snapshot *retired; /* list of those that nobody uses any more, to be freed */
	int listener;             /* -1 once the last task is gone */
	struct event listener_event;
	bool shares_tables; /* a process shares its descriptors with one that is no thread of it */
	bool pending;       /* the listener may have more than was taken; else it is polled */
	bool certain;       /* it has at least one */
	unsigned unasked;   /* so many batches more end without asking for more */
	unsigned steady;    /* waits in turn that a call has ended, ENGINE_STEADY at most */
	struct tasks tasks;
	struct sockets sockets;
	struct guesses guesses; /* of sendmsg(2) */
	struct caps caps;
	struct identity identity;
	struct local local; /* AF_UNIX sockets that the sandbox made */
	struct connections connections;
	struct outbound outbound;
	struct closer closer;
	bool outbound_full; /* outbound_keep() is due */
	struct ask ask;
	bool paused;        /* new calls are held (pause.h) */
	unsigned held;      /* calls that the operator holds up */
	unsigned panics;    /* asked for, and not in the snapshot yet: all is denied */
	struct call *calls; /* room for max_calls */
	unsigned max_calls;
	unsigned used_calls;   /* of calls, from the first on: the rest was never touched */
	struct call *free;     /* list of the used ones that are free again */
	struct call *waiting;  /* list of the calls that wait for the ring */
	struct call *runnable; /* list of the calls that go on in the next turn */
	unsigned nwaiting;
	unsigned fresh; /* of those, how many have not waited for a tick yet */
	struct event tick_event;
	struct __kernel_timespec tick;
	struct learn *learn;   /* what is allowed is remembered in it; NULL: nothing is */
	struct mirror *mirror; /* NULL: there is none */
	struct dns *dns;       /* the sinkhole in it, or NULL */
	struct spans spans[SPANS_THREADS]; /* for the next sendmmsg of a thread */
	struct scratch *scratch;           /* buffers of the call that is being served */
};

struct engine_config {
	int listener;              /* the engine's from now on, also when it cannot start */
	struct snapshot *snapshot; /* generation 1; the engine takes a reference */
	unsigned max_connections;  /* 0 = no limit */
	uint64_t ask_timeout;      /* ns */
	struct learn *learn;       /* NULL = nothing is learned; stays the caller's */
	struct mirror *mirror;     /* the same */
	struct loop *loop;
	struct stats *stats;
	struct report *report;
};

/*
 * Start to serve. *e must be all zero: to clear it here would touch pages that a short run does not.
 * Returns 0, -ENOMEM, or -errno of the ring; engine_exit() is due in any case.
 */
int engine_init(struct engine *e, const struct engine_config *config);
void engine_exit(struct engine *e);

/*
 * What the live policy says to an endpoint that is asked for with `sock`. What its `self` is, is
 * found out here if that matters.
 */
struct decision engine_decide(struct engine *e, int sock, struct endpoint *endpoint);

/*
 * From now on judge by this snapshot, of which the engine takes a reference. Calls that wait and
 * are denied by it are cancelled: each gets its denial and its socket is shut. Returns how many.
 */
unsigned engine_swap(struct engine *e, struct snapshot *s, uint64_t generation);

/* So many more calls are held up, or fewer: the ledger says how many. */
void engine_count_held(struct engine *e, int change);

/* To be called once in each turn of the loop: serves what has come in. */
void engine_run(struct engine *e);

/*
 * Wait for a call in NOTIF_RECV, if that is what is likely to come next, and serve it. Else
 * nothing. To be called before loop_turn(), when nothing else is left to be done in this turn.
 */
void engine_wait(struct engine *e);

#endif
