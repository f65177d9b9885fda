/* SPDX-License-Identifier: MIT */
/*
 * Where sandtop is started: namespaces, limits, mounts and users that are not
 * what a login gives. In each place it works, or it says in one line what to do;
 * it never runs the command without being able to judge it.
 */
#include "selftests/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "selftests/lib/command.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/pidns.h"
#include "selftests/lib/server.h"

enum { PORT = 8080, OTHER_PORT = 8081, NO_SUCH_PLACE = 99, STRANGER = 4242 };

/* The places: each is entered by the process that is about to become sandtop, or the command. */

static void must(int result)
{
	if (result)
		_exit(NO_SUCH_PLACE);
}

static void private_mounts(void)
{
	must(unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

static void here(void *arg)
{
	(void)arg;
}

/* As `unshare --pid` leaves it: processes have other numbers than /proc says. */
static void others_proc(void *arg)
{
	(void)arg;
	must(unshare(CLONE_NEWPID));
}

static void own_proc(void *arg)
{
	(void)arg;
	pidns_enter(NULL);
}

static void hidden_proc(void *arg)
{
	(void)arg;
	pidns_enter("hidepid=2,subset=pid");
}

static void no_proc(void *arg)
{
	(void)arg;
	private_mounts();
	must(mount("none", "/proc", "tmpfs", MS_RDONLY, NULL));
}

static void no_dev(void *arg)
{
	(void)arg;
	private_mounts();
	must(mount("none", "/dev", "tmpfs", MS_RDONLY, NULL));
}

static void read_only(void *arg)
{
	(void)arg;
	unsetenv("XDG_RUNTIME_DIR");
	private_mounts();
	must(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
}

static void no_directory(void *arg)
{
	(void)arg;
	must(mkdir("gone", 0700) || chdir("gone") || rmdir("../gone"));
}

static void no_environment(void *arg)
{
	const char *path = getenv("PATH");
	char copy[4096];

	(void)arg;
	strncpy(copy, path ? path : "", sizeof(copy) - 1);
	copy[sizeof(copy) - 1] = '\0';
	must(clearenv() || setenv("PATH", copy, 1));
}

static void nobody_mapped(void *arg)
{
	(void)arg;
	must(unshare(CLONE_NEWUSER));
}

static void no_privileges(void *arg)
{
	(void)arg;
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static void filtered(void *arg)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { .len = 1, .filter = &allow };

	no_privileges(arg);
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

/* As many as the kernel stacks (LANDLOCK_MAX_NUM_LAYERS), each of which forbids to make devices. */
static void in_landlock_domains(void *arg)
{
	const struct landlock_ruleset_attr attr = {
		.handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_BLOCK,
	};
	int ruleset;

	no_privileges(arg);
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	for (int i = 0; i < 16; i++)
		must(syscall(SYS_landlock_restrict_self, ruleset, 0) != 0);
	close(ruleset);
}

static void become_stranger(const gid_t *groups, size_t count)
{
	must(setgroups(count, groups) || setresgid(STRANGER, STRANGER, STRANGER) ||
	     setresuid(STRANGER, STRANGER, STRANGER));
}

static void stranger(void *arg)
{
	(void)arg;
	become_stranger(NULL, 0);
}

static void in_groups(size_t count)
{
	gid_t groups[2048];

	for (size_t i = 0; i < count; i++)
		groups[i] = (gid_t)(5000 + i);
	become_stranger(groups, count);
}

static void in_many_groups(void *arg)
{
	(void)arg;
	in_groups(1000);
}

static void in_too_many_groups(void *arg)
{
	(void)arg;
	in_groups(2000);
}

static void limit(int what, rlim_t to)
{
	must(setrlimit(what, &(struct rlimit){ to, to }));
}

static void few_processes(void *arg)
{
	(void)arg;
	/* Root of the machine is not counted. */
	if (geteuid() == 0)
		become_stranger(NULL, 0);
	limit(RLIMIT_NPROC, 1);
}

static void little_memory(void *arg)
{
	(void)arg;
	limit(RLIMIT_AS, 32 << 20);
}

static void no_pending_signals(void *arg)
{
	(void)arg;
	limit(RLIMIT_SIGPENDING, 0);
}

FIXTURE(place)
{
	struct server *allowed, *forbidden;
	struct command command;
};

FIXTURE_VARIANT(place)
{
	void (*enter)(void *arg);
	const char *refusal; /* what the only line says; NULL where it works */
	bool needs_root;     /* nobody else can go there */
	bool starves;        /* a sanitizer cannot work there, and says so */
};

#define PLACE(name, ...)                                                                           \
	FIXTURE_VARIANT_ADD(place, name)                                                           \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

#define OTHER_PROC                                                                                 \
	"sandtop: cannot look at processes: No such process: mount the /proc of this PID "         \
	"namespace (unshare --mount-proc): the one that is there shows other processes\n"
#define NO_PROC                                                                                    \
	"sandtop: cannot look at processes: No such file or directory: mount -t proc proc /proc\n"
#define TOO_MANY_DOMAINS                                                                           \
	"sandtop: cannot enter the Landlock domain: Argument list too long: start it in fewer "    \
	"sandboxes: the kernel puts 16 Landlock domains into each other\n"
#define TOO_MANY_GROUPS                                                                            \
	"sandtop: cannot start the supervisor: Argument list too long: expected a user in at "     \
	"most 1024 groups (see setpriv --clear-groups)\n"
#define TOO_FEW_PROCESSES                                                                          \
	"sandtop: cannot start the supervisor: Resource temporarily unavailable: expected a "      \
	"higher limit on processes (ulimit -u, or pids.max of the control group)\n"

PLACE(where_the_test_is, .enter = here);
PLACE(a_pid_namespace_with_anothers_proc, .enter = others_proc, .refusal = OTHER_PROC);
PLACE(a_pid_namespace_with_its_proc, .enter = own_proc);
PLACE(a_hidden_proc, .enter = hidden_proc);
PLACE(no_proc, .enter = no_proc, .refusal = NO_PROC, .starves = true);
PLACE(no_dev, .enter = no_dev);
PLACE(nowhere_to_write, .enter = read_only);
PLACE(no_working_directory, .enter = no_directory);
PLACE(no_environment, .enter = no_environment);
PLACE(a_user_namespace_without_a_map, .enter = nobody_mapped);
PLACE(no_new_privileges, .enter = no_privileges);
PLACE(a_filter_before, .enter = filtered);
PLACE(as_many_landlock_domains_as_fit, .enter = in_landlock_domains, .refusal = TOO_MANY_DOMAINS);
PLACE(a_user_without_an_entry, .enter = stranger, .needs_root = true);
PLACE(a_user_in_1000_groups, .enter = in_many_groups, .needs_root = true);
PLACE(a_user_in_2000_groups, .enter = in_too_many_groups, .refusal = TOO_MANY_GROUPS,
      .needs_root = true);
PLACE(too_few_processes, .enter = few_processes, .refusal = TOO_FEW_PROCESSES);
PLACE(little_memory, .enter = little_memory, .starves = true);
PLACE(no_pending_signals, .enter = no_pending_signals);

FIXTURE_SETUP(place)
{
	if (!netns_or_skip())
		return;
	self->allowed = server_new(SOCK_STREAM, "127.0.0.1", PORT);
	self->forbidden = server_new(SOCK_STREAM, "127.0.0.1", OTHER_PORT);
	ASSERT_TRUE(self->allowed && self->forbidden);
	/* Others' directories are closed to a stranger. */
	ASSERT_EQ(0, chdir(harness_dir()));
}

FIXTURE_TEARDOWN(place)
{
	command_free(&self->command);
	server_free(self->forbidden);
	server_free(self->allowed);
}

#define PROBE                                                                                      \
	"probe", "connect", "tcp", "127.0.0.1", "8080", ",", "connect", "tcp", "127.0.0.1", "8081"

/* How many connections each listener has got. */
static void expect_contacts(struct place_data *self, size_t allowed, size_t forbidden)
{
	ASSERT_EQ(0, server_knock(self->allowed));
	ASSERT_EQ(0, server_knock(self->forbidden));
	EXPECT_EQ(allowed, server_count(self->allowed));
	EXPECT_EQ(forbidden, server_count(self->forbidden));
}

static void run(struct place_data *self, const struct place_variant *variant,
		const char *const argv[])
{
	ASSERT_EQ(0, command_start(&self->command, argv, variant->enter, NULL));
	ASSERT_EQ(0, command_wait(&self->command, COMMAND_TIMEOUT));
	EXPECT_NE(NO_SUCH_PLACE, command_code(&self->command));
}

TEST_F(place, control_lets_all_through)
{
	if (variant->needs_root && geteuid())
		return;
	run(self, variant, ARGS(PROBE));
	expect_contacts(self, 1, 1);
}

TEST_F(place, is_served_or_refused)
{
	if (variant->needs_root && geteuid())
		return;
	run(self, variant,
	    ARGS("sandtop", "-b", "-q", "--net-allow", "127.0.0.1:8080", "--", PROBE));
	if (variant->starves && (strstr(self->command.err.text, "Sanitizer") ||
				 strstr(self->command.err.text, "ASan"))) {
		TH_LOG("not tried: %s", self->command.err.text);
		expect_contacts(self, 0, 0);
		return;
	}
	if (variant->refusal) {
		EXPECT_EQ(125, command_code(&self->command));
		EXPECT_STREQ(variant->refusal, self->command.err.text);
		EXPECT_STREQ("", self->command.out.text);
	} else {
		EXPECT_EQ(0, command_code(&self->command));
		EXPECT_STREQ("connect 0\nconnect ECONNREFUSED\n", self->command.out.text);
	}
	expect_contacts(self, !variant->refusal, 0);
}

TEST_HARNESS_MAIN
