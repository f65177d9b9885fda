/* SPDX-License-Identifier: MIT */
/*
 * --learn: what a command uses becomes a profile under which it runs as before, and which allows
 * nothing beside that.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "selftests/harness.h"
#include "selftests/lib/driven.h"
#include "selftests/lib/nameserver.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/sandbox.h"
#include "selftests/lib/server.h"
#include "selftests/lib/textfile.h"

enum { DNS_PORT = 5300, PORT = 8080, RUNS = 3 };

#define FIXED   "fixed.example.test"
#define API     "api.example.test"
#define EVIL    "evil.example.test"
#define ADDRESS NETNS_PUBLIC "1"
#define MINE    "# Mine.\n[dns]\nupstream = ['127.0.0.1:5300']\n"

FIXTURE(learn)
{
	struct server *tcp, *udp;
	char path[128];
	struct sandbox s;
	struct driven d;
	struct nameserver *ns;
};

FIXTURE_SETUP(learn)
{
	if (!netns_or_skip())
		return;
	ASSERT_EQ(0, netns_add_public());
	driven_init();
	self->tcp = server_new(SOCK_STREAM, "::", PORT);
	self->udp = server_new(SOCK_DGRAM, "::", PORT);
	ASSERT_NE(NULL, self->tcp);
	ASSERT_NE(NULL, self->udp);
	snprintf(self->path, sizeof(self->path), "%s/learned.toml", harness_dir());
}

FIXTURE_TEARDOWN(learn)
{
	sandbox_free(&self->s);
	driven_free(&self->d);
	server_free(self->tcp);
	server_free(self->udp);
	nameserver_free(self->ns);
}

static void run(FIXTURE_DATA(learn) * self, const char *const options[], const char *const argv[])
{
	sandbox_free(&self->s);
	ASSERT_EQ(0, sandbox_run(&self->s, options, argv));
}

/* Decisions of the last run with that verdict. */
static int decisions(FIXTURE_DATA(learn) * self, const char *verdict)
{
	const json_t *event;
	int n = 0;

	for (size_t i = 0; (event = sandbox_event(&self->s, "decision", i)); i++)
		n += !strcmp(event_text(event, "verdict"), verdict);
	return n;
}

/* The same command under what was learned, as often as it takes to believe it. */
static void expect_no_denial(FIXTURE_DATA(learn) * self, const char *const argv[])
{
	char *wanted = strdup(self->s.command.out.text);

	for (int i = 0; i < RUNS; i++) {
		run(self, ARGS("--profile-file", self->path), argv);
		EXPECT_EQ(0, decisions(self, "deny"))
		{
			TH_LOG("%s", self->s.command.err.text);
		}
		EXPECT_LT(0, decisions(self, "allow"));
		EXPECT_STREQ(wanted, self->s.command.out.text);
	}
	free(wanted);
}

/* ---- one way and the others -------------------------------------------------- */

static const char *const literal[] = {
	"probe", "connect", "tcp4",    "127.0.0.1", "8080",   ",",    "connect",
	"tcp6",  "::1",     "8080",    ",",         "sendto", "udp4", "127.0.0.1",
	"8080",  ",",       "connect", "tcp4",      ADDRESS,  "8080", NULL,
};

struct neighbour {
	const char *verdict, *endpoint;
};

