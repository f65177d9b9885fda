/* SPDX-License-Identifier: MIT */
#include "uring/engine.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "policy/addr.h"
#include "policy/names.h"
#include "uring/blocked.h"
#include "uring/call.h"
#include "uring/pause.h"

static const struct call_type types[] = {
	{ SYS_connect, "connect", STAT_CONNECT, false, connect_begin, false },
	{ SYS_sendto, "sendto", STAT_SENDTO, false, sendto_begin, false },
	{ SYS_sendmsg, "sendmsg", STAT_SENDMSG, false, sendmsg_begin, false },
	{ SYS_sendmmsg, "sendmmsg", STAT_SENDMMSG, false, sendmmsg_begin, false },
	{ SYS_bind, "bind", STAT_BIND, true, bind_begin, false },
	{ SYS_listen, "listen", STAT_LISTEN, true, listen_begin, false },
	{ SYS_clone, "clone", STAT_CONTINUED, false, clone_begin, true },
	{ SYS_prlimit64, "prlimit64", STAT_CONTINUED, false, reach_begin, true },
	{ SYS_setpriority, "setpriority", STAT_CONTINUED, false, reach_begin, true },
	{ SYS_ioprio_set, "ioprio_set", STAT_CONTINUED, false, reach_begin, true },
	{ SYS_sched_setparam, "sched_setparam", STAT_CONTINUED, false, reach_begin, true },
	{ SYS_sched_setscheduler, "sched_setscheduler", STAT_CONTINUED, false, reach_begin, true },
	{ SYS_sched_setaffinity, "sched_setaffinity", STAT_CONTINUED, false, reach_begin, true },
	{ SYS_sched_setattr, "sched_setattr", STAT_CONTINUED, false, reach_begin, true },
};

static const struct call_type *type_of(int nr)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].nr == nr)
			return &types[i];
	return NULL;
}

static struct engine *engine_of(struct event *ev)
{
	return (struct engine *)((char *)ev - offsetof(struct engine, listener_event));
}

static void listener_readable(struct event *ev, int res)
{
	struct engine *e = engine_of(ev);

	if (res >= 0 && (res & POLLIN)) {
		e->pending = e->certain = true;
		if (e->steady < ENGINE_STEADY)
			e->steady++;
	}
	if (res < 0 || (res & POLLHUP)) {
		/* No task is left that could trap. */
		close(e->listener);
		e->listener = -1;
		e->pending = false;
	}
}

/* A call that waits holds up to three descriptors; everything else needs its share, too. */
static unsigned affordable_calls(void)
{
	struct rlimit limit;
	unsigned others = 2 * TASKS_CACHED + LOCAL_SOCKETS + 256;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur < others + 3 * ENGINE_BATCH)
		return ENGINE_BATCH;
	if (limit.rlim_cur >= others + 3 * ENGINE_CALLS)
		return ENGINE_CALLS;
	return (unsigned)(limit.rlim_cur - others) / 3;
}

int engine_init(struct engine *e, const struct engine_config *config)
{
	int ret;

	e->loop = config->loop;
	e->stats = config->stats;
	e->report = config->report;
	e->snapshot = snapshot_get(config->snapshot);
	e->policy = config->snapshot->policy;
	e->generation = 1;
	e->ask.timeout = config->ask_timeout;
	e->listener = config->listener;
	e->listener_event.fn = listener_readable;
	e->learn = config->learn;
	e->mirror = config->mirror;
	e->sockets.netns = config->mirror != NULL;
	e->addresses.watch = -1;
	closer_init(&e->closer);
	tasks_init(&e->tasks);
	listeners_init(&e->listeners);
	ret = local_init(&e->local, &e->identity);
	if (!ret)
		ret = connections_init(&e->connections, config->max_connections);
	if (!ret)
		ret = outbound_init(&e->outbound);
	if (!ret)
		ret = caps_init(&e->caps);
	if (!ret)
		ret = identity_init(&e->identity, &e->caps);
	if (ret)
		return ret;
	e->names = names_new();
	if (!e->names)
		return -ENOMEM;
	e->live = (struct live){ .names = e->names, .now = loop_now() };
	e->max_calls = affordable_calls();
	e->calls = calloc(e->max_calls, sizeof(*e->calls));
	e->scratch = malloc(sizeof(*e->scratch));
	if (!e->calls || !e->scratch)
		return -ENOMEM;
	blocked_init(e);
	ret = addresses_init(&e->addresses, &e->live, e->loop, e->report);
	if (ret)
		return ret;
	return loop_poll(e->loop, &e->listener_event, e->listener, POLLIN);
}

