/* SPDX-License-Identifier: MIT */
#include "uring/control.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/peer.h"
#include "core/uapi.h"

enum { ACCEPT_BATCH = 8 }; /* of those who are waiting, in one turn of the loop */

struct packet {
	json_t *json;
	int fd; /* its body, or -1 */
	struct packet *next;
};

static void drop_first(struct control_client *client)
{
	struct packet *p = client->first;

	client->first = p->next;
	client->queued--;
	if (p->fd >= 0)
		close(p->fd);
	json_decref(p->json);
	free(p);
}

/* The slot stays taken while a reply is due. */
static void disconnect(struct control_client *client)
{
	struct loop *loop = client->control->config.loop;

	if (client->fd < 0)
		return;
	loop_forget(loop, &client->in);
	loop_forget(loop, &client->out);
	while (client->first)
		drop_first(client);
	close(client->fd);
	if (client->pidfd >= 0)
		close(client->pidfd);
	client->fd = client->pidfd = -1;
	client->watches = client->attends = false;
	control_end_pause(client);
}

/* Read its next request, once it has taken what it was sent. */
static void await_request(struct control_client *client)
{
	if (client->fd < 0 || client->due || client->first || event_is_armed(&client->in))
		return;
	if (client->ended ||
	    loop_poll(client->control->config.loop, &client->in, client->fd, POLLIN))
		disconnect(client);
}

/* Send what is queued, as far as it goes. */
static void flush(struct control_client *client)
{
	while (client->first) {
		int ret = control_send(client->fd, client->first->json, client->first->fd);

		if (ret == -EAGAIN) {
			if (!event_is_armed(&client->out) &&
			    loop_poll(client->control->config.loop, &client->out, client->fd,
				      POLLOUT))
				disconnect(client);
			return;
		}
		if (ret) {
			disconnect(client);
			return;
		}
		drop_first(client);
	}
	await_request(client);
}

static void writable(struct event *ev, int res)
{
	(void)res;
	flush((struct control_client *)((char *)ev - offsetof(struct control_client, out)));
}

/* Takes ownership of both. */
static void queue(struct control_client *client, json_t *json, int fd)
{
	struct packet *p = malloc(sizeof(*p));

	if (!p || !json || client->fd < 0 || client->queued == CONTROL_QUEUED) {
		free(p);
		json_decref(json);
		if (fd >= 0)
			close(fd);
		disconnect(client);
		return;
	}
	*p = (struct packet){ .json = json, .fd = fd };
	if (client->first)
		client->last->next = p;
	else
		client->first = p;
	client->last = p;
	client->queued++;
	flush(client);
}

int control_refuse(json_t *reply, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (json_object_set_new(reply, "error", json_string(text)) == 0)
		return -EINVAL;
	/* What is quoted in it is no UTF-8. */
	for (char *c = text; *c; c++)
		if ((signed char)*c < 0)
			*c = '?';
	json_object_set_new(reply, "error", json_string(text));
	return -EINVAL;
}

static const char *error_text(int error)
{
	switch (error) {
	case ENOMEM:
		return "out of memory";
	case EBUSY:
		return "too many requests are waiting: try again";
	default:
		return strerror(error);
	}
}

void control_reply(struct control_client *client, json_t *reply, int ret, int reply_fd)
{
	client->due = false;
	if (!reply)
		reply = json_object();
	json_object_set_new(reply, "v", json_integer(CONTROL_VERSION));
	json_object_set_new(reply, "ok", json_boolean(ret == 0));
	if (ret && !json_object_get(reply, "error"))
		json_object_set_new(reply, "error", json_string(error_text(-ret)));
	queue(client, reply, reply_fd);
}

static void refuse(struct control_client *client, const char *why)
{
	json_t *reply = json_object();

	control_refuse(reply, "%s", why);
	control_reply(client, reply, -EINVAL, -1);
}

static void handle(struct control_client *client, json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "verb"));
	json_t *version = json_object_get(request, "v");
	const struct control_verb *verb;
	json_t *reply;
	int ret, fd = -1;

	if (!json_is_integer(version) || json_integer_value(version) != CONTROL_VERSION) {
		refuse(client, "unknown version of the protocol: expected \"v\":1");
		return;
	}
	if (!name) {
		refuse(client, "no verb: expected \"verb\" to be a text");
		return;
	}
	reply = json_object();
	verb = control_verb_find(name);
	if (verb)
		ret = verb->handle(client->control, client, request, reply, &fd);
	else
		ret = control_refuse(reply, "unknown verb '%.50s'", name);
	if (ret == CONTROL_LATER) {
		client->due = true;
		json_decref(reply);
		return;
	}
	control_reply(client, reply, ret, fd);
}

/* Why the process may not drive a sandbox, or NULL. */
static const char *objection(pid_t pid, int pidfd)
{
	switch (pidfd < 0 ? -ESRCH : peer_check(pid, pidfd)) {
	case 0:
		return NULL;
	case -EPERM:
		return "refused: a task of a sandbox cannot drive one";
	case -ESRCH:
		return "refused: who asked has ended";
	default:
		return "refused: cannot tell whether who asks runs in a sandbox";
	}
}

/* The same of who has sent a request, which need not be who connected. */
static const char *objection_to(const struct control_client *client,
				const struct control_sender *sender)
{
	struct pollfd gone = { .fd = client->pidfd, .events = POLLIN };

	/* Who connected was checked then; it cannot have got other parents since. */
	if (sender->pid == client->pid && poll(&gone, 1, 0) == 0)
		return NULL;
	return objection(sender->pid, sender->pidfd);
}