TEST_F(learn, what_was_used_and_nothing_beside_it)
{
	static const struct neighbour neighbours[] = {
		{ "allow", "tcp 127.0.0.1 8080" },
		{ "deny", "tcp 127.0.0.2 8080" },
		{ "deny", "tcp 127.0.0.1 8081" },
		{ "deny", "tcp 127.0.0.1 8079" },
		{ "allow", "udp 127.0.0.1 8080" },
		{ "deny", "udp 127.0.0.2 8080" },
		{ "deny", "udp 127.0.0.1 8081" },
		{ "deny", "icmp 127.0.0.1" },
		{ "allow", "tcp ::1 8080" },
		{ "deny", "tcp ::2 8080" },
		{ "deny", "tcp ::1 8081" },
		{ "deny", "udp ::1 8080" },
		{ "allow", "tcp " ADDRESS " 8080" },
		{ "deny", "udp " ADDRESS " 8080" },
		{ "deny", "tcp " NETNS_PUBLIC "2 8080" },
		{ "deny", "tcp " ADDRESS " 8081" },
	};
	struct stat st;

	run(self, ARGS("--learn", self->path), literal);
	EXPECT_EQ(0, command_code(&self->s.command));
	EXPECT_EQ(0, decisions(self, "deny"));
	EXPECT_STREQ("learn", event_text(sandbox_event(&self->s, "decision", 0), "rule"));
	EXPECT_EQ(0, server_wait(self->tcp, 3, COMMAND_TIMEOUT));
	EXPECT_EQ(0, server_wait(self->udp, 1, COMMAND_TIMEOUT));
	ASSERT_EQ(0, stat(self->path, &st));
	EXPECT_EQ(0600, st.st_mode & 0777);
	EXPECT_STRIN("\t\"allow 127.0.0.1:8080\", # probe, 1 time, first at 20",
		     textfile_read(self->path));
	for (size_t i = 0; i < sizeof(neighbours) / sizeof(neighbours[0]); i++) {
		struct command c;
		char wanted[64];

		ASSERT_EQ(0, command_run(&c, ARGS("sandtop", "explain", "--profile-file",
						  self->path, neighbours[i].endpoint)));
		snprintf(wanted, sizeof(wanted), "%s\t", neighbours[i].verdict);
		EXPECT_EQ(0, strncmp(wanted, c.out.text, strlen(wanted)))
		{
			TH_LOG("%s: %s", neighbours[i].endpoint, c.out.text);
		}
		command_free(&c);
	}
	expect_no_denial(self, literal);
	EXPECT_EQ(0, server_wait(self->tcp, 3 + 3 * RUNS, COMMAND_TIMEOUT));
}

static char *dump(const char *path)
{
	struct command c;
	char *text;

	ASSERT_EQ(0, command_run(&c, ARGS("sandtop", "--profile-file", path, "--dump-profile")));
	EXPECT_EQ(0, command_code(&c));
	text = strdup(c.out.text);
	command_free(&c);
	return text;
}

TEST_F(learn, a_dump_of_it_is_the_same_policy)
{
	char *once, *twice, other[160];

	run(self, ARGS("--learn", self->path), literal);
	once = dump(self->path);
	EXPECT_STRIN("\"allow 127.0.0.1:8080\", # 1", once);
	EXPECT_STRIN("default = \"deny\"", once);
	snprintf(other, sizeof(other), "%s/other.toml", harness_dir());
	textfile_write(other, once);
	twice = dump(other);
	EXPECT_STREQ(once, twice);
	free(once);
	free(twice);
}

/* ---- what still denies ------------------------------------------------------- */

TEST_F(learn, rules_deny_as_ever)
{
	run(self,
	    ARGS("--learn", self->path, "--rule", "deny 127.0.0.1:8080", "--preset", "non-local"),
	    literal);
	EXPECT_STREQ("connect ECONNREFUSED\nconnect ECONNREFUSED\nsendto ECONNREFUSED\nconnect 0\n",
		     self->s.command.out.text);
	EXPECT_EQ(0, server_wait(self->tcp, 1, COMMAND_TIMEOUT));
	EXPECT_EQ(0, server_knock(self->tcp));
	EXPECT_EQ(0, server_knock(self->udp));
	EXPECT_EQ(1, server_count(self->tcp));
	EXPECT_EQ(0, server_count(self->udp));
	/* What a preset allows at large is learned one by one as well. */
	EXPECT_STRIN("\"allow " ADDRESS ":8080\"", textfile_read(self->path));
	EXPECT_STRNOTIN("127.0.0.1", textfile_read(self->path));
	EXPECT_STRNOTIN("::1", textfile_read(self->path));
}

TEST_F(learn, a_list_of_what_is_denied_denies)
{
	run(self, ARGS("--learn", self->path, "--net-deny", ":8080"), literal);
	EXPECT_STREQ("connect ECONNREFUSED\nconnect ECONNREFUSED\nsendto 5\nconnect ECONNREFUSED\n",
		     self->s.command.out.text);
	EXPECT_EQ(0, server_count(self->tcp));
	EXPECT_STRNOTIN("\"allow 127", textfile_read(self->path));
	EXPECT_STRIN("\"allow udp://127.0.0.1:8080\"", textfile_read(self->path));
}

/* A listener on a UNIX socket of the host. */
static int listen_unix(const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(name.sun_path, path);
	ASSERT_EQ(0, bind(fd, (struct sockaddr *)&name, sizeof(name)));
	ASSERT_EQ(0, listen(fd, 1));
	return fd;
}

