/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation
 *
 * The rows are in the caller's memory, which others read; what leads to them is
 * private. A bucket heads a chain of rows whose hashes share their low bits; all
 * rows in use are on one list from the most to the least recently touched. Links
 * are row indices. Rows are taken in order until all are in use, from then on
 * from the end of the list.
 *
 * The command chooses the keys, so the hash has a secret: without it a program
 * could put all its flows into one chain, or let one flow pass for another.
 */
#include "core/flow.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/line.h"
#include "core/shared.h"

enum { NONE = UINT32_MAX };

/* What others see. */
struct row {
	_Alignas(64) shared_seq seq;
	struct flow flow;
};

struct shared_table {
	_Alignas(64) shared_seq seq; /* of the totals */
	struct flow_totals evicted;
	_Atomic uint32_t used; /* rows, from the first on */
	struct row rows[];
};

/* What belongs to a row and is the writer's alone. */
struct link {
	uint64_t hash;         /* of the whole key, names uncut */
	uint32_t next;         /* index of the next row in the bucket */
	uint32_t newer, older; /* indices of the neighbours in the order of use */
};

struct flow_table {
	struct shared_table *shared;
	uint64_t secret[2];
	uint64_t ids;     /* given away */
	uint32_t rows;    /* in the memory */
	uint32_t used;    /* of them */
	uint32_t buckets; /* a power of two */
	uint32_t newest, oldest;
	uint32_t *bucket;
	struct link links[];
};

struct key {
	uint64_t hash;
	const struct endpoint *endpoint;
	const char *name; /* not NULL */
	uint16_t name_len;
};

static uint32_t bucket_count(unsigned int rows)
{
	uint32_t n = 1;

	while (n < rows)
		n *= 2;
	return n;
}

size_t flow_table_size(unsigned int rows)
{
	return sizeof(struct shared_table) + rows * sizeof(struct row);
}

struct flow_table *flow_table_new(void *mem, unsigned int rows)
{
	uint32_t buckets = bucket_count(rows);
	struct flow_table *t;

	/* A link is not looked at before it is written: most are never touched. */
	t = malloc(sizeof(*t) + rows * sizeof(t->links[0]) + buckets * sizeof(t->bucket[0]));
	if (!t)
		return NULL;
	*t = (struct flow_table){
		.shared = mem,
		.rows = rows,
		.buckets = buckets,
		.newest = NONE,
		.oldest = NONE,
		.bucket = (uint32_t *)(t->links + rows),
	};
	memset(t->bucket, 0xff, buckets * sizeof(t->bucket[0]));
	/* Without randomness the table still works, only not against a command that knows this. */
	if (getrandom(t->secret, sizeof(t->secret), 0) != sizeof(t->secret)) {
		t->secret[0] = 0x243f6a8885a308d3; /* pi */
		t->secret[1] = 0x13198a2e03707344;
	}
	return t;
}

void flow_table_free(struct flow_table *t)
{
	free(t);
}

/*
 * Fold the 128-bit product, as wyhash does: every bit of the input reaches every bit of the result.
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

static struct key key_of(const struct flow_table *t, const struct endpoint *e)
{
	size_t len = e->name ? strlen(e->name) : 0;
	struct key key = {
		.endpoint = e,
		.name = e->name ? e->name : "",
		.name_len = len < UINT16_MAX ? (uint16_t)len : UINT16_MAX,
	};
	uint64_t head;

	head = (uint64_t)key.name_len << 40 | (uint64_t)e->port << 24 |
	       (uint64_t)e->addr.family << 16 | (uint64_t)e->proto << 8 | (uint64_t)e->dir;
	key.hash = hash_bytes(t->secret, 0, &head, sizeof(head));
	key.hash = hash_bytes(t->secret, key.hash, e->addr.bytes, sizeof(e->addr.bytes));
	key.hash = hash_bytes(t->secret, key.hash, key.name, len);
	return key;
}

static bool has_key(const struct flow *f, const struct key *key)
{
	const struct endpoint *e = key->endpoint;

	return f->dir == e->dir && f->proto == e->proto && f->family == e->addr.family &&
	       f->port == e->port && f->name_len == key->name_len &&
	       memcmp(f->addr, e->addr.bytes, sizeof(f->addr)) == 0 &&
	       strncmp(f->name, key->name, sizeof(f->name) - 1) == 0;
}

static uint32_t *bucket_of(const struct flow_table *t, uint64_t hash)
{
	return &t->bucket[hash & (t->buckets - 1)];
}

/* The index of the row with this key, or NONE. */
static uint32_t flow_find(const struct flow_table *t, const struct key *key)
{
	uint32_t i = *bucket_of(t, key->hash);

	while (i != NONE &&
	       !(t->links[i].hash == key->hash && has_key(&t->shared->rows[i].flow, key)))
		i = t->links[i].next;
	return i;
}

