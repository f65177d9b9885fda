/* SPDX-License-Identifier: MIT */
#include "policy/learned.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/addr.h"
#include "policy/array.h"
#include "policy/draft.h"
#include "policy/error.h"
#include "policy/learned_line.h"
#include "policy/names.h"
#include "policy/profile.h"

/* Why a flow is only a comment. */
static const char host_socket[] = "a service of this machine may run programs outside the sandbox";
static const char probe[] = "only connected, as is done to sort addresses";
static const char lookup[] = "looked up, and nothing was connected by that name";
static const char any_port[] = "listened on a port of the kernel's choice, which only * permits";
static const char unwritable[] = "cannot be written as a rule";

/* Outgoing flows that were used, in the order of whom they are to. */
struct index {
	const struct learned **v;
	size_t n;
};

static int by_peer(const struct learned *a, const struct learned *b)
{
	int order = (a->host != NULL) - (b->host != NULL);

	if (order)
		return order;
	if (a->host)
		return strcmp(a->host, b->host);
	return memcmp(&a->endpoint.addr, &b->endpoint.addr, sizeof(a->endpoint.addr));
}

static int by_destination(const void *a, const void *b)
{
	const struct learned *x = *(const struct learned *const *)a;
	const struct learned *y = *(const struct learned *const *)b;
	int order = by_peer(x, y);

	if (!order)
		order = (int)x->endpoint.port - (int)y->endpoint.port;
	return order ? order : (int)x->endpoint.proto - (int)y->endpoint.proto;
}

static int by_peer_alone(const void *a, const void *b)
{
	return by_peer(*(const struct learned *const *)a, *(const struct learned *const *)b);
}

/* A socket's first connect is tried as a ping, which it then may turn out not to be. */
static bool is_artefact(const struct learned *flow)
{
	return !flow->count && flow->endpoint.proto == PROTO_ICMP;
}

static bool is_outgoing(const struct learned *flow)
{
	const struct endpoint *e = &flow->endpoint;

	return !is_artefact(flow) && e->dir == DIR_OUT && e->proto != PROTO_UNIX &&
	       e->proto != PROTO_DNS;
}

static int index_make(struct index *x, const struct learned *flows, size_t n)
{
	*x = (struct index){ .v = calloc(n + 1, sizeof(struct learned *)) };
	if (!x->v)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (is_outgoing(&flows[i]))
			x->v[x->n++] = &flows[i];
	qsort(x->v, x->n, sizeof(*x->v), by_destination);
	return 0;
}

static bool index_has(const struct index *x, struct learned key,
		      int (*order)(const void *, const void *))
{
	const struct learned *pointer = &key;

	return bsearch(&pointer, x->v, x->n, sizeof(*x->v), order);
}

/*
 * Whether a socket was perhaps connected only to see which address the kernel would choose, as
 * getaddrinfo(3) and ping(8) do.
 */
static bool is_probe(const struct learned *flow, const struct index *x)
{
	struct learned tcp = *flow, ping = *flow;

	if (flow->endpoint.proto != PROTO_UDP || flow->sends)
		return false;
	tcp.endpoint.proto = PROTO_TCP;
	ping.endpoint.proto = PROTO_ICMP;
	ping.endpoint.port = 0;
	return index_has(x, tcp, by_destination) || index_has(x, ping, by_destination);
}

static bool is_connected(const char *name, const struct index *x)
{
	return index_has(x, (struct learned){ .host = name }, by_peer_alone);
}

/* Whether the policy allows the flow, or decides on purpose in another way. 1, 0 or -ENOMEM. */
static int is_covered(const struct policy *have, const struct learned *flow)
{
	struct names *names = flow->host ? names_new() : NULL;
	struct live live = { .names = names };
	struct decision d;

	if (flow->host &&
	    (!names || names_bind(names, flow->endpoint.addr, flow->host, UINT64_MAX))) {
		names_free(names);
		return -ENOMEM;
	}
	d = policy_decide(have, &live, &flow->endpoint);
	names_free(names);
	return d.verdict == VERDICT_ALLOW || d.reason == REASON_RULE;
}

/* Whether a flow matters: *remark is why it is only a comment, or NULL. */
static bool is_wanted(const struct learned *flow, const struct index *x, const char **remark)
{
	const struct endpoint *e = &flow->endpoint;

	*remark = NULL;
	if (is_artefact(flow))
		return false;
	if (e->proto == PROTO_UNIX) {
		if (flow->verdict != VERDICT_ALLOW)
			*remark = host_socket;
		return true;
	}
	if (flow->verdict != VERDICT_ALLOW)
		return false;
	if (e->proto == PROTO_DNS) {
		*remark = lookup;
		return !is_connected(e->name, x);
	}
	if (e->dir == DIR_IN) {
		if (!e->port)
			*remark = any_port;
		return true;
	}
	if (is_probe(flow, x))
		*remark = probe;
	/* Nobody is at port 0, and no rule can have it. */
	return e->proto == PROTO_ICMP || e->port;
}

