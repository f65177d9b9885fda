/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation
 *
 * One block of memory: header, buckets, rows. A bucket heads a chain of rows
 * whose hashes share their low bits; all rows in use are on one list from the
 * most to the least recently touched. Links are row indices. Rows are taken in
 * order until all are in use, from then on from the end of the list.
 *
 * The command chooses the keys, so the hash has a secret: without it a program
 * could put all its flows into one chain, or let one flow pass for another.
 */
#include "core/flow.h"

#include <string.h>
#include <sys/random.h>

enum { NONE = UINT32_MAX };

struct flow_table {
	uint64_t secret[2];
	uint32_t rows;    /* in the memory */
	uint32_t used;    /* of them */
	uint32_t buckets; /* a power of two */
	uint32_t newest, oldest;
	struct flow_totals evicted;
};

static uint32_t bucket_count(unsigned int rows)
{
	uint32_t n = 2; /* even, so that the rows behind the buckets are aligned */

	while (n < rows)
		n *= 2;
	return n;
}

static uint32_t *table_buckets(const struct flow_table *t)
{
	return (uint32_t *)(t + 1);
}

static struct flow *table_rows(const struct flow_table *t)
{
	return (struct flow *)(table_buckets(t) + t->buckets);
}

static uint32_t *table_bucket(const struct flow_table *t, uint64_t hash)
{
	return &table_buckets(t)[hash & (t->buckets - 1)];
}

size_t flow_table_size(unsigned int rows)
{
	return sizeof(struct flow_table) + bucket_count(rows) * sizeof(uint32_t) +
	       rows * sizeof(struct flow);
}

struct flow_table *flow_table_init(void *mem, unsigned int rows)
{
	struct flow_table *t = mem;

	t->rows = rows;
	t->buckets = bucket_count(rows);
	t->newest = NONE;
	t->oldest = NONE;
	memset(table_buckets(t), 0xff, t->buckets * sizeof(uint32_t));
	/* Without randomness the table still works, only not against a command that knows this. */
	if (getrandom(t->secret, sizeof(t->secret), 0) != sizeof(t->secret)) {
		t->secret[0] = 0x243f6a8885a308d3; /* pi */
		t->secret[1] = 0x13198a2e03707344;
	}
	return t;
}

/* Fold the 128-bit product, as wyhash does: every bit of the input reaches every bit of the result.
 */
static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_bytes(const uint64_t secret[2], uint64_t hash, const void *data, size_t len)
{
	const char *p = data;
	uint64_t word;
	size_t n;

	for (; len > 0; p += n, len -= n) {
		n = len < sizeof(word) ? len : sizeof(word);
		word = 0;
		memcpy(&word, p, n);
		hash = mix(hash ^ word ^ secret[0], hash + secret[1]);
	}
	return hash;
}

/* Fill in what makes a flow that flow. */
static void flow_key(const struct flow_table *t, const struct endpoint *e, struct flow *key)
{
	size_t len = e->name ? strlen(e->name) : 0;
	uint64_t head;

	memset(key, 0, sizeof(*key));
	key->dir = (uint8_t)e->dir;
	key->proto = (uint8_t)e->proto;
	key->family = e->addr.family;
	key->port = e->port;
	key->name_len = len < UINT16_MAX ? (uint16_t)len : UINT16_MAX;
	memcpy(key->addr, e->addr.bytes, sizeof(key->addr));
	if (e->name)
		strncpy(key->name, e->name, sizeof(key->name) - 1);

	head = (uint64_t)key->name_len << 40 | (uint64_t)key->port << 24 |
	       (uint64_t)key->family << 16 | (uint64_t)key->proto << 8 | key->dir;
	key->hash = hash_bytes(t->secret, 0, &head, sizeof(head));
	key->hash = hash_bytes(t->secret, key->hash, key->addr, sizeof(key->addr));
	key->hash = hash_bytes(t->secret, key->hash, e->name, len);
}

static bool flow_same(const struct flow *a, const struct flow *b)
{
	return a->hash == b->hash && a->dir == b->dir && a->proto == b->proto &&
	       a->family == b->family && a->port == b->port && a->name_len == b->name_len &&
	       memcmp(a->addr, b->addr, sizeof(a->addr)) == 0 && strcmp(a->name, b->name) == 0;
}