void engine_exit(struct engine *e)
{
	while (e->waiting)
		blocked_forget(e, e->waiting);
	if (e->listener >= 0)
		close(e->listener);
	closer_exit(&e->closer);
	tasks_exit(&e->tasks);
	local_exit(&e->local);
	connections_exit(&e->connections);
	names_free(e->names);
	listeners_exit(&e->listeners);
	addresses_exit(&e->addresses);
	outbound_exit(&e->outbound);
	free(e->calls);
	free(e->scratch);
	snapshot_put(e->snapshot, &e->retired);
	snapshot_free(e->retired);
}

unsigned engine_swap(struct engine *e, struct snapshot *s, uint64_t generation)
{
	struct snapshot *before = e->snapshot;

	e->snapshot = snapshot_get(s);
	e->policy = s->policy;
	e->generation = generation;
	snapshot_put(before, &e->retired);
	return blocked_judge_again(e);
}

void engine_count_held(struct engine *e, int change)
{
	e->held += (unsigned)change;
	ledger_set_held(e->report->ledger, e->held);
}

/* A port that the kernel chose for a listener is another one next time: that it is ours is learned.
 */
static bool learns_self(const struct engine *e, const struct endpoint *endpoint)
{
	return e->learn && endpoint->dir == DIR_OUT && addr_is_loopback(endpoint->addr) &&
	       (endpoint->proto == PROTO_TCP || endpoint->proto == PROTO_UDP);
}

struct decision engine_decide(struct engine *e, int sock, struct endpoint *endpoint)
{
	struct decision d;

	if (e->panics)
		return (struct decision){ .verdict = VERDICT_DENY, .reason = REASON_PANIC };
	endpoint->self =
		(policy_asks_self(e->policy, &e->live, endpoint) || learns_self(e, endpoint)) &&
		listeners_has(&e->listeners, sock, endpoint);
	/* Whom it sends to answers. */
	if (endpoint->self && endpoint->proto == PROTO_UDP)
		listeners_add(&e->listeners, sock);
	d = policy_decide(e->policy, &e->live, endpoint);
	/* The swap that takes the rule away is on its way. */
	if (d.reason == REASON_RULE && source_has_ended(e->snapshot->source, d.rule, e->live.now))
		d = (struct decision){ .reason = REASON_ERROR, .error = ETIME };
	return d;
}

static bool has_free_call(const struct engine *e)
{
	return e->free || e->used_calls < e->max_calls;
}

static struct call *take_call(struct engine *e)
{
	struct call *c = e->free;

	if (!c)
		return &e->calls[e->used_calls++];
	e->free = c->next;
	return c;
}

static void refuse_protocol(struct engine *e, struct call *c)
{
	c->decision = (struct decision){ .verdict = VERDICT_DENY, .reason = REASON_PROTOCOL };
	call_deny(e, c);
}

/*
 * The descriptor is no socket (ENOTSOCK), or none at all (EBADF). Two calls look at an argument
 * before they find out (net/socket.c, __sys_connect() and __sys_sendto()).
 */
static void fail_without_socket(struct engine *e, struct call *c, int error)
{
	struct sockaddr_storage raw;
	size_t len;

	if (c->sock >= 0)
		closer_take(&e->closer, c->sock);
	c->sock = -1;
	if (c->n.nr == SYS_connect && error == ENOTSOCK &&
	    !call_copy_address(e, c, c->n.args[1], (int)c->n.args[2], &raw, &len))
		return;
	/* Whether the address can be a task's, which is all that is asked without a descriptor. */
	if (c->n.nr == SYS_sendto &&
	    sendto(-1, (const void *)c->n.args[1], c->n.args[2], 0, NULL, 0) < 0 && errno == EFAULT)
		error = EFAULT;
	call_fail(e, c, error);
}