static void list_remove(struct flow_table *t, uint32_t i)
{
	const struct link *l = &t->links[i];

	*(l->newer == NONE ? &t->newest : &t->links[l->newer].older) = l->older;
	*(l->older == NONE ? &t->oldest : &t->links[l->older].newer) = l->newer;
}

static void list_add(struct flow_table *t, uint32_t i)
{
	t->links[i].newer = NONE;
	t->links[i].older = t->newest;
	*(t->newest == NONE ? &t->oldest : &t->links[t->newest].newer) = i;
	t->newest = i;
}

static void flow_evict(struct flow_table *t, uint32_t i)
{
	uint32_t *link = bucket_of(t, t->links[i].hash);
	const struct flow *f = &t->shared->rows[i].flow;
	struct flow_totals now = t->shared->evicted;

	while (*link != i)
		link = &t->links[*link].next;
	*link = t->links[i].next;
	list_remove(t, i);
	now.rows++;
	now.allowed += f->allowed;
	now.denied += f->denied;
	shared_begin(&t->shared->seq);
	shared_put(&t->shared->evicted, &now, sizeof(now));
	shared_end(&t->shared->seq);
}

/* An index for the key, at the head of its bucket and of the list; the row has yet to be filled. */
static uint32_t flow_add(struct flow_table *t, const struct key *key)
{
	uint32_t *bucket = bucket_of(t, key->hash);
	uint32_t i = t->used;

	if (t->used < t->rows) {
		t->used++;
	} else {
		i = t->oldest;
		flow_evict(t, i);
	}
	t->links[i].hash = key->hash;
	t->links[i].next = *bucket;
	*bucket = i;
	list_add(t, i);
	return i;
}

/* All of a new row that touching does not write. */
static void flow_begin(struct flow_table *t, struct flow *f, const struct key *key, uint64_t now)
{
	const struct endpoint *e = key->endpoint;
	struct flow blank = {
		.id = ++t->ids,
		.first = now,
		.dir = (uint8_t)e->dir,
		.proto = (uint8_t)e->proto,
		.family = e->addr.family,
		.port = e->port,
		.name_len = key->name_len,
	};

	memcpy(blank.addr, e->addr.bytes, sizeof(blank.addr));
	shared_put(f, &blank, offsetof(struct flow, name));
	shared_put_text(f->name, sizeof(f->name), key->name);
	shared_put_text(f->rule_text, sizeof(f->rule_text), "");
	shared_put_text(f->host, sizeof(f->host), "");
}

/* The text of the last decision: written only when it can have changed. */
static void put_rule(struct flow *f, const struct record *r, bool is_new)
{
	const struct decision *d = &r->decision;
	char reason[LINE_REASON_MAX];

	if (!is_new && f->generation == r->generation && f->rule == d->rule &&
	    f->reason == d->reason && f->decision_error == d->error)
		return;
	if (d->reason == REASON_RULE)
		shared_put_text(f->rule_text, sizeof(f->rule_text), r->rule ? r->rule : "");
	else
		shared_put_text(f->rule_text, sizeof(f->rule_text), line_reason(d, reason));
}

