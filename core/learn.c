/* SPDX-License-Identifier: MIT */
#include "core/learn.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

enum { BUCKETS = 2 * LEARN_FLOWS };

/* Pages that are not written to take no memory. */
struct learn {
	uint32_t n;
	uint32_t text_used;
	uint32_t bucket[BUCKETS];   /* 1 + the first flow, or 0 */
	uint32_t next[LEARN_FLOWS]; /* 1 + another flow of the bucket, or 0 */
	struct learned flows[LEARN_FLOWS];
	char text[LEARN_TEXT];
};

struct learn *learn_new(void)
{
	struct learn *l = mmap(NULL, sizeof(*l), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return l == MAP_FAILED ? NULL : l;
}

void learn_free(struct learn *l)
{
	if (l)
		munmap(l, sizeof(*l));
}

/* FNV-1a. */
static uint32_t hash(uint32_t h, const void *data, size_t size)
{
	const unsigned char *byte = data;

	for (size_t i = 0; i < size; i++)
		h = (h ^ byte[i]) * 16777619;
	return h;
}

/* A destination that has a name is the same at every address. */
static uint32_t bucket_of(const struct endpoint *e, const char *host)
{
	uint32_t h = hash(2166136261, &e->port, sizeof(e->port));

	h = hash(h, &e->proto, sizeof(e->proto));
	if (e->name)
		h = hash(h, e->name, strlen(e->name));
	else if (host)
		h = hash(h, host, strlen(host));
	else
		h = hash(h, &e->addr, sizeof(e->addr));
	return h % BUCKETS;
}

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool is_same(const struct learned *flow, const struct endpoint *e, const char *host)
{
	const struct endpoint *f = &flow->endpoint;

	if (f->dir != e->dir || f->proto != e->proto || f->port != e->port || f->self != e->self ||
	    !is_same_text(f->name, e->name) || !is_same_text(flow->host, host))
		return false;
	return e->name || host || !memcmp(&f->addr, &e->addr, sizeof(e->addr));
}

static struct learned *find(struct learn *l, uint32_t bucket, const struct endpoint *e,
			    const char *host)
{
	for (uint32_t i = l->bucket[bucket]; i; i = l->next[i - 1])
		if (is_same(&l->flows[i - 1], e, host))
			return &l->flows[i - 1];
	return NULL;
}

static char *keep_text(struct learn *l, const char *text)
{
	char *at = l->text + l->text_used;

	if (!text)
		return NULL;
	l->text_used += (uint32_t)strlen(text) + 1;
	return strcpy(at, text);
}

static size_t text_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

/* NULL when there is no room. */
static struct learned *find_or_add(struct learn *l, const struct endpoint *e, const char *host)
{
	uint32_t bucket = bucket_of(e, host);
	struct learned *flow = find(l, bucket, e, host);

	if (flow)
		return flow;
	if (l->n == LEARN_FLOWS ||
	    text_size(e->name) + text_size(host) > LEARN_TEXT - (size_t)l->text_used)
		return NULL;
	flow = &l->flows[l->n];
	*flow = (struct learned){ .endpoint = *e, .host = keep_text(l, host) };
	flow->endpoint.name = keep_text(l, e->name);
	l->next[l->n] = l->bucket[bucket];
	l->bucket[bucket] = ++l->n;
	return flow;
}

bool learn_admit(struct learn *l, const struct endpoint *e, const char *host)
{
	struct learned *flow = find_or_add(l, e, host);

	if (flow)
		flow->verdict = VERDICT_ALLOW;
	return flow != NULL;
}

void learn_note(struct learn *l, const struct record *r)
{
	bool allowed = r->decision.verdict == VERDICT_ALLOW;
	struct learned *flow;

	if (!allowed && r->decision.reason != REASON_UNIX_DEFAULT)
		return;
	flow = find_or_add(l, &r->endpoint, r->host);
	if (!flow)
		return;
	if (!flow->count++) {
		flow->first = r->ts.tv_sec;
		memcpy(flow->comm, r->comm, sizeof(flow->comm));
	} else if (strncmp(flow->comm, r->comm, sizeof(flow->comm)) != 0) {
		flow->several = true;
	}
	if (allowed)
		flow->verdict = VERDICT_ALLOW;
	flow->sends |= strcmp(r->syscall, "connect") != 0;
}

const struct learned *learn_flows(const struct learn *l, size_t *n)
{
	*n = l->n;
	return l->flows;
}