static void begin(struct engine *e, struct call *c, int res)
{
	int ret;

	(void)res;
	if (c->type->no_socket) {
		c->type->begin(e, c, 0);
		return;
	}
	/* What a record can tell if nothing more is found out. */
	c->target.endpoint.dir = c->type->inbound ? DIR_IN : DIR_OUT;
	ret = tasks_pin(&e->tasks, c->n.tid, (int)c->n.args[0]);
	if (ret >= 0) {
		c->sock = ret;
		ret = socket_inspect(&e->sockets, c->sock, &c->info);
	}
	if (ret == -EBADF || ret == -ENOTSOCK)
		fail_without_socket(e, c, -ret);
	else if (ret)
		call_refuse(e, c, -ret);
	else if (c->info.kind == SOCKET_UNKNOWN)
		refuse_protocol(e, c);
	else
		c->type->begin(e, c, 0);
}

static void take(struct engine *e, struct call *c)
{
	c->type = type_of(c->n.nr);
	if (!c->type)
		/* Not in the plan: nobody asked to see it. */
		call_fail(e, c, ENOSYS);
	else if (e->paused)
		pause_hold(e, c, begin);
	else
		begin(e, c, 0);
}

/*
 * Whether a notification can be taken without sleeping. The ring's poll was armed when nothing was
 * being taken, so what it reports is still there, and need not be asked for again. After that, to
 * ask pays where several tasks are at it; a single one has yet to be woken by the answer.
 */
static bool is_ready(struct engine *e)
{
	if (e->certain) {
		e->certain = false;
		return true;
	}
	if (e->unasked) {
		e->unasked--;
		return false;
	}
	if (notif_ready(e->listener) > 0)
		return true;
	e->unasked = ENGINE_UNASKED;
	return false;
}

static void serve(struct engine *e, const struct notif *notif)
{
	struct call *c = take_call(e);

	/* What the task closed before this call is closed. */
	loop_close_now(e->loop);
	*c = (struct call){ .n = *notif, .sock = -1, .peer = -1, .stat = -1, .engine = e };
	c->start = e->live.now = loop_now();
	take(e, c);
}

static void count_batch(struct engine *e, unsigned n)
{
	if (!n)
		return;
	stats_add(e->stats, STAT_BATCHES, 1);
	stats_add(e->stats, STAT_NOTIFICATIONS, n);
	stats_peak(e->stats, STAT_BATCH_PEAK, n);
}

/*
 * Serve what there is, up to a bound: with several tasks the answers bring the next calls, and the
 * ring would never get its turn.
 */
static void run_batch(struct engine *e)
{
	unsigned n = 0;

	while (n < ENGINE_BATCH && has_free_call(e) && is_ready(e)) {
		struct notif notif;
		int ret = notif_recv(e->listener, &notif);

		if (ret == -ENOENT || ret == -EINTR)
			continue;
		if (ret)
			break;
		serve(e, &notif);
		n++;
	}
	/* Full, or no call free: there may be more. Else it is the ring's to say so. */
	e->pending = n == ENGINE_BATCH || !has_free_call(e) ||
		     loop_poll(e->loop, &e->listener_event, e->listener, POLLIN);
	count_batch(e, n);
}

/*
 * Whether to wait in NOTIF_RECV: if it is calls that end the waits, one after the other, and
 * nothing that the ring would have to tell is likely on its way: a call that has waited for long
 * goes on to. That saves the ring's poll, and the
 * kernel lets who wakes us know that we go on in its place (SYNC_WAKE_UP). What the ring has to
 * tell all the same costs a thread's turn more.
 */
static bool waits_for_calls(const struct engine *e)
{
	return e->steady == ENGINE_STEADY && e->pending && e->listener >= 0 && !e->fresh &&
	       !e->runnable && has_free_call(e);
}

void engine_wait(struct engine *e)
{
	struct notif notif;
	int ret;

	if (!waits_for_calls(e))
		return;
	if (loop_leave(e->loop)) {
		stats_add(e->stats, STAT_DIRECT_WAITS, 1);
		ret = notif_recv(e->listener, &notif);
		loop_come_back(e->loop);
		e->certain = false;
		if (ret) {
			/* The ring has something to tell, which can be that no task is left. */
			e->steady = 0;
		} else {
			serve(e, &notif);
			count_batch(e, 1);
		}
	}
	/* What was prepared, such as a connect, is often over when it has been submitted. */
	e->loop->again = true;
}

void engine_run(struct engine *e)
{
	addresses_run(&e->addresses);
	blocked_run(e);
	if (waits_for_calls(e))
		return;
	if (e->pending && e->listener >= 0)
		run_batch(e);
	/* With every call taken the listener waits until one is free again. */
	if (e->runnable || (e->pending && has_free_call(e) && e->listener >= 0))
		e->loop->again = true;
}