static void put_decision(struct flow *f, const struct record *r, uint64_t now)
{
	const char *host = r->host ? r->host : "";

	shared_store(f->last, now);
	shared_store(f->generation, r->generation);
	if (r->decision.verdict == VERDICT_ALLOW)
		shared_store(f->allowed, f->allowed + 1);
	else if (r->decision.verdict == VERDICT_DENY)
		shared_store(f->denied, f->denied + 1);
	shared_store(f->verdict, (uint8_t)r->decision.verdict);
	shared_store(f->reason, (uint8_t)r->decision.reason);
	shared_store(f->rule, r->decision.rule);
	shared_store(f->decision_error, r->decision.error);
	shared_store(f->error, r->error);
	shared_store(f->unspecified, r->endpoint.unspecified);
	shared_store(f->tid, r->tid);
	if (strncmp(f->host, host, sizeof(f->host) - 1) != 0)
		shared_put_text(f->host, sizeof(f->host), host);
	/* Whoever need not name the process saves looking it up. */
	if (r->pid) {
		shared_store(f->pid, r->pid);
		shared_put(f->comm, r->comm, sizeof(f->comm));
	}
}

const struct flow *flow_touch(struct flow_table *t, const struct record *r, bool *is_new)
{
	uint64_t now = (uint64_t)r->ts.tv_sec * 1000000000 + (uint64_t)r->ts.tv_nsec;
	struct key key = key_of(t, &r->endpoint);
	uint32_t i = flow_find(t, &key);
	struct row *row;

	*is_new = i == NONE;
	if (*is_new) {
		i = flow_add(t, &key);
	} else if (t->newest != i) {
		list_remove(t, i);
		list_add(t, i);
	}
	row = &t->shared->rows[i];
	shared_begin(&row->seq);
	if (*is_new)
		flow_begin(t, &row->flow, &key, now);
	put_rule(&row->flow, r, *is_new);
	put_decision(&row->flow, r, now);
	shared_end(&row->seq);
	atomic_store_explicit(&t->shared->used, t->used, memory_order_release);
	return &row->flow;
}

void flow_set_printed(struct flow_table *t, const struct flow *f)
{
	const struct row *at = (const struct row *)((const char *)f - offsetof(struct row, flow));
	struct row *row = &t->shared->rows[at - t->shared->rows];

	shared_begin(&row->seq);
	shared_store(row->flow.printed, true);
	shared_end(&row->seq);
}

unsigned int flow_count(const struct flow_table *t)
{
	return t->used;
}

const struct flow *flow_at(const struct flow_table *t, unsigned int i)
{
	return &t->shared->rows[i].flow;
}

struct flow_totals flow_evicted(const struct flow_table *t)
{
	return t->shared->evicted;
}

unsigned int flow_read(const void *mem, unsigned int rows, struct flow *out, unsigned int max)
{
	const struct shared_table *shared = mem;
	uint32_t used = atomic_load_explicit(&shared->used, memory_order_acquire);
	unsigned int n = 0;

	for (uint32_t i = 0; i < used && i < rows && n < max; i++) {
		const struct row *row = &shared->rows[i];

		if (shared_read(&row->seq, &out[n], &row->flow, sizeof(row->flow)))
			n++;
	}
	return n;
}

struct flow_totals flow_read_evicted(const void *mem)
{
	const struct shared_table *shared = mem;
	struct flow_totals totals = { 0 };

	if (!shared_read(&shared->seq, &totals, &shared->evicted, sizeof(totals)))
		totals = (struct flow_totals){ 0 };
	return totals;
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
			.unspecified = f->unspecified,
			.port = f->port,
			.name = f->name_len && f->name_len < FLOW_NAME_MAX ? f->name : NULL,
		},
		.decision = {
			.verdict = f->verdict,
			.reason = f->reason,
			.rule = f->rule,
			.error = f->decision_error,
		},
		.rule = f->reason == REASON_RULE ? f->rule_text : NULL,
		.host = f->host[0] ? f->host : NULL,
		.pid = f->pid,
		.tid = f->tid,
		.error = f->error,
	};

	memcpy(r.endpoint.addr.bytes, f->addr, sizeof(f->addr));
	memcpy(r.comm, f->comm, sizeof(f->comm));
	return r;
}
