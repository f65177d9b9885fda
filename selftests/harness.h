/* SPDX-License-Identifier: MIT */
/*
 * A test harness with the vocabulary of the kernel's selftests.
 *
 *	FIXTURE(pipe) { int fds[2]; };
 *	FIXTURE_VARIANT(pipe) { int flags; };
 *	FIXTURE_VARIANT_ADD(pipe, non_blocking) { .flags = O_NONBLOCK };
 *	FIXTURE_SETUP(pipe) { ASSERT_EQ(0, pipe2(self->fds, variant->flags)); }
 *	FIXTURE_TEARDOWN(pipe) { ... }
 *	TEST_F(pipe, is_empty) { EXPECT_EQ(...); }
 *	TEST_HARNESS_MAIN
 *
 * Every TEST_F runs once for each variant of its fixture, under the name
 * fixture.variant.test; a TEST is global.test. Each run is a process of its own
 * in a process group of its own, with a time limit, and whatever it left behind
 * is killed before the next one starts: a test may enter namespaces, install
 * filters or crash.
 *
 * The expected value comes first. EXPECT_* records a failure and goes on,
 * ASSERT_* ends the test after its teardown; both may be followed by a block
 * that runs only on failure. They, SKIP and TH_LOG work in any function and in
 * any child that the test forks.
 */
#ifndef SANDTOP_SELFTESTS_HARNESS_H
#define SANDTOP_SELFTESTS_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a suite ends (tools/testing/selftests/kselftest.h). */
enum { KSFT_PASS = 0, KSFT_FAIL = 1, KSFT_SKIP = 4 };

enum { HARNESS_TIMEOUT = 60 }; /* seconds, unless the test says otherwise */

struct harness_variant {
	const char *name;
	const void *data;
	struct harness_variant *next;
};

struct harness_test {
	const char *name;
	unsigned int timeout; /* seconds */
	void (*run)(void *self, const void *variant);
	struct harness_test *next;
};

struct harness_fixture {
	const char *name;
	size_t size; /* of what `self` points to */
	void (*setup)(void *self, const void *variant);
	void (*teardown)(void *self, const void *variant);
	struct harness_variant *variants;
	struct harness_test *tests;
	struct harness_fixture *next;
};

extern struct harness_fixture harness_global; /* of the tests without a fixture */

/* Called by the macros, in source order, before main(). Nothing is copied. */
void harness_add_fixture(struct harness_fixture *f);
void harness_add_variant(struct harness_fixture *f, struct harness_variant *v);
void harness_add_test(struct harness_fixture *f, struct harness_test *t);

/*
 * Run the tests that the arguments select, all without one, and report in TAP
 * on stdout. Patterns are those of fnmatch(3); options may be repeated.
 *
 *	-l		only list the names
 *	-r NAME		run the test with this full name
 *	-f, -v, -t PAT	run only what has such a fixture, variant, test
 *	-F, -V, -T PAT	leave out what has
 *
 * Returns the exit status: KSFT_PASS, KSFT_FAIL, or KSFT_SKIP when every test
 * was skipped.
 */
int harness_main(int argc, char **argv);

#define TEST_HARNESS_MAIN                                                                          \
	int main(int argc, char **argv)                                                            \
	{                                                                                          \
		return harness_main(argc, argv);                                                   \
	}

/* Helpers take "struct NAME_data *self" and "const struct NAME_variant *variant". */
#define FIXTURE_DATA(f)    struct f##_data
#define FIXTURE_VARIANT(f) struct f##_variant

