/* SPDX-License-Identifier: MIT */
#include "selftests/lib/watched.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "selftests/harness.h"
#include "selftests/lib/command.h"

/*
 * The flood moves no line of the screen: with sanitizers that would take longer than anybody
 * waits.
 */
static const char words[] =
	"echo started; while read word; do case $word in exit) exit 7;; "
	"flood) head -c 600000 /dev/zero | tr '\\0' '\\r'; echo flooded; touch %s/flooded;; "
	"*) probe connect tcp 127.0.0.1 $word;; esac; done <%s/order";

static void write_script(struct watched *w)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/order", harness_dir());
	ASSERT_EQ(0, mkfifo(path, 0600));
	w->order = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, w->order);
	snprintf(w->script, sizeof(w->script), "%s/script", harness_dir());
	file = fopen(w->script, "we");
	ASSERT_NE(NULL, file);
	fprintf(file, words, harness_dir(), harness_dir());
	ASSERT_EQ(0, fclose(file));
}

void watched_init(struct watched *w)
{
	w->allowed = server_new(SOCK_STREAM, "127.0.0.1", 0);
	w->denied = server_new(SOCK_STREAM, "127.0.0.1", 0);
	ASSERT_NE(NULL, w->allowed);
	ASSERT_NE(NULL, w->denied);
	snprintf(w->rule, sizeof(w->rule), "127.0.0.1:%u", server_port(w->allowed));
	write_script(w);
}

void watched_start(struct watched *w)
{
	ASSERT_EQ(0,
		  sandbox_start(&w->batch, ARGS("--name", "watched", "-q", "--net-allow", w->rule),
				ARGS("sh", w->script), NULL, NULL));
	ASSERT_EQ(0, command_wait_text(&w->batch.command, &w->batch.command.out, "started",
				       COMMAND_TIMEOUT));
}

void watched_tell(struct watched *w, const char *word)
{
	ASSERT_LT(0, dprintf(w->order, "%s\n", word));
}

void watched_expect_promise_kept(struct watched *w)
{
	const size_t arrived = server_count(w->allowed);

	ASSERT_LT(0,
		  dprintf(w->order, "%u\n%u\n", server_port(w->denied), server_port(w->allowed)));
	EXPECT_EQ(0, server_wait(w->allowed, arrived + 1, COMMAND_TIMEOUT));
	EXPECT_EQ(0, server_knock(w->denied));
	EXPECT_EQ(0, server_count(w->denied));
}

void watched_end(struct watched *w)
{
	if (w->order > 0)
		dprintf(w->order, "exit\n");
	if (w->order > 0 && w->batch.events)
		sandbox_wait(&w->batch);
}

void watched_free(struct watched *w)
{
	if (w->order > 0)
		close(w->order);
	sandbox_free(&w->batch);
	server_free(w->allowed);
	server_free(w->denied);
}
