/* SPDX-License-Identifier: MIT */
#include "uring/change.h"

#include <errno.h>
#include <stdlib.h>

#include "core/profile_store.h"
#include "core/resolve.h"
#include "policy/dns.h"
#include "policy/error.h"

void change_free(struct change *c)
{
	free(c->text);
	free(c->path);
	free((char *)c->reload.path);
	free((char *)c->reload.text);
	free(c->match);
	source_free(c->source);
	policy_free(c->policy);
	facts_free(c->facts);
	diff_free(&c->diff);
	free(c->cookies);
	free(c);
}

static struct snapshot *live(const struct change *c)
{
	return c->swap->engine->snapshot;
}

/* Returns 0 or -errno, mostly with c->err filled. */
static int compare(struct change *c, const struct source *from, const struct source *to)
{
	struct draft *a = NULL, *b = NULL;
	int ret = source_build(from, &a, &c->err);

	if (!ret)
		ret = source_build(to, &b, &c->err);
	if (!ret)
		ret = draft_diff(a, b, &c->diff);
	draft_free(a);
	draft_free(b);
	return ret;
}

static int read_profile(struct change *c)
{
	const struct reload *r = &c->reload;

	return r->whole ? source_replace(c->source, r->path, r->text, r->size)
			: source_set_profile(c->source, r->path, r->text, r->size);
}

/* c->policy of c->source. */
static int compile(struct change *c)
{
	struct draft *d;
	int ret = source_build(c->source, &d, &c->err);

	if (ret)
		return ret;
	source_forget(c->source, d);
	if (!draft_has_sinkhole(d) && draft_relies_on_sinkhole(d))
		ret = policy_error_set(
			&c->err, "names cannot be blocked: this run answers no DNS: expected a "
				 "policy with names when it began");
	if (!ret)
		ret = resolve_policy(d, NULL, &c->policy, &c->err);
	draft_free(d);
	if (!ret)
		ret = compare(c, live(c)->source, c->source);
	return ret ? ret : snapshot_match(live(c)->policy, c->policy, &c->match);
}

/* Whatever is made of the live policy is made without the rules that have ended. */
static int make(struct change *c)
{
	uint64_t now = loop_now();
	size_t ended;
	int ret = 0;

	if (source_panics(live(c)->source))
		return c->kind == CHANGE_END
			       ? -ECANCELED /* undo leaves out what has ended */
			       : policy_error_set(&c->err, "everything is denied since the panic: "
							   "undo that first");
	c->source = source_copy(live(c)->source);
	if (!c->source)
		return -ENOMEM;
	ended = source_end(c->source, now);
	if (c->kind == CHANGE_RELOAD)
		ret = read_profile(c);
	else if (c->kind == CHANGE_INSERT)
		ret = source_insert_until(c->source, c->text,
					  c->seconds ? now + c->seconds * 1000000000ull : 0);
	else if (!ended)
		ret = -ECANCELED; /* another change has taken them out */
	if (!ret)
		ret = compile(c);
	if (!ret && c->kind == CHANGE_INSERT && c->path)
		ret = profile_store_insert(c->path, c->text, &c->err);
	return ret;
}

/* The policy before is live as it was, unless a rule of it has ended since. */
static int make_undo(struct change *c)
{
	const struct swap *s = c->swap;
	int ret;

	if (!s->depth)
		return 0; /* commit() says so */
	c->source = source_copy(s->history[s->depth - 1]->source);
	if (!c->source)
		return -ENOMEM;
	if (source_end(c->source, loop_now()))
		return compile(c);
	ret = compare(c, live(c)->source, c->source);
	return ret ? ret
		   : snapshot_match(live(c)->policy, s->history[s->depth - 1]->policy, &c->match);
}

/* Without a look at the rules below: nothing of them is to be resolved first. */
static int make_panic(struct change *c)
{
	struct draft *d;
	int ret;

	if (source_panics(live(c)->source))
		return policy_error_set(&c->err, "everything is denied already");
	d = draft_new();
	if (!d)
		return -ENOMEM;
	draft_set_panic(d);
	if (c->swap->engine->dns)
		draft_set_sinkhole(d);
	ret = policy_compile(d, &c->policy);
	draft_free(d);
	c->source = source_copy(live(c)->source);
	if (!c->source)
		return -ENOMEM;
	source_set_panic(c->source);
	return ret;
}

static int make_shut_policy(struct change *c)
{
	struct draft *d = draft_new();
	int ret;

	if (!d)
		return -ENOMEM;
	ret = draft_rule(d, c->text, &c->err);
	if (!ret)
		ret = draft_default(d, "allow", &c->err);
	/* What a name means is then what the sandbox has been told. */
	if (!ret && c->swap->engine->dns)
		draft_set_sinkhole(d);
	if (!ret)
		ret = resolve_policy(d, NULL, &c->policy, &c->err);
	draft_free(d);
	return ret;
}

/* The policy that is to be live, NULL when that is none that names matter for. */
static const struct policy *next_policy(const struct change *c)
{
	const struct swap *s = c->swap;

	if (c->kind == CHANGE_PANIC || c->kind == CHANGE_SHUT || c->reload.is_trial)
		return NULL;
	if (c->kind == CHANGE_UNDO && !c->policy)
		return s->depth ? s->history[s->depth - 1]->policy : NULL;
	return c->policy;
}

void change_find_known(struct job *j)
{
	struct change *c = (struct change *)j;
	const struct policy *next = next_policy(c);
	const struct dns *d = c->swap->engine->dns;

	if (next && d)
		dns_find_known(d, next, &c->known);
}

void change_prepare(struct job *j)
{
	struct change *c = (struct change *)j;

	snapshot_free(c->retired);
	switch (c->kind) {
	case CHANGE_INSERT:
	case CHANGE_RELOAD:
	case CHANGE_END:
		c->ret = make(c);
		break;
	case CHANGE_PANIC:
		c->ret = make_panic(c);
		break;
	case CHANGE_SHUT:
		c->ret = make_shut_policy(c);
		break;
	case CHANGE_UNDO:
		c->ret = make_undo(c);
		break;
	case CHANGE_KEEP:
		c->ret = shut_list(&c->cookies, &c->n_cookies);
		break;
	case CHANGE_LOOK:
		break;
	}
	if (!c->ret)
		change_find_known(j);
}

void change_narrow(struct job *j)
{
	struct change *c = (struct change *)j;
	const struct policy *p = c->kind == CHANGE_SHUT ? c->policy : live(c)->policy;
	const struct policy *before[SWAP_HISTORY];
	const struct swap *s = c->swap;

	for (unsigned i = 0; i < s->n_before; i++)
		before[i] = s->before[i]->policy;
	c->ret = shut_denied(p, before, s->n_before, c->facts, &s->engine->outbound, &c->shut);
}