TEST_F(learn, services_of_the_host_are_comments)
{
	char path[100], wanted[200];
	int fd;

	snprintf(path, sizeof(path), "%s/host", harness_dir());
	fd = listen_unix(path);
	run(self, ARGS("--learn", self->path), ARGS("probe", "connect", "stream", path, "0"));
	EXPECT_STREQ("connect EACCES\n", self->s.command.out.text);
	snprintf(wanted, sizeof(wanted), "\n\t# \"allow unix:%s\", probe, 1 time", path);
	EXPECT_STRIN(wanted, textfile_read(self->path));

	/* The user has allowed it: then it is part of what is needed. */
	snprintf(wanted, sizeof(wanted), "unix:%s", path);
	unlink(self->path);
	run(self, ARGS("--learn", self->path, "--net-allow", wanted),
	    ARGS("probe", "connect", "stream", path, "0"));
	EXPECT_STREQ("connect 0\n", self->s.command.out.text);
	snprintf(wanted, sizeof(wanted), "\n\t\"allow unix:%s\", # probe, 1 time", path);
	EXPECT_STRIN(wanted, textfile_read(self->path));
	close(fd);
}

TEST_F(learn, listening_beyond_loopback_takes_an_option)
{
	static const char *const argv[] = { "probe", "bind", "tcp4",      "0.0.0.0", "8090", ",",
					    "bind",  "tcp4", "127.0.0.1", "8091",    NULL };

	run(self, ARGS("--learn", self->path), argv);
	EXPECT_STREQ("bind EACCES\nbind 0\n", self->s.command.out.text);
	EXPECT_STRNOTIN("80", strchr(textfile_read(self->path), '\n'));
	run(self, ARGS("--learn", self->path, "--net-allow-bind", "8090-8099"), argv);
	EXPECT_STRIN("allow_bind = [\n\t\"8090\", # probe, 1 time", textfile_read(self->path));
	EXPECT_STRNOTIN("8091", textfile_read(self->path));
	expect_no_denial(self, argv);
}

/*
 * Nothing that was used may be missing: what cannot be remembered is not allowed. 65482 flows and
 * 54 more fill the memory.
 */
TEST_F(learn, a_full_memory_denies)
{
	static const char *const argv[] = {
		"probe", "sweep",     "udp4",   "127.0.0.2", "54",        ",",    "sweep",
		"udp4",  "127.0.0.3", "65482",  ",",         "sendto",    "udp4", "127.0.0.4",
		"99",    ",",         "sendto", "udp4",      "127.0.0.2", "99",   NULL,
	};
	const char *all[64] = { "sandtop", "-b", "--learn", self->path, "--" };
	struct command c;

	memcpy(all + 5, argv, sizeof(argv));
	ASSERT_EQ(0, command_start(&c, all, NULL, NULL));
	EXPECT_EQ(0, command_wait(&c, 5 * COMMAND_TIMEOUT));
	EXPECT_STREQ("sweep 65482\nsweep 54\nsendto ECONNREFUSED\nsendto 5\n", c.out.text);
	EXPECT_STRIN("DENY udp 127.0.0.4:99 probe", c.err.text);
	EXPECT_STRIN("(learn-full)", c.err.text);
	EXPECT_STRIN("allow udp://127.0.0.2:54,55,56,", textfile_read(self->path));
	EXPECT_STRIN("65534,65535\"", textfile_read(self->path));
	EXPECT_STRNOTIN("127.0.0.4", textfile_read(self->path));
	command_free(&c);
}

/* ---- names ------------------------------------------------------------------- */

static void start_names(FIXTURE_DATA(learn) * self, const char *const options[])
{
	self->ns = nameserver_new(DNS_PORT);
	ASSERT_NE(NULL, self->ns);
	textfile_write(self->path, MINE);
	driven_start(&self->d, "web", options, NULL, NULL);
}

static char *say(FIXTURE_DATA(learn) * self, const char *what)
{
	return (char *)driven_say(&self->d, "%s", what);
}

