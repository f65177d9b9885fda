/* SPDX-License-Identifier: MIT */
#include "selftests/lib/scribe.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "selftests/harness.h"

long scribe_said(const char *text, const char *word)
{
	const char *at = strstr(text, word);

	ASSERT_NE(NULL, at)
	{
		TH_LOG("no '%s' in: %s", word, text);
	}
	return atol(at + strlen(word));
}

void scribe_expect(struct command *c, const char *text)
{
	ASSERT_EQ(0, command_wait_text(c, &c->out, text, SCRIBE_PATIENCE))
	{
		TH_LOG("%s%s", c->out.text, c->err.text);
	}
}

void scribe_go_on(struct command *c)
{
	EXPECT_EQ(0, kill((pid_t)scribe_said(c->out.text, "command "), SIGUSR1));
}

void scribe_finish(struct command *c)
{
	ASSERT_EQ(0, command_wait(c, SCRIBE_PATIENCE));
	EXPECT_EQ(0, command_code(c))
	{
		TH_LOG("%s%s", c->out.text, c->err.text);
	}
}
