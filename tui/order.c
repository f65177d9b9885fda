/* SPDX-License-Identifier: MIT */
#include "tui/order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/addr.h"

struct ordering {
	const struct flow *flows;
	enum order_sort sort;
};

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* What waits for the operator, then what was denied. */
static int rank(const struct flow *f)
{
	return f->verdict == VERDICT_ASK ? 0 : f->verdict == VERDICT_DENY ? 1 : 2;
}

static int compare_addresses(const struct flow *a, const struct flow *b)
{
	int ret = (int)a->family - (int)b->family;

	if (!ret)
		ret = memcmp(a->addr, b->addr, sizeof(a->addr));
	if (!ret)
		ret = strcmp(a->name, b->name);
	return ret ? ret : (int)a->port - (int)b->port;
}

static int compare(const void *left, const void *right, void *arg)
{
	const struct ordering *o = arg;
	const struct flow *a = &o->flows[*(const uint16_t *)left];
	const struct flow *b = &o->flows[*(const uint16_t *)right];
	int ret = 0;

	switch (o->sort) {
	case ORDER_HITS:
		ret = compare_numbers(b->allowed + b->denied, a->allowed + a->denied);
		break;
	case ORDER_VERDICT:
		ret = rank(a) - rank(b);
		break;
	case ORDER_ADDRESS:
		ret = compare_addresses(a, b);
		break;
	case ORDER_PROCESS:
		ret = strncmp(a->comm, b->comm, sizeof(a->comm));
		if (!ret)
			ret = compare_numbers((uint64_t)a->pid, (uint64_t)b->pid);
		break;
	case ORDER_LAST:
	case ORDER_COUNT:
		break;
	}
	/* Whatever is equal has its newest first, and no two flows are equal. */
	if (!ret)
		ret = compare_numbers(b->last, a->last);
	return ret ? ret : compare_numbers(b->id, a->id);
}

bool order_contains(const struct flow *f, const char *filter)
{
	char text[2 * ADDR_TEXT_MAX + sizeof(f->name) + sizeof(f->host) + sizeof(f->rule_text)];
	char addr[ADDR_TEXT_MAX] = "";

	if (!*filter)
		return true;
	if (f->family)
		addr_text(flow_record(f).endpoint.addr, addr);
	snprintf(text, sizeof(text), "%s %s%s %s%s:%u %s %.16s[%d] %s",
		 f->verdict == VERDICT_ASK ? "hold" : verdict_name(f->verdict),
		 f->dir == DIR_IN ? "in " : "", proto_name(f->proto), addr, f->name, f->port,
		 f->host, f->comm, f->pid, f->rule_text);
	return strcasestr(text, filter);
}

unsigned int order_rows(const struct flow *flows, unsigned int n, enum order_sort sort,
			const char *filter, uint16_t *order)
{
	struct ordering ordering = { flows, sort };
	unsigned int shown = 0;

	for (unsigned int i = 0; i < n; i++)
		if (order_contains(&flows[i], filter))
			order[shown++] = (uint16_t)i;
	qsort_r(order, shown, sizeof(*order), compare, &ordering);
	return shown;
}

const char *order_name(enum order_sort sort)
{
	static const char *const names[ORDER_COUNT] = {
		[ORDER_LAST] = "newest activity", [ORDER_HITS] = "hits",
		[ORDER_VERDICT] = "verdict",      [ORDER_ADDRESS] = "address",
		[ORDER_PROCESS] = "process",
	};

	return names[sort];
}
