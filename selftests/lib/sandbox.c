/* SPDX-License-Identifier: MIT */
#include "selftests/lib/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "selftests/harness.h"

enum { ARGS_MAX = 8192 };

/* Append `args` to `all`, which has room for ARGS_MAX and a NULL. Returns the new length or -E2BIG.
 */
static int append(const char **all, int used, const char *const args[])
{
	for (; used >= 0 && *args; args++)
		used = used < ARGS_MAX ? (all[used] = *args, used + 1) : -E2BIG;
	return used;
}

int sandbox_start(struct sandbox *s, const char *const options[], const char *const argv[],
		  void (*prepare)(void *arg), void *arg)
{
	const char *all[ARGS_MAX + 1] = { NULL };
	int used, fd;

	*s = (struct sandbox){ 0 };
	if (!options)
		return command_start(&s->command, argv, prepare, arg);

	snprintf(s->json_path, sizeof(s->json_path), "%s/json.XXXXXX", harness_dir());
	fd = mkostemp(s->json_path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	close(fd);
	used = append(all, 0, ARGS("sandtop", "-b"));
	used = append(all, used, options);
	used = append(all, used, ARGS("--json", s->json_path, "--"));
	used = append(all, used, argv);
	return used < 0 ? used : command_start(&s->command, all, prepare, arg);
}

static int read_events(struct sandbox *s)
{
	FILE *file = fopen(s->json_path, "re");
	char *line = NULL;
	size_t size = 0;
	json_t *event;
	int result = 0;

	if (!file)
		return -errno;
	while (!result && getline(&line, &size, file) >= 0) {
		event = json_loads(line, 0, NULL);
		if (!json_is_object(event) || json_array_append(s->events, event))
			result = -EBADMSG;
		json_decref(event);
	}
	free(line);
	fclose(file);
	return result;
}

int sandbox_wait(struct sandbox *s)
{
	int result = command_wait(&s->command, COMMAND_TIMEOUT);

	if (result)
		return result;
	s->events = json_array();
	if (!s->events)
		return -ENOMEM;
	return s->json_path[0] ? read_events(s) : 0;
}

int sandbox_run(struct sandbox *s, const char *const options[], const char *const argv[])
{
	int result = sandbox_start(s, options, argv, NULL, NULL);

	return result ? result : sandbox_wait(s);
}

const json_t *sandbox_event(const struct sandbox *s, const char *kind, size_t i)
{
	const char *text;
	json_t *event;
	size_t index;

	json_array_foreach(s->events, index, event)
	{
		text = event_text(event, "event");
		if (text && !strcmp(text, kind) && !i--)
			return event;
	}
	return NULL;
}

const char *event_text(const json_t *event, const char *key)
{
	return json_string_value(json_object_get(event, key));
}

long event_number(const json_t *event, const char *key)
{
	const json_t *value = json_object_get(event, key);

	return json_is_integer(value) ? (long)json_integer_value(value) : -1;
}

void sandbox_free(struct sandbox *s)
{
	command_free(&s->command);
	json_decref(s->events);
	s->events = NULL;
}
