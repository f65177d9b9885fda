/* SPDX-License-Identifier: MIT */
/*
 * The verbs that give a monitor the command's terminal. As those of verbs.c.
 */
#include <errno.h>
#include <limits.h>

#include "uring/control.h"
#include "uring/terminal.h"

/* Returns 0, or -EINVAL with the reply filled. */
static int size_of(const struct control *c, const char *verb, const json_t *request, json_t *reply,
		   unsigned short *rows, unsigned short *cols)
{
	json_int_t r = json_integer_value(json_object_get(request, "rows"));
	json_int_t w = json_integer_value(json_object_get(request, "cols"));

	if (!c->config.terminal)
		return control_refuse(reply, "the command has no terminal of its own");
	if (r < 1 || r > USHRT_MAX || w < 1 || w > USHRT_MAX)
		return control_refuse(
			reply, "%s: expected \"rows\" and \"cols\" to be numbers from 1 to %d",
			verb, USHRT_MAX);
	*rows = (unsigned short)r;
	*cols = (unsigned short)w;
	return 0;
}

int control_terminal(struct control *c, struct control_client *client, json_t *request,
		     json_t *reply, int *reply_fd)
{
	unsigned short rows, cols;
	size_t replay;
	int ret = size_of(c, "terminal", request, reply, &rows, &cols);

	(void)client;
	if (ret)
		return ret;
	ret = terminal_attach(c->config.terminal, rows, cols, reply_fd, &replay);
	if (ret == -EBUSY)
		return control_refuse(reply, "terminal: %d monitors are attached already",
				      TERMINAL_CLIENTS);
	return ret ? ret : json_object_set_new(reply, "replay", json_integer((json_int_t)replay));
}

int control_size(struct control *c, struct control_client *client, json_t *request, json_t *reply,
		 int *reply_fd)
{
	unsigned short rows, cols;
	int ret = size_of(c, "size", request, reply, &rows, &cols);

	(void)client;
	(void)reply_fd;
	return ret ? ret : terminal_resize(c->config.terminal, rows, cols);
}
