/* SPDX-License-Identifier: MIT */
/*
 * The control socket as the supervisor serves it: clients, their requests, the
 * replies and events that wait until a client takes them.
 *
 * Nothing here waits for a client. One that does not take its replies is not
 * read from any more, and disconnected when CONTROL_QUEUED packets wait for it.
 * A request has one reply, and the next one of the same client is read after
 * it, so replies come in the order of the requests.
 */
#ifndef SANDTOP_URING_CONTROL_H
#define SANDTOP_URING_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/control.h"
#include "core/ledger.h"
#include "uring/engine.h"
#include "uring/jobs.h"
#include "uring/loop.h"
#include "uring/terminal.h"

enum {
	CONTROL_CLIENTS = 32,
	CONTROL_QUEUED = 64,
	CONTROL_EVENTS = 2 * CONTROL_CLIENTS + 4, /* armed at once on the loop, at most */
};

struct control;
struct packet;
struct swap;

struct control_client {
	struct control *control;
	int fd; /* -1: free, or gone while a reply was due */
	pid_t pid;
	int pidfd;    /* of who connected, and may send requests */
	int body;     /* what came with the request, or -1; a verb that keeps it sets it to -1 */
	bool due;     /* a reply to its last request will come later */
	bool watches; /* gets events */
	bool attends; /* or is there to answer questions all the same */
	bool pauses;  /* has new calls held, as long as it is connected */
	bool ended;   /* to be disconnected once what is queued has gone */
	struct event in, out;
	struct packet *first, *last;
	unsigned queued;
};

struct control_config {
	int listener; /* of core/control_socket.h; stays the caller's; -1: no control socket */
	struct loop *loop;
	struct engine *engine;
	struct report *report;
	struct ledger *ledger;
	struct stats *stats;
	struct jobs *jobs;
	struct swap *swap;
	unsigned max_connections;
	const char *name;          /* of the sandbox */
	char *const *argv;         /* of the command */
	pid_t pid;                 /* of the command */
	const char *profile;       /* the absolute path of the profile at the start, or NULL */
	struct terminal *terminal; /* the command's own, or NULL */
};

struct control {
	struct control_config config;
	struct event listener_event;
	double start;  /* CLOCK_REALTIME, seconds */
	char *command; /* its argv as one text */
	char *profile; /* that an answer has named, where config has none; or NULL */
	struct control_client clients[CONTROL_CLIENTS];
};

/*
 * What a verb does: reads `request`, in which verb and version are right, and fills `reply`, to
 * which "v" and "ok" are added. A descriptor in *reply_fd (-1 before) goes with it and is closed
 * afterwards. Returns 0; CONTROL_LATER when it will call control_reply(); or -errno, which is the
 * reply's error unless control_refuse() has put a better one there.
 */
enum { CONTROL_LATER = 1 };

struct control_verb {
	const char *name;
	int (*handle)(struct control *c, struct control_client *client, json_t *request,
		      json_t *reply, int *reply_fd);
};

/* terminal_verbs.c: `terminal` and `size`, as struct control_verb has them. */
int control_terminal(struct control *c, struct control_client *client, json_t *request,
		     json_t *reply, int *reply_fd);
int control_size(struct control *c, struct control_client *client, json_t *request, json_t *reply,
		 int *reply_fd);

/* opened_verbs.c: `connections` and `disconnect`. */
int control_connections(struct control *c, struct control_client *client, json_t *request,
			json_t *reply, int *reply_fd);
int control_disconnect(struct control *c, struct control_client *client, json_t *request,
		       json_t *reply, int *reply_fd);
/* ask_verbs.c: `attend`, `held`, `answer` and `pause`. */
int control_attend(struct control *c, struct control_client *client, json_t *request, json_t *reply,
		   int *reply_fd);
int control_held(struct control *c, struct control_client *client, json_t *request, json_t *reply,
		 int *reply_fd);
void control_end_pause(struct control_client *client); /* it has gone, or does not want it any more */
int control_pause(struct control *c, struct control_client *client, json_t *request, json_t *reply,
		  int *reply_fd);
int control_answer(struct control *c, struct control_client *client, json_t *request, json_t *reply,
		   int *reply_fd);

/* judge_verb.c: `judge`. */
int control_judge(struct control *c, struct control_client *client, json_t *request, json_t *reply,
		  int *reply_fd);

/* verbs.c: the verb of that name, or NULL. */
const struct control_verb *control_verb_find(const char *name);

/*
 * Begin to serve; the configuration's pointers must outlive it. Returns 0, -ENOMEM, or -errno of
 * the ring.
 */
int control_init(struct control *c, const struct control_config *config);

/* Disconnect every client. */
void control_exit(struct control *c);

/*
 * The reply of a verb that returned CONTROL_LATER: `reply` is released here and may be NULL (out of
 * memory), reply_fd is closed. `ret` is 0, or -errno as a handler returns it. To be called exactly
 * once, also when the client has gone meanwhile.
 */
void control_reply(struct control_client *client, json_t *reply, int ret, int reply_fd);

/* Put the reason why a request is refused into its reply. Returns -EINVAL. */
int control_refuse(json_t *reply, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whether a client listens to events or answers questions. */
bool control_is_watched(const struct control *c);

/* Send an event to every client that watches; "v" is added, and `event` released (NULL is fine). */
void control_tell(struct control *c, json_t *event);

/* Put `text` into the reply as "text", or, if it is long, into a body. Returns 0 or -errno. */
int control_put_text(json_t *reply, int *reply_fd, const char *text, size_t len);

#endif
