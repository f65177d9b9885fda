/* SPDX-License-Identifier: MIT */
#include "selftests/lib/refusal.h"

#include <string.h>

#include "selftests/harness.h"

void expect_refusal(struct command *c, int code, const char *const words[])
{
	const char *end = strchr(c->err.text, '\n');

	EXPECT_EQ(code, command_code(c));
	EXPECT_STREQ("", c->out.text);
	EXPECT_EQ(0, strncmp(c->err.text, "sandtop: ", 9));
	EXPECT_TRUE(end && !end[1])
	{
		TH_LOG("'%s' is not one line", c->err.text);
	}
	for (size_t i = 0; words[i]; i++)
		EXPECT_STRIN(words[i], c->err.text);
}
