/* SPDX-License-Identifier: MIT */
/*
 * ctl save: a policy that was changed while the command ran goes into a profile, and what its owner
 * wrote there stays.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "selftests/harness.h"
#include "selftests/lib/command.h"
#include "selftests/lib/driven.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/textfile.h"

#define HAND_WRITTEN                                                                               \
	"# Mine.\n[network]\nallow = [\n    '127.0.0.1:8080', # the proxy\n]\n\n[log]\n# none\n"

FIXTURE(save)
{
	struct driven d;
	char path[128];
};

FIXTURE_SETUP(save)
{
	if (!netns_or_skip())
		return;
	driven_init();
	snprintf(self->path, sizeof(self->path), "%s/p.toml", harness_dir());
	textfile_write(self->path, HAND_WRITTEN);
}

FIXTURE_TEARDOWN(save)
{
	driven_free(&self->d);
}

TEST_F(save, a_rule_of_the_session_goes_into_the_profile)
{
	struct stat st;

	driven_start(&self->d, "web", ARGS("--profile-file", self->path), NULL, NULL);
	driven_ctl(0, ARGS("allow", "udp://127.0.0.1:53"));
	EXPECT_STREQ("", driven_ctl(0, ARGS("save", self->path)));
	EXPECT_STREQ("# Mine.\n[network]\nallow = [\n    \"udp://127.0.0.1:53\",\n"
		     "    '127.0.0.1:8080', # the proxy\n]\n\n[log]\n# none\n",
		     textfile_read(self->path));
	ASSERT_EQ(0, stat(self->path, &st));
	EXPECT_EQ(0600, st.st_mode & 0777);

	/* What is there already is not added again. */
	EXPECT_STREQ("", driven_ctl(0, ARGS("save", self->path)));
	driven_ctl(0, ARGS("deny", ":25"));
	EXPECT_STREQ("", driven_ctl(0, ARGS("save", self->path)));
	EXPECT_STREQ("# Mine.\n[network]\nrules = [\n    \"deny :25\",\n"
		     "    \"allow udp://127.0.0.1:53\",\n"
		     "    \"allow 127.0.0.1:8080\", # the proxy\n]\n\n[log]\n# none\n",
		     textfile_read(self->path));

	/* The run goes on with it. */
	EXPECT_STREQ("generation 4, 0 flows shut\n", driven_ctl(0, ARGS("undo")));
	EXPECT_STREQ("generation 5, 0 flows shut\n", driven_ctl(0, ARGS("undo")));
	EXPECT_STREQ("generation 6, 0 flows shut\n", driven_ctl(0, ARGS("reload")));
}

TEST_F(save, a_rule_of_the_command_line_is_part_of_the_policy)
{
	driven_start(&self->d, "web", ARGS("--net-allow", ":1", "--profile-file", self->path), NULL,
		     NULL);
	EXPECT_STREQ("", driven_ctl(0, ARGS("save", self->path)));
	EXPECT_STRIN("allow = [\n    \":1\",\n    '127.0.0.1:8080', # the proxy\n",
		     textfile_read(self->path));
}

TEST_F(save, a_profile_of_another_policy_stays_as_it_is)
{
	char expected[512], missing[160];

	driven_start(&self->d, "web", ARGS("--net-allow", ":1"), NULL, NULL);
	snprintf(expected, sizeof(expected),
		 "ctl save: %s: it has the rule 'allow 127.0.0.1:8080', which the live policy does "
		 "not have there",
		 self->path);
	EXPECT_STRIN(expected, driven_ctl(1, ARGS("save", self->path)));
	EXPECT_STREQ(HAND_WRITTEN, textfile_read(self->path));

	textfile_write(self->path, "[network]\nallow = [\n");
	snprintf(expected, sizeof(expected), "ctl save: %s:2:", self->path);
	EXPECT_STRIN(expected, driven_ctl(1, ARGS("save", self->path)));
	EXPECT_STREQ("[network]\nallow = [\n", textfile_read(self->path));

	snprintf(missing, sizeof(missing), "%s/none/p.toml", harness_dir());
	EXPECT_STRIN("cannot write: No such file or directory",
		     driven_ctl(1, ARGS("save", missing)));
	EXPECT_STRIN("cannot read: Is a directory", driven_ctl(1, ARGS("save", harness_dir())));
}

TEST_F(save, an_empty_file_gets_the_whole_policy)
{
	textfile_write(self->path, "");
	driven_start(&self->d, "web", ARGS("--net-allow", ":1"), NULL, NULL);
	EXPECT_STREQ("", driven_ctl(0, ARGS("save", self->path)));
	EXPECT_STREQ("[network]\nallow = [\n\t\":1\", # 1\n]\ndefault = \"deny\"\n",
		     textfile_read(self->path));
}

TEST_F(save, what_sandtop_wrote_is_its_own_to_replace)
{
	textfile_write(self->path, "");
	driven_start(&self->d, "web", ARGS("--net-allow", ":1"), NULL, NULL);
	driven_ctl(0, ARGS("allow", ":2"));
	EXPECT_STREQ("", driven_ctl(0, ARGS("save", self->path)));
	EXPECT_STRIN("\"allow :2\", # 1\n\t\"allow :1\", # 2\n", textfile_read(self->path));
	driven_ctl(0, ARGS("undo"));
	EXPECT_STREQ("", driven_ctl(0, ARGS("save", self->path)));
	EXPECT_STREQ("[network]\nallow = [\n\t\":1\", # 1\n]\ndefault = \"deny\"\n",
		     textfile_read(self->path));
}

TEST_HARNESS_MAIN
