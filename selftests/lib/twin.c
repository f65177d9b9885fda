/* SPDX-License-Identifier: MIT */
#include "selftests/lib/twin.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "selftests/harness.h"

/* The next line that is to be compared, or NULL; a figure on the way is logged. */
static char *next_line(char **rest, const char *who)
{
	char *line;

	while ((line = strsep(rest, "\n"))) {
		if (strncmp(line, "# ", 2))
			break;
		TH_LOG("%s: %s", who, line + 2);
	}
	return line;
}

/* One difference shifts all that follows: more of them say nothing more. */
enum { DIFFERENCES_MAX = 6 };

static void compare(struct twin *t)
{
	char *native = strdup(t->native.command.out.text);
	char *sandboxed = strdup(t->sandboxed.command.out.text);
	char *a, *b, *rest_a = native, *rest_b = sandboxed;
	int different = 0;
	bool same;

	ASSERT_TRUE(native && sandboxed);
	do {
		a = next_line(&rest_a, "native");
		b = next_line(&rest_b, "sandtop");
		same = a == b || (a && b && !strcmp(a, b));
		EXPECT_TRUE(same)
		{
			TH_LOG("native '%s', under sandtop '%s'", a ? a : "(end)", b ? b : "(end)");
		}
		different += !same;
	} while (a && b && different < DIFFERENCES_MAX);
	free(native);
	free(sandboxed);
}

static void expect_success(const struct sandbox *s, const char *who)
{
	EXPECT_EQ(0, command_code(&s->command))
	{
		TH_LOG("%s: %s%s", who, s->command.out.text, s->command.err.text);
	}
}

void twin_run(struct twin *t, const char *const options[], const char *const argv[])
{
	ASSERT_EQ(0, sandbox_run(&t->native, NULL, argv));
	expect_success(&t->native, "native");
	ASSERT_EQ(0, sandbox_run(&t->sandboxed, options, argv))
	{
		TH_LOG("%s%s", t->sandboxed.command.out.text, t->sandboxed.command.err.text);
	}
	expect_success(&t->sandboxed, "sandtop");
	compare(t);
}

void twin_run_at_once(struct twin *t, const char *const options[], const char *const argv[])
{
	ASSERT_EQ(0, sandbox_start(&t->native, NULL, argv, NULL, NULL));
	ASSERT_EQ(0, sandbox_start(&t->sandboxed, options, argv, NULL, NULL));
	ASSERT_EQ(0, sandbox_wait(&t->native));
	expect_success(&t->native, "native");
	ASSERT_EQ(0, sandbox_wait(&t->sandboxed))
	{
		TH_LOG("%s%s", t->sandboxed.command.out.text, t->sandboxed.command.err.text);
	}
	expect_success(&t->sandboxed, "sandtop");
	compare(t);
}

void twin_free(struct twin *t)
{
	sandbox_free(&t->native);
	sandbox_free(&t->sandboxed);
}