static struct flow *flow_find(const struct flow_table *t, const struct flow *key)
{
	struct flow *rows = table_rows(t);
	uint32_t i;

	for (i = *table_bucket(t, key->hash); i != NONE; i = rows[i].next)
		if (flow_same(&rows[i], key))
			return &rows[i];
	return NULL;
}

static void list_remove(struct flow_table *t, struct flow *f)
{
	struct flow *rows = table_rows(t);

	*(f->newer == NONE ? &t->newest : &rows[f->newer].older) = f->older;
	*(f->older == NONE ? &t->oldest : &rows[f->older].newer) = f->newer;
}

static void list_add(struct flow_table *t, struct flow *f)
{
	struct flow *rows = table_rows(t);
	uint32_t i = (uint32_t)(f - rows);

	f->newer = NONE;
	f->older = t->newest;
	*(t->newest == NONE ? &t->oldest : &rows[t->newest].newer) = i;
	t->newest = i;
}

static void flow_evict(struct flow_table *t, struct flow *f)
{
	struct flow *rows = table_rows(t);
	uint32_t *link = table_bucket(t, f->hash);

	while (&rows[*link] != f)
		link = &rows[*link].next;
	*link = f->next;
	list_remove(t, f);
	t->evicted.rows++;
	t->evicted.allowed += f->allowed;
	t->evicted.denied += f->denied;
}

/* A row for the key, at the head of its bucket and of the list. */
static struct flow *flow_add(struct flow_table *t, const struct flow *key)
{
	struct flow *rows = table_rows(t);
	uint32_t *bucket = table_bucket(t, key->hash);
	struct flow *f;

	if (t->used < t->rows) {
		f = &rows[t->used++];
	} else {
		f = &rows[t->oldest];
		flow_evict(t, f);
	}
	*f = *key;
	f->next = *bucket;
	*bucket = (uint32_t)(f - rows);
	list_add(t, f);
	return f;
}

struct flow *flow_touch(struct flow_table *t, const struct record *r, bool *is_new)
{
	uint64_t now = (uint64_t)r->ts.tv_sec * 1000000000 + (uint64_t)r->ts.tv_nsec;
	struct flow key, *f;

	flow_key(t, &r->endpoint, &key);
	f = flow_find(t, &key);
	*is_new = !f;
	if (f) {
		list_remove(t, f);
		list_add(t, f);
	} else {
		f = flow_add(t, &key);
		f->first = now;
	}
	f->last = now;
	f->generation = r->generation;
	f->allowed += r->decision.verdict == VERDICT_ALLOW;
	f->denied += r->decision.verdict == VERDICT_DENY;
	f->verdict = (uint8_t)r->decision.verdict;
	f->reason = (uint8_t)r->decision.reason;
	f->rule = r->decision.rule;
	f->decision_error = r->decision.error;
	f->error = r->error;
	f->tid = r->tid;
	/* Whoever need not name the process saves looking it up. */
	if (r->pid) {
		f->pid = r->pid;
		memcpy(f->comm, r->comm, sizeof(f->comm));
	}
	return f;
}

unsigned int flow_count(const struct flow_table *t)
{
	return t->used;
}

const struct flow *flow_at(const struct flow_table *t, unsigned int i)
{
	return &table_rows(t)[i];
}

struct flow_totals flow_evicted(const struct flow_table *t)
{
	return t->evicted;
}

struct record flow_record(const struct flow *f)
{
	struct record r = {
		.generation = f->generation,
		.ts = { .tv_sec = (time_t)(f->last / 1000000000),
			.tv_nsec = (long)(f->last % 1000000000) },
		.endpoint = {
			.dir = f->dir,
			.proto = f->proto,
			.addr.family = f->family,
			.port = f->port,
			.name = f->name_len && f->name_len < FLOW_NAME_MAX ? f->name : NULL,
		},
		.decision = {
			.verdict = f->verdict,
			.reason = f->reason,
			.rule = f->rule,
			.error = f->decision_error,
		},
		.pid = f->pid,
		.tid = f->tid,
		.error = f->error,
	};

	memcpy(r.endpoint.addr.bytes, f->addr, sizeof(f->addr));
	memcpy(r.comm, f->comm, sizeof(f->comm));
	return r;
}