/*
 * Take in what has been sent and let nothing more come: a connection that is closed with something
 * unread is reset, and its last reply lost.
 */
static void stop_listening(int fd)
{
	char byte;

	shutdown(fd, SHUT_RD);
	for (int i = 0; i < CONTROL_QUEUED && recv(fd, &byte, 1, MSG_DONTWAIT) > 0; i++)
		;
}

static const char *problem(int error)
{
	return error == EMSGSIZE ? "not a request: expected at most 65536 bytes"
				 : "not a request: expected one JSON object";
}

static void readable(struct event *ev, int res)
{
	struct control_client *client =
		(struct control_client *)((char *)ev - offsetof(struct control_client, in));
	struct control_sender sender;
	const char *why = NULL;
	json_t *request;
	int error;

	(void)res;
	request = control_recv_from(client->fd, &client->body, &sender);
	error = errno;
	if (request || error == EMSGSIZE || error == EBADMSG)
		why = objection_to(client, &sender);
	if (sender.pidfd >= 0)
		close(sender.pidfd);
	if (!request && error == EAGAIN) {
		await_request(client);
	} else if (!request && error != EMSGSIZE && error != EBADMSG) {
		disconnect(client);
	} else if (why) {
		client->ended = true;
		stop_listening(client->fd);
		refuse(client, why);
	} else if (!request) {
		refuse(client, problem(error));
	} else {
		handle(client, request);
	}
	json_decref(request);
	if (client->body >= 0)
		close(client->body);
	client->body = -1;
}

static struct control_client *free_client(struct control *c)
{
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		if (c->clients[i].fd < 0 && !c->clients[i].due)
			return &c->clients[i];
	return NULL;
}

/* For whom there is no room, or who may not: tell, as well as it goes at once. */
static void turn_away(int fd, const char *why)
{
	json_t *reply = json_pack("{s:i, s:b, s:s}", "v", CONTROL_VERSION, "ok", 0, "error", why);

	stop_listening(fd);
	if (reply)
		control_send(fd, reply, -1);
	json_decref(reply);
	close(fd);
}

static void admit(struct control *c, int fd)
{
	struct control_client *client = free_client(c);
	const char *why;
	struct ucred cred;
	socklen_t len = sizeof(cred);
	int pidfd = -1;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) || cred.uid != geteuid()) {
		turn_away(fd, "refused: this sandbox is another user's");
		return;
	}
	len = sizeof(pidfd);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &len))
		pidfd = -1;
	why = client ? objection(cred.pid, pidfd) : "too many clients are connected";
	if (why) {
		turn_away(fd, why);
		if (pidfd >= 0)
			close(pidfd);
		return;
	}
	*client = (struct control_client){
		.control = c,
		.fd = fd,
		.body = -1,
		.pid = cred.pid,
		.pidfd = pidfd,
		.in = { .fn = readable },
		.out = { .fn = writable },
	};
	await_request(client);
}

static void connected(struct event *ev, int res)
{
	struct control *c =
		(struct control *)((char *)ev - offsetof(struct control, listener_event));

	(void)res;
	for (int i = 0; i < ACCEPT_BATCH; i++) {
		int fd = accept4(c->config.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			return;
		admit(c, fd);
	}
	/* The multishot poll speaks again only when one more comes. */
	loop_forget(c->config.loop, ev);
	if (loop_watch(c->config.loop, ev, c->config.listener, POLLIN))
		c->config.loop->again = true;
}

void control_tell(struct control *c, json_t *event)
{
	if (event)
		json_object_set_new(event, "v", json_integer(CONTROL_VERSION));
	for (size_t i = 0; event && i < CONTROL_CLIENTS; i++)
		if (c->clients[i].watches)
			queue(&c->clients[i], json_incref(event), -1);
	json_decref(event);
}

int control_put_text(json_t *reply, int *reply_fd, const char *text, size_t len)
{
	json_t *string;

	if (len > CONTROL_INLINE_MAX) {
		*reply_fd = control_body_new(text, len);
		return *reply_fd < 0 ? *reply_fd : 0;
	}
	string = json_stringn(text, len);
	if (!string) {
		/* It is no UTF-8. */
		*reply_fd = control_body_new(text, len);
		return *reply_fd < 0 ? *reply_fd : 0;
	}
	return json_object_set_new(reply, "text", string) ? -ENOMEM : 0;
}

static char *join(char *const *argv)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	for (char *const *word = argv; *word; word++)
		fprintf(f, "%s%s", word > argv ? " " : "", *word);
	fclose(f);
	return text;
}

bool control_is_watched(const struct control *c)
{
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		if (c->clients[i].watches || c->clients[i].attends)
			return true;
	return false;
}

/* struct ask: whether somebody is there to answer. */
static bool is_attended(void *arg)
{
	return control_is_watched(arg);
}

int control_init(struct control *c, const struct control_config *config)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	*c = (struct control){
		.config = *config,
		.listener_event = { .fn = connected },
		.start = (double)now.tv_sec + (double)now.tv_nsec / 1e9,
		.command = join(config->argv),
	};
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		c->clients[i].fd = -1;
	config->engine->ask.attended = is_attended;
	config->engine->ask.arg = c;
	if (!c->command)
		return -ENOMEM;
	if (config->listener < 0)
		return 0;
	return loop_watch(config->loop, &c->listener_event, config->listener, POLLIN);
}

void control_exit(struct control *c)
{
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		if (c->clients[i].control)
			disconnect(&c->clients[i]);
	free(c->command);
	free(c->profile);
}
