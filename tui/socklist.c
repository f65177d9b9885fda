/* SPDX-License-Identifier: MIT */
#include "tui/socklist.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/addr.h"

#define SECOND UINT64_C(1000000000)

int socklist_new(struct socklist *c)
{
	c->rows = calloc(OPENED_MAX, sizeof(*c->rows));
	c->order = calloc(OPENED_MAX, sizeof(*c->order));
	return c->rows && c->order ? 0 : -ENOMEM;
}

void socklist_free(struct socklist *c)
{
	free(c->rows);
	free(c->order);
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_cookies(const void *left, const void *right)
{
	const struct socklist_row *a = left, *b = right;

	return compare_numbers(a->socket.cookie, b->socket.cookie);
}

static uint64_t bytes_of(const struct socklist_row *r)
{
	return r->socket.in + r->socket.out;
}

static int compare_addresses(const struct opened *a, const struct opened *b)
{
	int ret = memcmp(&a->peer, &b->peer, sizeof(a->peer));

	return ret ? ret : (int)a->peer_port - (int)b->peer_port;
}

static int compare(const void *left, const void *right, void *arg)
{
	const struct socklist *c = arg;
	const struct socklist_row *a = &c->rows[*(const uint16_t *)left];
	const struct socklist_row *b = &c->rows[*(const uint16_t *)right];
	int ret = 0;

	switch (c->sort) {
	case SOCKLIST_RATE:
		ret = compare_numbers(b->rate, a->rate);
		break;
	case SOCKLIST_BYTES:
		ret = compare_numbers(bytes_of(b), bytes_of(a));
		break;
	case SOCKLIST_ADDRESS:
		ret = compare_addresses(&a->socket, &b->socket);
		break;
	case SOCKLIST_PROCESS:
		ret = strcmp(a->socket.comm, b->socket.comm);
		if (!ret)
			ret = compare_numbers((uint64_t)a->socket.pid, (uint64_t)b->socket.pid);
		break;
	case SOCKLIST_NEWEST:
	case SOCKLIST_SORTS:
		break;
	}
	if (!ret)
		ret = compare_numbers(b->since, a->since);
	return ret ? ret : compare_numbers(b->socket.cookie, a->socket.cookie);
}

static bool contains(const struct opened *o, const char *filter)
{
	char peer[ADDR_TEXT_MAX] = "", local[ADDR_TEXT_MAX] = "", text[256];

	if (!*filter)
		return true;
	if (o->peer.family)
		addr_text(o->peer, peer);
	if (o->local.family)
		addr_text(o->local, local);
	snprintf(text, sizeof(text), "%s %s %s:%u %s:%u %s[%d]", opened_state(o),
		 proto_name((enum proto)o->proto), peer, o->peer_port, local, o->local_port,
		 o->comm, o->pid);
	return strcasestr(text, filter);
}

static int position(const struct socklist *c)
{
	for (unsigned int i = 0; c->selected && i < c->shown; i++)
		if (c->rows[c->order[i]].socket.cookie == c->selected)
			return (int)i;
	return -1;
}

/* Have the selected row on the screen, on its line `line` if it can be. */
static void show_selection(struct socklist *c, int line, unsigned int page)
{
	int at = position(c);
	long top = c->top;
	long last = c->shown > page ? (long)(c->shown - page) : 0;

	if (at >= 0) {
		top = line >= 0 ? at - line : top;
		top = top > at ? at : top;
		top = top + (long)page <= at ? at - (long)page + 1 : top;
	}
	top = top > last ? last : top;
	c->top = top < 0 ? 0 : (unsigned int)top;
}

void socklist_arrange(struct socklist *c, const char *filter, unsigned int page)
{
	int line = position(c);

	if (line >= 0)
		line -= (int)c->top;
	c->shown = 0;
	for (unsigned int i = 0; i < c->n; i++)
		if (contains(&c->rows[i].socket, filter))
			c->order[c->shown++] = (uint16_t)i;
	qsort_r(c->order, c->shown, sizeof(*c->order), compare, c);
	show_selection(c, line, page);
}

/* What is known of the socket from the list before. */
static void go_on(const struct socklist *c, const struct socklist_row *old, unsigned int n,
		  struct socklist_row *r, uint64_t elapsed)
{
	const struct socklist_row *was = bsearch(r, old, n, sizeof(*old), compare_cookies);

	r->since = elapsed;
	if (!was)
		return;
	r->since = was->since;
	if (elapsed > c->elapsed && bytes_of(r) > bytes_of(was))
		r->rate = (uint64_t)((double)(bytes_of(r) - bytes_of(was)) * (double)SECOND /
				     (double)(elapsed - c->elapsed));
}

void socklist_take(struct socklist *c, const struct opened_list *list, uint64_t elapsed,
		   const char *filter, unsigned int page)
{
	const unsigned int n = list->n < OPENED_MAX ? (unsigned int)list->n : OPENED_MAX;
	struct socklist_row *rows = calloc(OPENED_MAX, sizeof(*rows));
	int line = position(c);

	/* Without memory the last list stays. */
	if (!rows)
		return;
	for (unsigned int i = 0; i < n; i++) {
		rows[i].socket = list->v[i];
		go_on(c, c->rows, c->n, &rows[i], elapsed);
	}
	qsort(rows, n, sizeof(*rows), compare_cookies);
	free(c->rows);
	c->rows = rows;
	c->n = n;
	c->known = true;
	c->elapsed = elapsed;
	c->more = list->more;
	c->unseen = list->unseen;
	/* The order is of the rows before: it says nothing any more. */
	line = line >= 0 ? line - (int)c->top : -1;
	c->shown = 0;
	socklist_arrange(c, filter, page);
	show_selection(c, line, page);
}

void socklist_move(struct socklist *c, long by, unsigned int page)
{
	long to = position(c);

	if (c->shown == 0)
		return;
	to = to >= 0 ? to + by : labs(by) < OPENED_MAX ? (long)c->top : by;
	to = to >= (long)c->shown ? (long)c->shown - 1 : to;
	to = to < 0 ? 0 : to;
	c->selected = c->rows[c->order[to]].socket.cookie;
	show_selection(c, -1, page);
}

void socklist_select(struct socklist *c, uint64_t cookie, unsigned int page)
{
	for (unsigned int i = 0; i < c->shown; i++)
		if (c->rows[c->order[i]].socket.cookie == cookie)
			c->selected = cookie;
	show_selection(c, -1, page);
}

bool socklist_find(struct socklist *c, const char *text, bool forward, unsigned int page)
{
	const long n = c->shown, step = forward ? 1 : n - 1;
	long at = position(c);

	at = at >= 0 ? at + step : c->top;
	for (long i = 0; i < n; i++, at += step) {
		const struct opened *socket = &c->rows[c->order[at % n]].socket;

		if (!contains(socket, text))
			continue;
		c->selected = socket->cookie;
		show_selection(c, -1, page);
		return true;
	}
	return false;
}

const struct socklist_row *socklist_selected(const struct socklist *c)
{
	int at = position(c);

	return at >= 0 ? &c->rows[c->order[at]] : NULL;
}

const char *socklist_sort_name(enum socklist_sort sort)
{
	static const char *const names[SOCKLIST_SORTS] = {
		[SOCKLIST_NEWEST] = "newest",   [SOCKLIST_RATE] = "rate",
		[SOCKLIST_BYTES] = "bytes",     [SOCKLIST_ADDRESS] = "address",
		[SOCKLIST_PROCESS] = "process",
	};

	return names[sort];
}
