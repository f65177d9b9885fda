/* SPDX-License-Identifier: MIT */
/*
 * Keeping the names of rules known: each is asked for at the start, and again when the answer has
 * become old, so that a rule also holds for a program that never asks.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/names.h"
#include "uring/question.h"

enum {
	ROUND_SECONDS = 5,
	AT_ONCE = 8, /* questions, of all that may be under way */
	TYPES = 2,   /* A and AAAA */
	RETRY_SECONDS = 60,
};

static const uint64_t second = 1000000000;

struct refresh_name {
	uint64_t due[TYPES]; /* CLOCK_MONOTONIC, ns; UINT64_MAX while it is being asked */
	bool warned;
};

static const char *name_of(const struct dns *d, size_t i)
{
	return policy_host(d->engine->policy, i);
}

/*
 * Most programs read /etc/hosts themselves and ask nobody, so rules know what it says of the names
 * that they are about before anybody asks. Block lists of a hundred thousand lines are common
 * there: they are looked through beside the loop, and bound in pieces that delay nobody.
 */
void dns_find_known(const struct dns *d, const struct policy *policy, struct dns_known *known)
{
	const char *name = NULL;

	known->n = 0;
	while (known->n + HOSTS_ADDRESSES <= DNS_KNOWN &&
	       (name = domain_map_next(&d->hosts.names, DOMAIN_EXACT, &known->at))) {
		struct addr addrs[HOSTS_ADDRESSES];
		size_t n = 0;

		if (policy_is_about(policy, name))
			n = hosts_find(&d->hosts, name, addrs, HOSTS_ADDRESSES);
		for (size_t i = 0; i < n; i++) {
			if (!hosts_speaks_for(name, addrs[i]))
				continue;
			known->binding[known->n].name = name;
			known->binding[known->n++].addr = addrs[i];
		}
	}
	known->more = name != NULL;
}

int dns_bind_known(struct dns *d, const struct dns_known *known)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < known->n; i++)
		ret = names_bind(d->engine->names, known->binding[i].addr, known->binding[i].name,
				 UINT64_MAX);
	return ret;
}

/* All at once: the command has not begun. Returns 0 or -ENOMEM. */
static int bind_hosts(struct dns *d)
{
	struct dns_known known = { .at = 0 };
	int ret;

	do {
		dns_find_known(d, d->engine->policy, &known);
		ret = dns_bind_known(d, &known);
	} while (!ret && known.more);
	return ret;
}

/* Begin anew with the names of another policy. Returns 0 or -ENOMEM. */
static int adopt(struct refresh *r, struct dns *d)
{
	size_t n = 0;

	while (name_of(d, n))
		n++;
	free(r->names);
	r->names = calloc(n + 1, sizeof(*r->names));
	r->n = r->names ? n : 0;
	r->generation = d->engine->generation;
	return r->names ? 0 : -ENOMEM;
}

static void warn(struct refresh *r, struct dns *d, size_t i)
{
	if (r->names[i].warned)
		return;
	r->names[i].warned = true;
	report_message(d->report, "warning: failed to resolve '%s': its rule waits for answers",
		       name_of(d, i));
}

static void go_on(struct dns *d);

static void refreshed(void *arg, uint8_t *wire, size_t len)
{
	struct question *x = arg;
	struct dns *d = x->dns;
	struct refresh *r = &d->refresh;
	struct scan scan = { .question = x };
	size_t i = x->host / TYPES;
	int ret = wire ? scan_answer(&scan, wire, len) : -ETIMEDOUT;

	r->busy--;
	/* Meanwhile the policy may be another one. */
	if (r->generation == d->engine->generation && i < r->n) {
		uint64_t seconds = ret || scan.ttl < RETRY_SECONDS ? RETRY_SECONDS : scan.ttl;

		r->names[i].due[x->host % TYPES] = loop_now() + seconds * second;
		if (x->query.type == ns_t_a && (ret || packet_rcode(wire) != ns_r_noerror))
			warn(r, d, i);
	}
	question_release(x);
	go_on(d);
}

/*
 * What the sandbox may not resolve its supervisor does not ask for either; what /etc/hosts says the
 * policy has known since it was made.
 */
static bool is_asked_for(struct dns *d, const char *name)
{
	struct addr known;

	return policy_resolve(d->engine->policy, name).verdict == VERDICT_ALLOW &&
	       !hosts_find(&d->hosts, name, &known, 1);
}

/* Ask for the name, to nobody's answer. Returns false if it cannot be now. */
static bool refresh_one(struct dns *d, size_t i, int type)
{
	uint8_t wire[PACKET_QUERY_MAX];
	struct question *x;
	size_t len;

	if (!is_asked_for(d, name_of(d, i))) {
		d->refresh.names[i].due[type] = loop_now() + RETRY_SECONDS * second;
		return true;
	}
	x = question_take(d);
	memset(&x->origin, 0, sizeof(x->origin));
	x->host = i * TYPES + (size_t)type;
	if (packet_make(name_of(d, i), type ? ns_t_aaaa : ns_t_a, &x->query)) {
		question_release(x);
		return false;
	}
	strcpy(x->name, name_of(d, i));
	d->refresh.names[i].due[type] = UINT64_MAX;
	d->refresh.busy++;
	len = packet_ask(&x->query, upstream_id(d->upstream), wire);
	if (upstream_ask(d->upstream, wire, len, refreshed, x) == 0)
		return true;
	refreshed(x, NULL, 0);
	return false;
}

/* Ask for what is due, as much as may be under way at once. */
static void go_on(struct dns *d)
{
	struct refresh *r = &d->refresh;
	uint64_t now = loop_now();

	for (size_t i = 0; i < r->n; i++)
		for (int type = 0; type < TYPES; type++) {
			if (r->busy >= AT_ONCE || !d->free)
				return;
			if (r->names[i].due[type] <= now && !refresh_one(d, i, type))
				return;
		}
}

static void arm(struct dns *d)
{
	d->refresh.round = (struct __kernel_timespec){ .tv_sec = ROUND_SECONDS };
	loop_timeout(d->loop, &d->refresh.event, &d->refresh.round);
}

static void round_begins(struct event *ev, int res)
{
	struct dns *d = (struct dns *)((char *)ev - offsetof(struct dns, refresh.event));

	(void)res;
	if (d->refresh.generation == d->engine->generation || !adopt(&d->refresh, d))
		go_on(d);
	arm(d);
}

int refresh_start(struct dns *d)
{
	int ret = adopt(&d->refresh, d);

	if (!ret)
		ret = bind_hosts(d);
	if (ret)
		return ret;
	d->refresh.event.fn = round_begins;
	go_on(d);
	arm(d);
	return 0;
}

void refresh_stop(struct dns *d)
{
	loop_forget(d->loop, &d->refresh.event);
	free(d->refresh.names);
}
