/* SPDX-License-Identifier: MIT */
#include "uring/swap.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/mirror.h"
#include "policy/error.h"
#include "uring/ask.h"
#include "uring/change.h"
#include "uring/dns.h"

/*
 * A connection that is handed from task to task just then can be missed, so the open flows are
 * looked at again a little later, and while it is known that some could not be seen.
 */
enum { LOOK_AGAIN_SECONDS = 1, LOOKS_MAX = 60, RETRY_SECONDS = 10 };

static json_t *lines(const struct diff_lines *l)
{
	json_t *array = json_array();

	for (size_t i = 0; i < l->n && i < SWAP_LINES; i++) {
		json_t *text = json_string(l->v[i]);

		json_array_append_new(array, text ? text : json_string("(not UTF-8)"));
	}
	return array;
}

/* What a reply and the event have in common. NULL for want of memory. */
static json_t *describe(const struct change *c)
{
	json_t *json = json_pack("{s:I, s:i, s:i, s:b}", "generation",
				 (json_int_t)c->swap->engine->generation, "shut",
				 (int)(c->shut.shut + c->cancelled), "unseen",
				 (int)c->shut.tree.unseen, "unsettled", c->shut.tree.unsettled);

	if (json && c->ret)
		json_object_set_new(json, "warning",
				    json_sprintf("the open flows could not be looked at: %s",
						 strerror(-c->ret)));
	if (!json || c->kind == CHANGE_SHUT)
		return json;
	json_object_set_new(json, "added", lines(&c->diff.added));
	json_object_set_new(json, "removed", lines(&c->diff.removed));
	json_object_set_new(json, "added_count", json_integer((json_int_t)c->diff.added.n));
	json_object_set_new(json, "removed_count", json_integer((json_int_t)c->diff.removed.n));
	json_object_set_new(json, "moved", json_boolean(c->diff.moved));
	return json;
}

static void reply(struct change *c, int ret)
{
	json_t *json = ret ? json_object() : describe(c);

	if (!c->client) {
		json_decref(json);
		return;
	}
	if (ret && *c->err.text)
		control_refuse(json, "%s", c->err.text);
	control_reply(c->client, json, json ? ret : -ENOMEM, -1);
}

/* Put a snapshot behind the others of a list; of a full one the first is forgotten. */
static void keep(struct swap *s, struct snapshot **list, unsigned *n, struct snapshot *snapshot)
{
	if (*n == SWAP_HISTORY) {
		snapshot_put(list[0], &s->engine->retired);
		memmove(list, list + 1, (SWAP_HISTORY - 1) * sizeof(*list));
		--*n;
	}
	list[(*n)++] = snapshot_get(snapshot);
}

static void forget(struct swap *s, struct snapshot **list, unsigned *n)
{
	while (*n)
		snapshot_put(list[--*n], &s->engine->retired);
}

static void look_again(struct swap *s, bool unsettled)
{
	if (event_is_armed(&s->later))
		return;
	if (s->looks && (!unsettled || s->looks == LOOKS_MAX)) {
		forget(s, s->before, &s->n_before);
		return;
	}
	s->looks++;
	s->delay = (struct __kernel_timespec){ .tv_sec = LOOK_AGAIN_SECONDS };
	loop_timeout(s->engine->loop, &s->later, &s->delay);
}

static void narrowed(struct job *j)
{
	struct change *c = (struct change *)j;
	struct swap *s = c->swap;
	json_t *event;

	c->ret = j->error ? j->error : c->ret;
	reply(c, 0);
	if (c->kind == CHANGE_LOOK) {
		s->looking = false;
		if (c->shut.shut)
			report_message(s->report, "%u more flows shut that the policy denies",
				       c->shut.shut);
	} else if (c->kind != CHANGE_SHUT) {
		event = describe(c);
		if (event)
			json_object_set_new(event, "event", json_string("swap"));
		control_tell(s->control, event);
		s->looks = 0;
	}
	if (c->kind != CHANGE_SHUT)
		look_again(s, c->shut.tree.unsettled);
	change_free(c);
}

/* Be there when the next rule ends, but not within `least` seconds. */
static void await_end(struct swap *s, unsigned least)
{
	uint64_t end = source_ends(s->engine->snapshot->source), now = loop_now();

	if (!end)
		return;
	if (end < now + least * 1000000000ull)
		end = now + least * 1000000000ull;
	if (event_is_armed(&s->end)) {
		loop_cancel(s->engine->loop, &s->end);
		return; /* it comes back here */
	}
	end = end > now ? end - now : 1;
	s->until_end = (struct __kernel_timespec){
		.tv_sec = (long long)(end / 1000000000),
		.tv_nsec = (long long)(end % 1000000000),
	};
	loop_timeout(s->engine->loop, &s->end, &s->until_end);
}

