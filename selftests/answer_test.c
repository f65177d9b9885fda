/* SPDX-License-Identifier: MIT */
/*
 * A program must not notice the supervisor by its answers: with a policy that
 * allows everything, each call with each odd argument returns what the kernel
 * returned without sandtop.
 */
#include "selftests/harness.h"

#include <stdio.h>
#include <string.h>

#include "selftests/lib/netns.h"
#include "selftests/lib/sandbox.h"

enum { OPERATIONS_MAX = 512, WORDS_MAX = 8192, FLAGS_MAX = 3, SHOWN_MAX = 10 };

/* What one run of the probe is to do. */
struct script {
	const char *words[WORDS_MAX]; /* its arguments, operations apart by commas */
	size_t word_count;
	size_t starts[OPERATIONS_MAX]; /* where each operation begins */
	size_t operation_count;
};

FIXTURE(answer)
{
	struct sandbox native, sandboxed;
	struct script script;
};

FIXTURE_VARIANT(answer)
{
	const char *call, *socket;
};

#define ROW(call, socket)                                                                          \
	FIXTURE_VARIANT_ADD(answer, call##_on_##socket)                                            \
	{                                                                                          \
#call, #socket                                                                     \
	}

#define ROWS(call)                                                                                 \
	ROW(call, tcp4);                                                                           \
	ROW(call, tcp6);                                                                           \
	ROW(call, udp4);                                                                           \
	ROW(call, udp6);                                                                           \
	ROW(call, ping4);                                                                          \
	ROW(call, ping6);                                                                          \
	ROW(call, stream);                                                                         \
	ROW(call, dgram)

ROWS(connect);
ROWS(sendto);
ROWS(sendmsg);
ROWS(sendmmsg);
ROWS(bind);

/* Addresses that no default of the policy forbids: wildcards to bind, host services on AF_UNIX. */
static const char *const addresses[] = {
	"127.0.0.1", "::1",  "::ffff:127.0.0.1", "unspec",      "unspec/127.0.0.1", "unspec/::1",
	"null",      "none", "unmapped",         "/no/such",    NETNS_ADDR4,        NETNS_ADDR6,
	"0.0.0.0",   "::",   "10.1.2.3",         "2001:db8::1", "255.255.255.255",  "224.0.0.1",
	NULL,
};
static const char *const addresses_to_bind[] = {
	"127.0.0.1", "::1",      "::ffff:127.0.0.1", "unspec", "null",
	"none",      "unmapped", "unspec/127.0.0.1", NULL,
};

/* Around the sizes that the kernel compares with: family, sockaddr_in, _in6, _un, _storage. */
static const char *const lengths[] = {
	NULL,     "len=0",   "len=1",   "len=2",   "len=3",          "len=8",
	"len=15", "len=16",  "len=17",  "len=24",  "len=27",         "len=28",
	"len=29", "len=110", "len=128", "len=129", "len=4294967295",
};

/* Each set makes a run of its own. A connect or bind has no use for those after the third. */
static const char *const flag_sets[][FLAGS_MAX + 1] = {
	{ "nosignal" },
	{ "nosignal", "nonblock", "nowait" },
	{ "nosignal", "upper" },
	{ "nosignal", "fastopen" },
	{ "nosignal", "msg=unmapped" },
	{ "nosignal", "iov=unmapped" },
	{ "nosignal", "size=0" },
};

FIXTURE_SETUP(answer)
{
	netns_or_skip();
}

FIXTURE_TEARDOWN(answer)
{
	sandbox_free(&self->native);
	sandbox_free(&self->sandboxed);
}

static void begin(struct script *s)
{
	memset(s, 0, sizeof(*s));
	s->words[s->word_count++] = "probe";
}

/* One more operation: its words, up to a NULL, and then its flags. */
static void add(struct script *s, const char *const words[], const char *const flags[])
{
	ASSERT_LT(s->word_count + 16, WORDS_MAX);
	ASSERT_LT(s->operation_count, OPERATIONS_MAX);
	if (s->operation_count)
		s->words[s->word_count++] = ",";
	s->starts[s->operation_count++] = s->word_count;
	while (*words)
		s->words[s->word_count++] = *words++;
	while (*flags)
		s->words[s->word_count++] = *flags++;
}

/* Every address with every length. */
static void add_all(struct script *s, const struct answer_variant *variant,
		    const char *const flags[])
{
	bool is_bind = !strcmp(variant->call, "bind");
	const char *const *list = is_bind ? addresses_to_bind : addresses;

	begin(s);
	for (; *list; list++)
		for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++)
			add(s, ARGS(variant->call, variant->socket, *list, "8081", lengths[i]),
			    flags);
}

/* The i-th operation as text, good until the next call. */
static const char *operation(const struct script *s, size_t i)
{
	static char text[256];
	size_t len = 0;

	for (size_t w = s->starts[i]; s->words[w] && strcmp(s->words[w], ","); w++)
		len += snprintf(text + len, sizeof(text) - len, " %s", s->words[w]);
	return text;
}

/* Run the script with and without, and compare the answers line by line. */
static void compare(struct answer_data *self)
{
	/* The unspecified addresses are open to a rule alone that says so (Documentation/names.rst). */
	const char *const *options = ARGS("-q", "--net-allow", "any://*:*", "--allow-icmp",
					  "--net-allow", "any://0.0.0.0", "--net-allow", "any://::");
	const struct script *s = &self->script;
	char *native, *sandboxed, *expected, *seen;
	size_t differences = 0;

	ASSERT_EQ(0, sandbox_run(&self->native, NULL, s->words));
	ASSERT_EQ(0, sandbox_run(&self->sandboxed, options, s->words));
	EXPECT_EQ(0, command_code(&self->native.command));
	EXPECT_EQ(0, command_code(&self->sandboxed.command));
	native = self->native.command.out.text;
	sandboxed = self->sandboxed.command.out.text;
	for (size_t i = 0; i < s->operation_count; i++) {
		expected = strsep(&native, "\n");
		seen = strsep(&sandboxed, "\n");
		ASSERT_TRUE(expected && seen);
		if (strcmp(expected, seen) && differences++ < SHOWN_MAX)
			TH_LOG("'%s' became '%s':%s", expected, seen, operation(s, i));
	}
	EXPECT_EQ(0, differences);
	sandbox_free(&self->native);
	sandbox_free(&self->sandboxed);
}

TEST_F(answer, is_that_of_the_kernel)
{
	bool is_send = !strncmp(variant->call, "send", 4);
	size_t count = is_send ? sizeof(flag_sets) / sizeof(*flag_sets) : 3;

	for (size_t i = 0; i < count; i++) {
		add_all(&self->script, variant, flag_sets[i]);
		compare(self);
	}
}

TEST_F(answer, is_that_of_the_kernel_for_what_is_no_socket)
{
	const char *const flags[] = { "nosignal", NULL };

	begin(&self->script);
	add(&self->script, ARGS("getsockname", variant->socket), flags);
	add(&self->script, ARGS("close", "same"), flags);
	add(&self->script, ARGS(variant->call, "same", "127.0.0.1", "8081"), flags);
	add(&self->script, ARGS("open", "/dev/null"), flags);
	add(&self->script, ARGS(variant->call, "same", "127.0.0.1", "8081"), flags);
	add(&self->script, ARGS("listen", "same"), flags);
	add(&self->script, ARGS("descriptor", "4294967295"), flags);
	add(&self->script, ARGS(variant->call, "same", "127.0.0.1", "8081"), flags);
	compare(self);
}

TEST_HARNESS_MAIN