TEST_F(learn, names_where_they_were_used)
{
	start_names(self, ARGS("--learn", self->path, "--block-domain", EVIL));
	EXPECT_STREQ("resolve " ADDRESS, say(self, "resolve " FIXED));
	EXPECT_STREQ("open 0 0", say(self, "open tcp " ADDRESS " 8080"));
	EXPECT_STREQ("open 1 0", say(self, "open tcp 127.0.0.1 8080"));
	EXPECT_STREQ("resolve 0.0.0.0", say(self, "resolve " EVIL));
	EXPECT_NE(NULL, say(self, "resolve " API));
	EXPECT_EQ(0, nameserver_asked(self->ns, EVIL));
	driven_quit(&self->d);
	EXPECT_EQ(0, strncmp(MINE, textfile_read(self->path), strlen(MINE)));
	EXPECT_STRIN("\n[network]\nrules = [\n\t\"allow 127.0.0.1:8080\", # guest, 1 time",
		     textfile_read(self->path));
	EXPECT_STRIN("\n\t\"allow " FIXED ":8080\", # guest, 1 time", textfile_read(self->path));
	EXPECT_STRIN("\n\t# " API ": guest", textfile_read(self->path));
	EXPECT_STRNOTIN(ADDRESS, textfile_read(self->path));
	EXPECT_STRNOTIN(EVIL, textfile_read(self->path));

	for (int i = 0; i < RUNS; i++) {
		static const char *const names[RUNS] = { "one", "two", "three" };

		driven_free(&self->d);
		driven_start(&self->d, names[i], ARGS("--profile-file", self->path), NULL, NULL);
		EXPECT_STREQ("open ECONNREFUSED", say(self, "open tcp " NETNS_PUBLIC "9 8080"));
		EXPECT_STREQ("resolve " ADDRESS, say(self, "resolve " FIXED));
		EXPECT_STREQ("open 0 0", say(self, "open tcp " ADDRESS " 8080"));
		EXPECT_STREQ("open 1 0", say(self, "open tcp 127.0.0.1 8080"));
		EXPECT_STREQ("resolve 0.0.0.0", say(self, "resolve " EVIL));
		driven_quit(&self->d);
	}
}

/* A port that the kernel chose is another one next time. */
TEST_F(learn, what_the_command_itself_listens_on)
{
	driven_start(&self->d, "web", ARGS("--learn", self->path), NULL, NULL);
	EXPECT_NE(NULL, say(self, "listen 127.0.0.1 8123"));
	EXPECT_NE(NULL, strstr(say(self, "open tcp 127.0.0.1 8123"), " 0"));
	driven_quit(&self->d);
	EXPECT_STRIN("\t\"allow @self\", # guest, 1 time", textfile_read(self->path));
	EXPECT_STRNOTIN("8123", textfile_read(self->path));
}

/* ---- the file ---------------------------------------------------------------- */

TEST_F(learn, what_is_there_stays)
{
	static const char before[] = "# Mine.\n[network]\nallow = [\n  '127.0.0.1:8080', # hand\n";
	static const char after[] = "]\n\n[log] # none\n";
	char text[400];
	char *learned;

	snprintf(text, sizeof(text), "%s%s", before, after);
	textfile_write(self->path, text);
	run(self, ARGS("--learn", self->path), literal);
	learned = strdup(textfile_read(self->path));
	EXPECT_EQ(0, strncmp(before, learned, strlen(before)));
	EXPECT_STREQ(after, learned + strlen(learned) - strlen(after));
	EXPECT_STRIN("\n\t\"udp://127.0.0.1:8080\", # probe", learned);
	EXPECT_STRNOTIN("\"127.0.0.1:8080\"", learned);
	expect_no_denial(self, literal);

	/* The second time there is nothing to add. */
	run(self, ARGS("--learn", self->path), literal);
	EXPECT_STREQ(learned, textfile_read(self->path));
	EXPECT_STRIN("0 rules added", self->s.command.err.text);
	free(learned);
}

static void expect_refusal(const char *path, int status, const char *why)
{
	struct command c;
	char mark[160];

	snprintf(mark, sizeof(mark), "%s/mark", harness_dir());
	ASSERT_EQ(0, command_run(&c, ARGS("sandtop", "-b", "--learn", path, "--", "touch", mark)));
	EXPECT_EQ(status, command_code(&c));
	EXPECT_STRIN(why, c.err.text);
	EXPECT_EQ(-1, access(mark, F_OK));
	command_free(&c);
}

TEST_F(learn, a_bad_file_is_known_before_the_run)
{
	char missing[160], text[400];

	snprintf(missing, sizeof(missing), "%s/none/x.toml", harness_dir());
	expect_refusal(missing, 125, "cannot write '");
	expect_refusal(harness_dir(), 2, "cannot read '");
	textfile_write(self->path, "[network]\nallow = [':x']\n");
	snprintf(text, sizeof(text), "%s:2:10: network.allow: ':x': invalid port", self->path);
	expect_refusal(self->path, 2, text);
	textfile_write(self->path, "[network]\npreset = 'public-only'\n");
	expect_refusal(self->path, 2, "there is nothing to learn");
	textfile_write(self->path, "network.default = 'deny'\n");
	expect_refusal(self->path, 2, "a layout that cannot be added to");
	EXPECT_STREQ("network.default = 'deny'\n", textfile_read(self->path));
	unlink(self->path);
	if (getuid() == 0)
		return; /* who may write everywhere */
	ASSERT_EQ(0, chmod(harness_dir(), 0500));
	expect_refusal(self->path, 125, "cannot write '");
	ASSERT_EQ(0, chmod(harness_dir(), 0700));
	textfile_write(self->path, "");
	ASSERT_EQ(0, chmod(self->path, 0));
	expect_refusal(self->path, 2, "cannot read '");
}