/* The snapshot that is to be live, with a reference for the caller; NULL for want of memory. */
static struct snapshot *next_snapshot(struct change *c)
{
	struct swap *s = c->swap;
	struct snapshot *next;

	if (c->kind == CHANGE_UNDO && !c->policy)
		return s->history[--s->depth];
	next = snapshot_new(c->policy, c->source);
	if (!next)
		return NULL;
	c->policy = NULL;
	c->source = NULL;
	if (c->kind == CHANGE_UNDO)
		snapshot_put(s->history[--s->depth], &s->engine->retired);
	else if (c->kind != CHANGE_END) /* that cannot be undone */
		keep(s, s->history, &s->depth, s->engine->snapshot);
	return next;
}

/* The operator has decided, also where the rule that says so is too narrow for the policy. */
static void settle_question(struct engine *e, const struct change *c)
{
	struct call *q = ask_find(e, c->question);

	if (q)
		ask_answer(e, q, c->verdict);
}

/* Make the change take effect. Returns 0 or -errno. */
static int commit(struct change *c)
{
	struct swap *s = c->swap;
	struct engine *e = s->engine;
	struct snapshot *next;

	if (c->kind == CHANGE_UNDO && !s->depth)
		return -ENOENT;
	next = next_snapshot(c);
	if (!next)
		return -ENOMEM;
	/* What the old one judged and is recorded later is counted there, for undo. */
	snapshot_carry(next, e->snapshot, c->match);
	keep(s, s->before, &s->n_before, e->snapshot);
	c->cancelled = engine_swap(e, next, e->generation + 1);
	ledger_set_policy(s->ledger, e->generation, policy_fallback_name(e->policy),
			  source_profile(next->source));
	snapshot_put(next, &e->retired);
	settle_question(e, c);
	await_end(s, 0);
	return 0;
}

/* What the rules have allowed is denied all the same (engine_decide()). */
static void end_failed(struct swap *s, const struct change *c, int ret)
{
	report_message(s->report, "a rule whose time is over could not be taken out yet: %s",
		       *c->err.text ? c->err.text : strerror(-ret));
	await_end(s, RETRY_SECONDS);
}

/* Somebody else has changed the policy that this change was made for. */
static bool is_late(const struct change *c)
{
	return c->reload.generation && c->reload.generation != c->swap->engine->generation;
}

static int refuse_late(struct change *c)
{
	return policy_error_set(&c->err,
				"the policy has changed meanwhile: expected generation %" PRIu64
				", and it is %" PRIu64,
				c->reload.generation, c->swap->engine->generation);
}

static void prepared(struct job *j)
{
	struct change *c = (struct change *)j;
	struct swap *s = c->swap;
	int ret = j->error ? j->error : c->ret;

	/* It holds for the live policy as well, which is about none of these names. */
	if (!ret && c->known.n)
		ret = dns_bind_known(s->engine->dns, &c->known);
	if (!ret && c->known.more) {
		j->work = change_find_known;
		jobs_go_on(s->jobs, j);
		return;
	}
	if (c->kind == CHANGE_KEEP) {
		if (!ret)
			outbound_keep(&s->engine->outbound, c->cookies, c->n_cookies);
		change_free(c);
		return;
	}
	if (is_late(c))
		ret = refuse_late(c);
	if (!ret && c->reload.is_trial) {
		reply(c, 0);
		change_free(c);
		return;
	}
	if (!ret && c->kind != CHANGE_SHUT && c->kind != CHANGE_LOOK)
		ret = commit(c);
	if (ret == -ENOENT && c->kind == CHANGE_UNDO)
		strcpy(c->err.text, "there is no earlier policy");
	/* From here on the snapshot knows, if there is one. */
	if (c->kind == CHANGE_PANIC)
		s->engine->panics--;
	if (ret) {
		ask_again(s->engine, c->question);
		reply(c, ret);
		if (c->kind == CHANGE_LOOK)
			s->looking = false;
		if (c->kind == CHANGE_END && ret != -ECANCELED)
			end_failed(s, c, ret);
		change_free(c);
		return;
	}
	c->facts = facts_new(&s->engine->live, &s->engine->listeners);
	if (!c->facts) {
		c->ret = -ENOMEM;
		narrowed(j);
		return;
	}
	/* `shut` speaks of what it names alone. */
	if (c->kind != CHANGE_SHUT && s->engine->mirror)
		c->facts->mirror = s->engine->mirror->cookie;
	j->work = change_narrow;
	j->done = narrowed;
	jobs_go_on(s->jobs, j);
}

