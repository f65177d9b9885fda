/* SPDX-License-Identifier: MIT */
#include "core/hosts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/array.h"

static int add(struct hosts *h, const char *name, struct addr addr)
{
	struct hosts_entry *entries = array_room(h->entries, h->n, sizeof(*entries));
	int first = domain_map_find(&h->names, name).value, last = 0;
	unsigned n = 0;

	if (!entries)
		return -ENOMEM;
	h->entries = entries;
	/* In the order of the file; no more than are ever looked at. */
	for (int i = first; i; i = (int)entries[i - 1].next) {
		last = i;
		n++;
	}
	if (n >= HOSTS_ADDRESSES)
		return 0;
	entries[h->n++] = (struct hosts_entry){ .addr = addr };
	if (!first)
		return domain_map_add(&h->names, name, DOMAIN_EXACT, (int)h->n);
	entries[last - 1].next = (uint32_t)h->n;
	return 0;
}

static int add_line(struct hosts *h, char *line)
{
	static const char blanks[] = " \t\r\n";
	char name[DOMAIN_TEXT_MAX];
	char *rest = NULL;
	struct addr addr;
	char *word;
	int ret = 0;

	line[strcspn(line, "#")] = '\0';
	word = strtok_r(line, blanks, &rest);
	if (!word || addr_parse(word, &addr))
		return 0;
	while (!ret && (word = strtok_r(NULL, blanks, &rest)))
		if (!domain_normalise(word, name))
			ret = add(h, name, addr);
	return ret;
}

int hosts_read(struct hosts *h, const char *path)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	int ret = 0;

	*h = (struct hosts){ 0 };
	while (f && !ret && getline(&line, &size, f) >= 0)
		ret = add_line(h, line);
	free(line);
	if (f)
		fclose(f);
	return ret;
}

void hosts_free(struct hosts *h)
{
	domain_map_free(&h->names);
	free(h->entries);
}

static bool is_localhost(const char *name)
{
	size_t n = strlen(name);

	return n >= 9 && !strcmp(name + n - 9, "localhost") && (n == 9 || name[n - 10] == '.');
}

size_t hosts_find(const struct hosts *h, const char *name, struct addr *out, size_t max)
{
	size_t n = 0;

	for (int i = domain_map_find(&h->names, name).value; i && n < max;
	     i = (int)h->entries[i - 1].next)
		out[n++] = h->entries[i - 1].addr;
	if (n || max < 2 || !is_localhost(name))
		return n;
	out[n++] = (struct addr){ .family = 4, .bytes = { 127, 0, 0, 1 } };
	out[n++] = (struct addr){ .family = 6, .bytes = { [15] = 1 } };
	return n;
}

bool hosts_speaks_for(const char *name, struct addr addr)
{
	return !addr_is_unspecified(addr) && (!addr_is_loopback(addr) || domain_is_local(name));
}
