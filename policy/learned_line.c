/* SPDX-License-Identifier: MIT */
#include "policy/learned_line.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/addr.h"
#include "policy/array.h"
#include "policy/spec.h"

enum { PORTS_MAX = 100 }; /* in one rule: a line of a profile has a limit */

struct learned_item {
	const struct learned *flow;
	char *target; /* of a rule, "udp://[::1]", or what the comment is about */
	const char *remark;
	bool has_rule; /* not only a comment without one */
	bool is_bind;  /* of the bind list */
	bool has_port;
};

/* Whether a rule can have that, and means it literally. */
static bool is_writable(const char *target)
{
	struct policy_error err;
	struct spec_list specs;

	for (const char *c = target; *c; c++)
		if (*c < ' ' || *c > '~' || *c == '$' || *c == '*')
			return false;
	if (spec_parse(target, SPEC_TCP, &specs, &err))
		return false;
	spec_list_free(&specs);
	return true;
}

static const char *scheme_of(const struct endpoint *e)
{
	switch (e->proto) {
	case PROTO_UDP:
		return "udp://";
	case PROTO_ICMP:
		return "icmp://";
	case PROTO_UNIX:
		return "unix:";
	default:
		return "";
	}
}

/* To be freed; NULL for want of memory. */
static char *target_of(const struct learned *flow)
{
	const struct endpoint *e = &flow->endpoint;
	const char *host = flow->host && is_writable(flow->host) ? flow->host : NULL;
	bool bracket = !host && e->addr.family == 6 && e->port;
	char addr[ADDR_TEXT_MAX], *text;

	if (e->proto == PROTO_UNIX || e->proto == PROTO_DNS)
		host = e->name;
	else if (e->self)
		host = "@self";
	if (!host)
		host = addr_text(e->addr, addr);
	return asprintf(&text, "%s%s%s%s", scheme_of(e), bracket && !e->self ? "[" : "", host,
			bracket && !e->self ? "]" : "") < 0
		       ? NULL
		       : text;
}

int learned_lines_add(struct learned_lines *l, const struct learned *flow, bool in_rules,
		      const char *remark, bool has_rule, const char *unwritable)
{
	struct learned_item *items = array_room(l->items, l->n_items, sizeof(*items));
	const struct endpoint *e = &flow->endpoint;
	struct learned_item *item;

	if (!items)
		return -ENOMEM;
	l->items = items;
	item = &items[l->n_items];
	*item = (struct learned_item){
		.flow = flow,
		.target = target_of(flow),
		.remark = remark,
		.has_rule = !remark || has_rule,
		.is_bind = e->dir == DIR_IN && !in_rules && !remark,
		/* What listens at @self is the sandbox's own, at whichever port. */
		.has_port = (e->proto == PROTO_TCP || e->proto == PROTO_UDP) && !e->self,
	};
	if (!item->target)
		return -ENOMEM;
	l->n_items++;
	if (item->has_rule && !item->is_bind && !is_writable(item->target)) {
		item->remark = unwritable;
		item->has_rule = false;
	}
	return 0;
}

/* The bind list last, remarks behind rules, the ports of a destination side by side. */
static int by_line(const void *a, const void *b)
{
	const struct learned_item *x = a, *y = b;
	int order = (int)x->is_bind - (int)y->is_bind;

	if (!order)
		order = (x->remark != NULL) - (y->remark != NULL);
	if (!order)
		order = (int)x->flow->endpoint.dir - (int)y->flow->endpoint.dir;
	if (!order && !x->is_bind)
		order = strcmp(x->target, y->target);
	return order ? order : (int)x->flow->endpoint.port - (int)y->flow->endpoint.port;
}

static bool is_one_line(const struct learned_item *a, const struct learned_item *b)
{
	const struct endpoint *e = &a->flow->endpoint, *f = &b->flow->endpoint;

	if (a->is_bind != b->is_bind || a->remark != b->remark || e->dir != f->dir)
		return false;
	/* A port of the bind list is one of every protocol and address. */
	return a->is_bind ? e->port == f->port
			  : e->proto == f->proto && !strcmp(a->target, b->target);
}

static void write_printable(FILE *out, const char *text)
{
	for (; *text; text++)
		fputc(*text >= ' ' && *text <= '~' ? *text : '?', out);
}