#define FIXTURE(f)                                                                                 \
	FIXTURE_DATA(f);                                                                           \
	FIXTURE_VARIANT(f);                                                                        \
	static struct harness_fixture fixture_##f = { .name = #f };                                \
	__attribute__((constructor)) static void fixture_##f##_add(void)                           \
	{                                                                                          \
		harness_add_fixture(&fixture_##f);                                                 \
	}                                                                                          \
	FIXTURE_DATA(f)

#define FIXTURE_VARIANT_ADD(f, v)                                                                  \
	static const FIXTURE_VARIANT(f) variant_##f##_##v##_data;                                  \
	__attribute__((constructor)) static void variant_##f##_##v##_add(void)                     \
	{                                                                                          \
		static struct harness_variant variant = { .name = #v,                              \
							  .data = &variant_##f##_##v##_data };     \
		harness_add_variant(&fixture_##f, &variant);                                       \
	}                                                                                          \
	static const FIXTURE_VARIANT(f) variant_##f##_##v##_data =

#define FIXTURE_SETUP(f)    HARNESS_STEP_(f, setup)
#define FIXTURE_TEARDOWN(f) HARNESS_STEP_(f, teardown)

#define TEST_F(f, t) TEST_F_TIMEOUT(f, t, HARNESS_TIMEOUT)

#define TEST_F_TIMEOUT(f, t, seconds)                                                              \
	HARNESS_BODY_(f, t)                                                                        \
	__attribute__((constructor)) static void f##_##t##_add(void)                               \
	{                                                                                          \
		static struct harness_test test = { .name = #t,                                    \
						    .timeout = seconds,                            \
						    .run = f##_##t##_call };                       \
		fixture_##f.size = sizeof(FIXTURE_DATA(f));                                        \
		harness_add_test(&fixture_##f, &test);                                             \
	}                                                                                          \
	HARNESS_BODY_HEAD_(f, t)

#define TEST(t)                                                                                    \
	static void global_##t(void);                                                              \
	static void global_##t##_call(void *self __attribute__((unused)),                          \
				      const void *variant __attribute__((unused)))                 \
	{                                                                                          \
		global_##t();                                                                      \
	}                                                                                          \
	__attribute__((constructor)) static void global_##t##_add(void)                            \
	{                                                                                          \
		static struct harness_test test = { .name = #t,                                    \
						    .timeout = HARNESS_TIMEOUT,                    \
						    .run = global_##t##_call };                    \
		harness_add_test(&harness_global, &test);                                          \
	}                                                                                          \
	static void global_##t(void)

/* SKIP(return, "why %s", x): stop here; the reason is part of the result. */
#define SKIP(statement, ...)                                                                       \
	do {                                                                                       \
		harness_skip(__VA_ARGS__);                                                         \
		statement;                                                                         \
	} while (0)

#define TH_LOG(...) harness_log(__FILE__, __LINE__, __VA_ARGS__)

#define EXPECT_EQ(expected, seen) HARNESS_INT_(#expected, expected, ==, #seen, seen, false)
#define EXPECT_NE(expected, seen) HARNESS_INT_(#expected, expected, !=, #seen, seen, false)
#define EXPECT_LT(expected, seen) HARNESS_INT_(#expected, expected, <, #seen, seen, false)
#define EXPECT_LE(expected, seen) HARNESS_INT_(#expected, expected, <=, #seen, seen, false)
#define EXPECT_GT(expected, seen) HARNESS_INT_(#expected, expected, >, #seen, seen, false)
#define EXPECT_GE(expected, seen) HARNESS_INT_(#expected, expected, >=, #seen, seen, false)
#define EXPECT_TRUE(seen)         HARNESS_INT_("0", 0, !=, #seen, seen, false)
#define EXPECT_FALSE(seen)        HARNESS_INT_("0", 0, ==, #seen, seen, false)
#define EXPECT_NULL(seen)         HARNESS_INT_("NULL", NULL, ==, #seen, seen, false)

#define ASSERT_EQ(expected, seen) HARNESS_INT_(#expected, expected, ==, #seen, seen, true)
#define ASSERT_NE(expected, seen) HARNESS_INT_(#expected, expected, !=, #seen, seen, true)
#define ASSERT_LT(expected, seen) HARNESS_INT_(#expected, expected, <, #seen, seen, true)
#define ASSERT_LE(expected, seen) HARNESS_INT_(#expected, expected, <=, #seen, seen, true)
#define ASSERT_GT(expected, seen) HARNESS_INT_(#expected, expected, >, #seen, seen, true)
#define ASSERT_GE(expected, seen) HARNESS_INT_(#expected, expected, >=, #seen, seen, true)
#define ASSERT_TRUE(seen)         HARNESS_INT_("0", 0, !=, #seen, seen, true)
#define ASSERT_FALSE(seen)        HARNESS_INT_("0", 0, ==, #seen, seen, true)
#define ASSERT_NULL(seen)         HARNESS_INT_("NULL", NULL, ==, #seen, seen, true)

/* Strings; a NULL equals nothing. IN: the expected text is somewhere in the seen one. */
#define EXPECT_STREQ(expected, seen) HARNESS_TEXT_(#expected, expected, "==", #seen, seen, false)
#define EXPECT_STRNE(expected, seen) HARNESS_TEXT_(#expected, expected, "!=", #seen, seen, false)
#define EXPECT_STRIN(expected, seen) HARNESS_TEXT_(#expected, expected, "in", #seen, seen, false)
#define EXPECT_STRNOTIN(expected, seen)                                                            \
	HARNESS_TEXT_(#expected, expected, "not in", #seen, seen, false)

#define ASSERT_STREQ(expected, seen) HARNESS_TEXT_(#expected, expected, "==", #seen, seen, true)
#define ASSERT_STRNE(expected, seen) HARNESS_TEXT_(#expected, expected, "!=", #seen, seen, true)
#define ASSERT_STRIN(expected, seen) HARNESS_TEXT_(#expected, expected, "in", #seen, seen, true)
#define ASSERT_STRNOTIN(expected, seen)                                                            \
	HARNESS_TEXT_(#expected, expected, "not in", #seen, seen, true)
void harness_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));
void harness_log(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * A directory of the running test's own, empty at first and removed with
 * everything in it when the test has ended, however it ended.
 */
const char *harness_dir(void);

/* Whether the comparison holds; if not, both sides are logged. */
bool harness_int(const char *file, int line, const char *expected_text, intmax_t expected,
		 const char *op, const char *seen_text, intmax_t seen);
bool harness_text(const char *file, int line, const char *expected_text, const char *expected,
		  const char *op, const char *seen_text, const char *seen);

/* Record a failure. Returns false, or never if it is fatal. */
bool harness_failed(bool fatal);

#define HARNESS_PASTE2_(a, b) a##b
#define HARNESS_PASTE_(a, b)  HARNESS_PASTE2_(a, b)
#define HARNESS_FAILED_       HARNESS_PASTE_(harness_failed_, __LINE__)

/* A loop that runs at most once, so that the block after the macro belongs to the failure. */
#define HARNESS_INT_(expected_text, expected, op, seen_text, seen, fatal)                          \
	for (bool HARNESS_FAILED_ =                                                                \
		     !harness_int(__FILE__, __LINE__, expected_text, (intmax_t)(expected), #op,    \
				  seen_text, (intmax_t)(seen));                                    \
	     HARNESS_FAILED_; HARNESS_FAILED_ = harness_failed(fatal))

#define HARNESS_TEXT_(expected_text, expected, op, seen_text, seen, fatal)                         \
	for (bool HARNESS_FAILED_ = !harness_text(__FILE__, __LINE__, expected_text, expected, op, \
						  seen_text, seen);                                \
	     HARNESS_FAILED_; HARNESS_FAILED_ = harness_failed(fatal))

/* A function of the fixture with its typed arguments, and the untyped one that the harness calls.
 */
#define HARNESS_BODY_HEAD_(f, name)                                                                \
	static void f##_##name(FIXTURE_DATA(f) * self __attribute__((unused)),                     \
			       const FIXTURE_VARIANT(f) * variant __attribute__((unused)))

#define HARNESS_BODY_(f, name)                                                                     \
	HARNESS_BODY_HEAD_(f, name);                                                               \
	static void f##_##name##_call(void *self, const void *variant)                             \
	{                                                                                          \
		f##_##name(self, variant);                                                         \
	}

#define HARNESS_STEP_(f, step)                                                                     \
	HARNESS_BODY_(f, step)                                                                     \
	__attribute__((constructor)) static void f##_##step##_add(void)                            \
	{                                                                                          \
		fixture_##f.step = f##_##step##_call;                                              \
	}                                                                                          \
	HARNESS_BODY_HEAD_(f, step)

#endif