/* It could have been the command; and the user may have edited it meanwhile. */
TEST_F(learn, a_file_that_changed_meanwhile_stays)
{
	struct stat st;
	char other[160];

	snprintf(other, sizeof(other), "%s.learned", self->path);
	driven_start(&self->d, "web", ARGS("--learn", self->path), NULL, NULL);
	EXPECT_STREQ("open 0 0", say(self, "open tcp 127.0.0.1 8080"));
	textfile_write(self->path, "# edited\n");
	/* A link of the command's is replaced, not followed. */
	ASSERT_EQ(0, symlink("victim", other));
	driven_quit(&self->d);
	EXPECT_STREQ("# edited\n", textfile_read(self->path));
	EXPECT_STRIN("\"allow 127.0.0.1:8080\"", textfile_read(other));
	ASSERT_EQ(0, lstat(other, &st));
	EXPECT_TRUE(S_ISREG(st.st_mode));
	EXPECT_STRIN("has changed while the command ran", self->d.sandbox.command.err.text);
}

TEST_F(learn, a_signal_ends_the_run_and_not_the_profile)
{
	driven_start(&self->d, "web", ARGS("--learn", self->path), NULL, NULL);
	EXPECT_STREQ("open 0 0", say(self, "open tcp 127.0.0.1 8080"));
	EXPECT_EQ(0, kill(self->d.sandbox.command.pid, SIGTERM));
	EXPECT_EQ(0, command_wait(&self->d.sandbox.command, COMMAND_TIMEOUT));
	EXPECT_EQ(128 + SIGTERM, command_code(&self->d.sandbox.command));
	EXPECT_STRIN("\"allow 127.0.0.1:8080\"", textfile_read(self->path));
}

TEST_F(learn, so_does_the_end_of_the_time)
{
	driven_start(&self->d, "web", ARGS("--learn", self->path, "--timeout", "1"), NULL, NULL);
	EXPECT_STREQ("open 0 0", say(self, "open tcp 127.0.0.1 8080"));
	EXPECT_EQ(0, command_wait(&self->d.sandbox.command, COMMAND_TIMEOUT));
	EXPECT_EQ(124, command_code(&self->d.sandbox.command));
	EXPECT_STRIN("\"allow 127.0.0.1:8080\"", textfile_read(self->path));
}

/* The child of sandtop that is the supervisor, and not the helper of the mirror. */
static pid_t find_supervisor(pid_t sandtop)
{
	char path[64], comm[32] = "";
	FILE *children, *f;
	pid_t pid = -1;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", sandtop, sandtop);
	children = fopen(path, "re");
	ASSERT_NE(NULL, children);
	while (strcmp(comm, "sandtop:super\n") && fscanf(children, "%d", &pid) == 1) {
		snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		f = fopen(path, "re");
		ASSERT_NE(NULL, f);
		ASSERT_NE(NULL, fgets(comm, sizeof(comm), f));
		fclose(f);
	}
	fclose(children);
	return pid;
}

/* The guardian writes, and it is alive. */
TEST_F(learn, so_does_the_death_of_the_supervisor)
{
	pid_t supervisor;

	driven_start(&self->d, "web", ARGS("--learn", self->path), NULL, NULL);
	EXPECT_STREQ("open 0 0", say(self, "open tcp 127.0.0.1 8080"));
	supervisor = find_supervisor(self->d.sandbox.command.pid);
	ASSERT_LT(0, supervisor);
	ASSERT_EQ(0, kill(supervisor, SIGKILL));
	EXPECT_EQ(0, command_wait(&self->d.sandbox.command, COMMAND_TIMEOUT));
	EXPECT_EQ(125, command_code(&self->d.sandbox.command));
	EXPECT_STRIN("\"allow 127.0.0.1:8080\"", textfile_read(self->path));
}

TEST_HARNESS_MAIN