/* "allow udp://192.0.2.1:53,123", or the port of a bind list. */
static void write_rule(FILE *out, const struct learned_item *items, size_t n)
{
	const struct learned_item *last = NULL;

	if (items->is_bind) {
		fprintf(out, "%u", items->flow->endpoint.port);
		return;
	}
	fprintf(out, "allow %s%s", items->flow->endpoint.dir == DIR_IN ? "in " : "", items->target);
	for (const struct learned_item *i = items; items->has_port && i < items + n; i++) {
		if (!last || i->flow->endpoint.port != last->flow->endpoint.port)
			fprintf(out, "%c%u", last ? ',' : ':', i->flow->endpoint.port);
		last = i;
	}
}

/* "curl, 12 times, first at 2026-11-26 09:14:37Z": who asked, how often, since when. */
static void write_asked(FILE *out, const struct learned_item *items, size_t n)
{
	const struct learned *first = NULL;
	bool several = false;
	uint64_t count = 0;
	char when[32];
	struct tm tm;

	for (size_t i = 0; i < n; i++) {
		const struct learned *flow = items[i].flow;

		if (!flow->count)
			continue;
		several |= flow->several || (first && strcmp(flow->comm, first->comm));
		count += flow->count;
		if (!first || flow->first < first->first)
			first = flow;
	}
	if (!first) {
		fputs("a process that did not live to see it", out);
		return;
	}
	if (!gmtime_r(&first->first, &tm) || !strftime(when, sizeof(when), "%F %TZ", &tm))
		strcpy(when, "a time unknown");
	write_printable(out, first->comm);
	fprintf(out, "%s, %" PRIu64 " time%s, first at %s", several ? " and others" : "", count,
		count == 1 ? "" : "s", when);
}

static void write_evidence(FILE *out, const struct learned_item *items, size_t n)
{
	if (!items->has_rule) {
		write_printable(out, items->target);
		fputs(": ", out);
	}
	write_asked(out, items, n);
	if (items->remark)
		fprintf(out, "; %s", items->remark);
}

/* What `write` writes, to be freed; NULL for want of memory. */
static char *text_of(void (*write)(FILE *, const struct learned_item *, size_t),
		     const struct learned_item *items, size_t n)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	bool failed;

	if (!out)
		return NULL;
	write(out, items, n);
	failed = ferror(out);
	if (!fclose(out) && !failed)
		return text;
	free(text);
	return NULL;
}

/* Returns 0 or -ENOMEM. */
static int add_line(struct learned_lines *l, const struct learned_item *items, size_t n)
{
	struct profile_line **lines = items->is_bind ? &l->binds : &l->rules;
	size_t *n_lines = items->is_bind ? &l->n_binds : &l->n_rules;
	struct profile_line *v = array_room(*lines, *n_lines, sizeof(*v));

	if (!v)
		return -ENOMEM;
	*lines = v;
	v += (*n_lines)++;
	*v = (struct profile_line){
		.rule = items->has_rule ? text_of(write_rule, items, n) : NULL,
		.comment = text_of(write_evidence, items, n),
		.remark = items->remark != NULL,
	};
	l->n_remarks += v->remark;
	return v->comment && (v->rule || !items->has_rule) ? 0 : -ENOMEM;
}

int learned_lines_write(struct learned_lines *l)
{
	int ret = 0;
	size_t n;

	if (l->n_items)
		qsort(l->items, l->n_items, sizeof(*l->items), by_line);
	for (size_t i = 0; !ret && i < l->n_items; i += n) {
		for (n = 1; n < PORTS_MAX && i + n < l->n_items; n++)
			if (!is_one_line(&l->items[i], &l->items[i + n]))
				break;
		ret = add_line(l, &l->items[i], n);
	}
	return ret;
}

static void free_lines(struct profile_line *lines, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free((char *)lines[i].rule);
		free((char *)lines[i].comment);
	}
	free(lines);
}

void learned_lines_free(struct learned_lines *l)
{
	for (size_t i = 0; i < l->n_items; i++)
		free(l->items[i].target);
	free(l->items);
	free_lines(l->rules, l->n_rules);
	free_lines(l->binds, l->n_binds);
}
