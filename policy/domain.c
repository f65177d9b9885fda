/* SPDX-License-Identifier: MIT */
#include "policy/domain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct domain_slot {
	uint32_t hash;
	uint32_t text; /* offset in the texts; 0 is a free slot */
	int value[2];  /* by enum domain_kind; 0: none */
};

/* FNV-1a, from the last byte on, so that the hashes of a name's suffixes come in passing. */
#define HASH_SEED 2166136261U

static uint32_t hash_byte(uint32_t hash, char c)
{
	return (hash ^ (uint8_t)c) * 16777619U;
}

static uint32_t hash_name(const char *name, size_t n)
{
	uint32_t hash = HASH_SEED;

	while (n)
		hash = hash_byte(hash, name[--n]);
	return hash;
}

/* The low bits of FNV-1a alone are poor. */
static size_t first_slot(const struct domain_map *m, uint32_t hash)
{
	return (hash ^ hash >> 15) & (m->n_slots - 1);
}

static struct domain_slot *find_slot(const struct domain_map *m, const char *name, uint32_t hash)
{
	size_t i = first_slot(m, hash);

	while (m->slots[i].text &&
	       (m->slots[i].hash != hash || strcmp(m->texts + m->slots[i].text, name)))
		i = (i + 1) & (m->n_slots - 1);
	return &m->slots[i];
}

static int grow_slots(struct domain_map *m)
{
	struct domain_map next = *m;

	if (2 * (m->used + 1) <= m->n_slots)
		return 0;
	next.n_slots = m->n_slots ? 2 * m->n_slots : 16;
	next.slots = calloc(next.n_slots, sizeof(*next.slots));
	if (!next.slots)
		return -ENOMEM;
	for (size_t i = 0; i < m->n_slots; i++) {
		size_t to = first_slot(&next, m->slots[i].hash);

		if (!m->slots[i].text)
			continue;
		while (next.slots[to].text)
			to = (to + 1) & (next.n_slots - 1);
		next.slots[to] = m->slots[i];
	}
	free(m->slots);
	*m = next;
	return 0;
}

/* Room for `n` more bytes; offset 0 is never a text. */
static int grow_texts(struct domain_map *m, size_t n)
{
	size_t size = m->texts_size ? m->texts_size : 1024;
	char *texts;

	if (!m->texts_len)
		m->texts_len = 1;
	while (size < m->texts_len + n)
		size *= 2;
	if (size == m->texts_size)
		return 0;
	if (size > UINT32_MAX)
		return -ENOMEM;
	texts = realloc(m->texts, size);
	if (!texts)
		return -ENOMEM;
	m->texts = texts;
	m->texts_size = size;
	return 0;
}

int domain_map_add(struct domain_map *m, const char *name, enum domain_kind kind, int value)
{
	size_t n = strlen(name);
	uint32_t hash = hash_name(name, n);
	struct domain_slot *slot;

	if (grow_slots(m) || grow_texts(m, n + 1))
		return -ENOMEM;
	slot = find_slot(m, name, hash);
	if (!slot->text) {
		slot->hash = hash;
		slot->text = (uint32_t)m->texts_len;
		memcpy(m->texts + m->texts_len, name, n + 1);
		m->texts_len += n + 1;
		m->used++;
	}
	if (!slot->value[kind] || value < slot->value[kind])
		slot->value[kind] = value;
	if (n > m->longest)
		m->longest = n;
	return 0;
}

int domain_map_get(const struct domain_map *m, const char *name, enum domain_kind kind)
{
	const struct domain_slot *slot;

	if (!m->used)
		return 0;
	slot = find_slot(m, name, hash_name(name, strlen(name)));
	return slot->text ? slot->value[kind] : 0;
}

struct domain_walk domain_walk_begin(const char *name)
{
	size_t n = strlen(name);

	return (struct domain_walk){ .name = name, .len = n, .at = n, .hash = HASH_SEED };
}

int domain_walk_next(const struct domain_map *m, struct domain_walk *w)
{
	while (w->at && w->len - w->at < m->longest) {
		const struct domain_slot *slot;
		int value;

		w->hash = hash_byte(w->hash, w->name[--w->at]);
		if (w->at && w->name[w->at - 1] != '.')
			continue;
		slot = find_slot(m, w->name + w->at, w->hash);
		value = slot->text ? slot->value[w->at ? DOMAIN_SUFFIX : DOMAIN_EXACT] : 0;
		if (value)
			return value;
	}
	return 0;
}

void domain_map_free(struct domain_map *m)
{
	free(m->slots);
	free(m->texts);
	*m = (struct domain_map){ 0 };
}