static int keep_reload(struct change *c, const struct reload *r)
{
	char *path = strdup(r->path), *text = malloc(r->size + 1);

	c->reload = *r;
	c->reload.path = path;
	c->reload.text = text;
	if (!path || !text)
		return -ENOMEM;
	memcpy(text, r->text, r->size);
	return 0;
}

/* Takes ownership. Returns CONTROL_LATER or -errno. */
static int add_change(struct swap *s, struct change *c)
{
	int ret;

	c->job = (struct job){ .work = change_prepare, .done = prepared };
	c->swap = s;
	c->retired = s->engine->retired;
	s->engine->retired = NULL;
	ret = jobs_add(s->jobs, &c->job);
	if (ret) {
		s->engine->retired = c->retired;
		change_free(c);
		return ret;
	}
	return CONTROL_LATER;
}

/* Takes ownership of the text. Returns CONTROL_LATER or -errno. */
static int add(struct swap *s, struct control_client *client, enum change_kind kind, char *text)
{
	struct change *c = malloc(sizeof(*c));

	if (!c) {
		free(text);
		return -ENOMEM;
	}
	*c = (struct change){
		.kind = kind,
		.client = client,
		.text = text,
	};
	return add_change(s, c);
}

int swap_insert(struct swap *s, struct control_client *client, const struct swap_rule *rule)
{
	struct change *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->kind = CHANGE_INSERT;
	c->client = client;
	c->text = strdup(rule->text);
	c->path = rule->profile ? strdup(rule->profile) : NULL;
	c->seconds = rule->seconds;
	c->question = rule->question;
	c->verdict = rule->verdict;
	if (c->text && (c->path || !rule->profile))
		return add_change(s, c);
	change_free(c);
	return -ENOMEM;
}

int swap_shut(struct swap *s, struct control_client *client, const char *rule)
{
	char *text = strdup(rule);

	return text ? add(s, client, CHANGE_SHUT, text) : -ENOMEM;
}

int swap_undo(struct swap *s, struct control_client *client)
{
	return add(s, client, CHANGE_UNDO, NULL);
}

int swap_panic(struct swap *s, struct control_client *client)
{
	int ret = add(s, client, CHANGE_PANIC, NULL);

	/* A change before it may take its time, and must not end it. */
	if (ret == CONTROL_LATER)
		s->engine->panics++;
	return ret;
}

int swap_reload(struct swap *s, struct control_client *client, const struct reload *r)
{
	struct change *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->kind = CHANGE_RELOAD;
	c->client = client;
	if (!keep_reload(c, r))
		return add_change(s, c);
	change_free(c);
	return -ENOMEM;
}

static void later(struct event *ev, int res)
{
	struct swap *s = (struct swap *)((char *)ev - offsetof(struct swap, later));

	if (res == -ETIME && !s->looking)
		s->looking = add(s, NULL, CHANGE_LOOK, NULL) == CONTROL_LATER;
}

static void ended(struct event *ev, int res)
{
	struct swap *s = (struct swap *)((char *)ev - offsetof(struct swap, end));
	uint64_t end = source_ends(s->engine->snapshot->source);

	(void)res;
	if (!end)
		return;
	if (end > loop_now())
		await_end(s, 0);
	else if (add(s, NULL, CHANGE_END, NULL) != CONTROL_LATER)
		await_end(s, 1); /* too many changes wait */
}

void swap_init(struct swap *s, struct engine *e, struct jobs *jobs, struct control *control,
	       struct report *report, struct ledger *ledger)
{
	*s = (struct swap){
		.engine = e,
		.jobs = jobs,
		.control = control,
		.report = report,
		.ledger = ledger,
		.later = { .fn = later },
		.end = { .fn = ended },
	};
}

void swap_exit(struct swap *s)
{
	forget(s, s->history, &s->depth);
	forget(s, s->before, &s->n_before);
}

void swap_run(struct swap *s)
{
	if (s->engine->outbound_full)
		s->engine->outbound_full = add(s, NULL, CHANGE_KEEP, NULL) != CONTROL_LATER;
}
