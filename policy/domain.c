/* SPDX-License-Identifier: MIT */
#include "policy/domain.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <idn2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_MAX = 63 };

struct domain_slot {
	uint32_t hash;
	uint32_t text; /* offset in the texts; 0 is a free slot */
	int value[2];  /* by enum domain_kind; 0: none */
};

static bool is_domain_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static bool is_domain(const char *name)
{
	size_t label = 0;
	const char *c;

	for (c = name; *c; c++) {
		if (*c != '.' && (!is_domain_char(*c) || ++label > LABEL_MAX))
			return false;
		if (*c == '.') {
			if (!label)
				return false;
			label = 0;
		}
	}
	return label > 0 && c - name < DOMAIN_TEXT_MAX;
}

/* Copy `n` bytes in lower case. Returns false if one is not ASCII. */
static bool copy_lower(char *out, const char *text, size_t n)
{
	bool ascii = true;

	for (size_t i = 0; i < n; i++) {
		ascii &= (signed char)text[i] >= 0;
		out[i] = text[i] >= 'A' && text[i] <= 'Z' ? text[i] + ('a' - 'A') : text[i];
	}
	out[n] = '\0';
	return ascii;
}

int domain_normalise(const char *text, char out[static DOMAIN_TEXT_MAX])
{
	size_t n = strlen(text);
	char *ascii;

	if (n > 1 && text[n - 1] == '.')
		n--;
	/* Of UTF-8 up to four bytes can become shorter. */
	if (n >= 4 * DOMAIN_TEXT_MAX)
		return -EINVAL;
	if (n < DOMAIN_TEXT_MAX && copy_lower(out, text, n))
		return is_domain(out) ? 0 : -EINVAL;
	if (idn2_to_ascii_8z(text, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return -EINVAL;
	n = strlen(ascii);
	if (n > 1 && ascii[n - 1] == '.')
		n--;
	if (n < DOMAIN_TEXT_MAX)
		copy_lower(out, ascii, n);
	idn2_free(ascii);
	return n < DOMAIN_TEXT_MAX && is_domain(out) ? 0 : -EINVAL;
}

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

struct domain_match domain_map_find(const struct domain_map *m, const char *name)
{
	struct domain_match match = { 0 };
	uint32_t hash = HASH_SEED;
	const char *c = name + strlen(name);

	if (!m->used)
		return match;
	while (c > name) {
		const struct domain_slot *slot;
		int value;

		hash = hash_byte(hash, *--c);
		if (c > name && c[-1] != '.')
			continue;
		slot = find_slot(m, c, hash);
		value = slot->value[c == name ? DOMAIN_EXACT : DOMAIN_SUFFIX];
		if (!slot->text || !value || (match.value && match.value <= value))
			continue;
		match.value = value;
		match.name = m->texts + slot->text;
	}
	return match;
}

const char *domain_map_next(const struct domain_map *m, enum domain_kind kind, size_t *at)
{
	while (*at < m->n_slots) {
		const struct domain_slot *slot = &m->slots[(*at)++];

		if (slot->text && slot->value[kind])
			return m->texts + slot->text;
	}
	return NULL;
}

int domain_map_copy(const struct domain_map *m, struct domain_map *out)
{
	struct domain_map copy = *m;

	if (!m->used) {
		*out = (struct domain_map){ 0 };
		return 0;
	}
	copy.slots = malloc(m->n_slots * sizeof(*copy.slots));
	copy.texts = malloc(m->texts_size);
	if (!copy.slots || !copy.texts) {
		domain_map_free(&copy);
		return -ENOMEM;
	}
	memcpy(copy.slots, m->slots, m->n_slots * sizeof(*copy.slots));
	memcpy(copy.texts, m->texts, m->texts_len);
	*out = copy;
	return 0;
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

static bool is_address(const char *word)
{
	uint8_t bytes[16];

	return inet_pton(AF_INET, word, bytes) == 1 || inet_pton(AF_INET6, word, bytes) == 1;
}

/* Names that a list of hosts(5) has for the machine itself, and that nobody wants blocked. */
static bool is_own_name(const char *name)
{
	static const char *const names[] = {
		"localhost",     "localhost.localdomain", "local",        "broadcasthost",
		"ip6-localhost", "ip6-loopback",          "ip6-localnet", "ip6-mcastprefix",
		"ip6-allnodes",  "ip6-allrouters",        "ip6-allhosts"
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* One line without its end, which is cut up in the course of it. */
static int add_line(struct domain_map *m, char *line, int value)
{
	static const char blanks[] = " \t\r";
	char name[DOMAIN_TEXT_MAX];
	char *rest = NULL;
	char *word;
	bool hosts;
	int ret = 0;

	line[strcspn(line, "#")] = '\0';
	word = strtok_r(line, blanks, &rest);
	if (!word)
		return 0;
	hosts = is_address(word);
	if (hosts)
		word = strtok_r(NULL, blanks, &rest);
	else if (strtok_r(NULL, blanks, &rest))
		return -EINVAL; /* several names and no address */
	for (; word && !ret; word = hosts ? strtok_r(NULL, blanks, &rest) : NULL) {
		/* The lists block 0.0.0.0 as a name, too. */
		if (hosts && is_address(word))
			continue;
		if (domain_normalise(word, name))
			return -EINVAL;
		if (!hosts || !is_own_name(name))
			ret = domain_map_add(m, name, DOMAIN_EXACT, value);
	}
	return ret;
}

/* A line of `n` bytes, without what surrounds its text. */
static struct domain_fault fault_of(unsigned int line, const char *text, size_t n)
{
	struct domain_fault fault = { .line = line };

	while (n && isspace((unsigned char)text[n - 1]))
		n--;
	for (; n && isspace((unsigned char)*text); n--)
		text++;
	if (n >= sizeof(fault.text))
		n = sizeof(fault.text) - 1;
	snprintf(fault.text, sizeof(fault.text), "%.*s", (int)n, text);
	return fault;
}

int domain_map_add_list(struct domain_map *m, const char *text, size_t size, int value,
			struct domain_fault *fault)
{
	const char *end = text + size;
	char copy[4096];

	for (unsigned int line = 1; text < end; line++) {
		const char *eol = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((eol ? eol : end) - text);
		int ret = -EINVAL;

		if (n < sizeof(copy) && !memchr(text, '\0', n)) {
			memcpy(copy, text, n);
			copy[n] = '\0';
			ret = add_line(m, copy, value);
		}
		if (ret == -EINVAL)
			*fault = fault_of(line, text, n);
		if (ret)
			return ret;
		text += n + 1;
	}
	return 0;
}

bool domain_is_local(const char *name)
{
	static const char *const domains[] = { "localhost", "local", "internal", "home.arpa" };
	size_t n = strlen(name);

	if (!strchr(name, '.'))
		return true;
	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
		size_t k = strlen(domains[i]);

		if (n > k && name[n - k - 1] == '.' && !strcmp(name + n - k, domains[i]))
			return true;
	}
	return false;
}
