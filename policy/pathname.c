/* SPDX-License-Identifier: MIT */
#include "policy/pathname.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "policy/array.h"

static int by_name(const void *a, const void *b)
{
	const struct pathname *m = a;
	const struct pathname *n = b;

	return strcmp(m->name, n->name);
}

static struct pathname *find(const struct pathnames *p, const char *name)
{
	struct pathname key = { .name = (char *)name };
	struct pathname **node = tfind(&key, &p->by_name, by_name);

	return node ? *node : NULL;
}

int pathnames_add(struct pathnames *p, const char *name)
{
	struct pathname **v;
	struct pathname *path;

	if ((*name != '/' && *name != '$') || find(p, name))
		return 0;
	v = array_room(p->v, p->n, sizeof(struct pathname *));
	if (!v)
		return -ENOMEM;
	p->v = v;
	path = calloc(1, sizeof(*path));
	if (!path)
		return -ENOMEM;
	path->name = strdup(name);
	if (!path->name || !tsearch(path, &p->by_name, by_name)) {
		free(path->name);
		free(path);
		return -ENOMEM;
	}
	v[p->n++] = path;
	return 0;
}

static void keep(void *node)
{
	(void)node; /* the tree's nodes are in the array, too */
}

void pathnames_free(struct pathnames *p)
{
	tdestroy(p->by_name, keep);
	for (size_t i = 0; i < p->n; i++) {
		free(p->v[i]->name);
		free(p->v[i]->real);
		free(p->v[i]);
	}
	free(p->v);
}

int pathnames_set(struct pathnames *p, size_t i, const char *real)
{
	char *copy = strdup(real);

	if (!copy)
		return -ENOMEM;
	free(p->v[i]->real);
	p->v[i]->real = copy;
	return 0;
}

const char *pathname_write(const char *name, char buf[static 2 * ENDPOINT_NAME_MAX])
{
	bool is_path = *name == '/';
	size_t n = 0;

	for (; *name && n < 2 * ENDPOINT_NAME_MAX - 2; name++) {
		if (*name == '$' && is_path)
			buf[n++] = '$';
		buf[n++] = *name;
	}
	buf[n] = '\0';
	return buf;
}

int pathnames_entry(const struct pathnames *p, const char *name, struct path_entry *out)
{
	const struct pathname *path = find(p, name);
	size_t n = strlen(name);

	out->prefix = name[n - 1] == '*';
	if (path && path->real)
		out->text = strdup(path->real);
	else if (path && strchr(name, '$'))
		return 0;
	else
		out->text = strndup(name, n - out->prefix);
	return out->text ? 1 : -ENOMEM;
}