static int find_missing(const struct policy *have, const struct learned *flows, size_t n,
			bool in_rules, struct learned_lines *out)
{
	struct index x;
	int ret = index_make(&x, flows, n);

	for (size_t i = 0; ret >= 0 && i < n; i++) {
		const char *remark;

		if (!is_wanted(&flows[i], &x, &remark))
			continue;
		ret = flows[i].endpoint.proto == PROTO_DNS ? 0 : is_covered(have, &flows[i]);
		if (!ret)
			ret = learned_lines_add(out, &flows[i], in_rules, remark,
						remark == host_socket || remark == probe,
						unwritable);
	}
	free(x.v);
	return ret < 0 ? ret : 0;
}

/* The policy of the profile; with *err filled when there is nothing to learn for it. */
static int read_draft(const char *text, size_t size, struct draft **out, struct policy_error *err)
{
	struct draft *d = draft_new();
	struct profile p;
	int ret = d ? profile_read(text, size, &p, err) : -ENOMEM;

	if (!ret) {
		ret = profile_add(&p, d, err);
		profile_free(&p);
	}
	if (!ret && d->preset_name)
		ret = policy_error_set(err,
				       " preset '%s' decides every request, so there is nothing to "
				       "learn: expected none",
				       d->preset_name);
	else if (!ret && draft_fallback(d) == VERDICT_ALLOW)
		ret = policy_error_set(err, " it allows what no rule matches, so there is nothing "
					    "to learn: expected default = \"deny\" or \"ask\"");
	if (ret)
		draft_free(d);
	else
		*out = d;
	return ret;
}

/* Replaces *text by the edited one. Returns what profile_append_rules() does. */
static int append(char **text, const struct profile_line *lines, size_t n,
		  int (*edit)(const char *, size_t, const struct profile_line *, size_t, char **,
			      struct policy_error *),
		  struct policy_error *err)
{
	char *edited;
	int ret = n ? edit(*text, strlen(*text), lines, n, &edited, err) : 0;

	if (ret || !n)
		return ret;
	free(*text);
	*text = edited;
	return 0;
}

/* *text is owned by the caller in any case. */
static int append_all(char **text, const struct learned_lines *lines, struct policy_error *err)
{
	int ret = append(text, lines->rules, lines->n_rules, profile_append_rules, err);

	return ret ? ret : append(text, lines->binds, lines->n_binds, profile_append_binds, err);
}

static char *copy(const char *text, size_t size)
{
	char *out = malloc(size + 1);

	if (out) {
		memcpy(out, text, size);
		out[size] = '\0';
	}
	return out;
}

int learned_check(const char *text, size_t size, struct policy_error *err)
{
	struct profile_line rule = { .rule = "allow 192.0.2.1:1" }, bind = { .rule = "1" };
	struct learned_lines lines = { .rules = &rule, .n_rules = 1, .binds = &bind };
	struct draft *d;
	char *trial;
	int ret = read_draft(text, size, &d, err);

	if (ret)
		return ret;
	lines.n_binds = !d->has_in && d->bind != BIND_DENY;
	draft_free(d);
	trial = copy(text, size);
	ret = trial ? append_all(&trial, &lines, err) : -ENOMEM;
	free(trial);
	return ret;
}

int learned_profile(const char *text, size_t size, const struct policy *have,
		    const struct learned *flows, size_t n, struct learned_result *out,
		    struct policy_error *err)
{
	struct learned_lines lines = { 0 };
	struct draft *d;
	char *edited;
	int ret = read_draft(text, size, &d, err);

	if (ret)
		return ret;
	edited = copy(text, size);
	/* Beside a list of ports that may not be bound there is no list of those that may. */
	ret = edited ? find_missing(have, flows, n, d->has_in || d->bind == BIND_DENY, &lines)
		     : -ENOMEM;
	if (!ret)
		ret = learned_lines_write(&lines);
	if (!ret)
		ret = append_all(&edited, &lines, err);
	if (ret)
		free(edited);
	else
		*out = (struct learned_result){
			.text = edited,
			.n_rules = lines.n_rules + lines.n_binds - lines.n_remarks,
			.n_remarks = lines.n_remarks,
		};
	learned_lines_free(&lines);
	draft_free(d);
	return ret;
}
