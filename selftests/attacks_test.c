/* SPDX-License-Identifier: MIT */
/*
 * The hazard list: each attack of attacks/table.h succeeds without sandtop and
 * fails under it, whatever the policy is made of. The listeners are asked what
 * reached them; what the attacker was told counts only where it says that it won.
 *
 * RACE_SECONDS=N races for N seconds in each of its cells instead of a blink.
 */
#include "selftests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/in.h>
#include <unistd.h>

#include "selftests/attacks/ground.h"
#include "selftests/lib/attacked.h"
#include "selftests/lib/deadline.h"
#include "selftests/lib/pidns.h"

enum {
	GIVEN_FD = 77,
	RACE_ROUNDS = 20, /* at most, until a control succeeds */
	DAY = 24 * 3600,  /* s: each run has its own limit, COMMAND_TIMEOUT */
};

FIXTURE(attack)
{
	struct attacked at;
};

enum gives { GIVES_NOTHING, GIVES_UDP, GIVES_STDIN, GIVES_LISTENER, GIVES_TUN, GIVES_BTRFS };

FIXTURE_VARIANT(attack)
{
	const char *hazard, *source;
	const char *args[6];
	bool is_race;
	bool no_control;  /* an attack on sandtop itself, or one that no kernel lets through */
	bool small_pidns; /* few process numbers, which are soon used again */
	int nofile;       /* RLIMIT_NOFILE, 0: as it is */
	enum gives gives;
	enum policy policy;
};

#define UNPACK(...) __VA_ARGS__
#define ATTACK(id, of, where, arguments, ...)                                                      \
	FIXTURE_VARIANT_ADD(attack, id){                                                           \
		.hazard = of, .source = where, .args = { UNPACK arguments }, ##__VA_ARGS__         \
	};

/* clang-format off */
#include "selftests/attacks/table.h"
/* clang-format on */

FIXTURE_SETUP(attack)
{
	attacked_init(&self->at);
}

FIXTURE_TEARDOWN(attack)
{
	attacked_free(&self->at);
}

/* Where this user may not, the attack finds no device, and says so. */
static void make_tun(void)
{
	struct ifreq request = { .ifr_name = TUN_NAME, .ifr_flags = IFF_TUN | IFF_NO_PI };
	int tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (ioctl(tun, TUNSETIFF, &request) == 0 && ioctl(tun, TUNSETPERSIST, 1UL) == 0) {
		request.ifr_flags = IFF_UP;
		ioctl(fd, SIOCSIFFLAGS, &request);
	}
	close(tun);
	close(fd);
}

/*
 * A btrfs at DIR/btrfs with a service of the host, which lasts as long as this process and those
 * that inherit it. Where that is not possible the attack finds no service, and says so.
 */
static void make_btrfs(void)
{
	char command[512];
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(command, sizeof(command),
		 "exec 2>&1 >/dev/null; cd %s && mkdir -p btrfs && truncate -s 128M image &&"
		 " mkfs.btrfs -fq image && mount -o loop image btrfs &&"
		 " btrfs subvolume create btrfs/host && cd btrfs/host && touch 1 2 3 4 5 6 7 8",
		 harness_dir());
	snprintf(name.sun_path, sizeof(name.sun_path), "%s/btrfs/host/service", harness_dir());
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    system(command) || bind(fd, (struct sockaddr *)&name, sizeof(name)) || listen(fd, 8))
		close(fd);
}

/* In the child that becomes sandtop, or natively the attacker. */
static void prepare(void *arg)
{
	const struct attack_variant *variant = arg;
	struct rlimit nofile = { (rlim_t)variant->nofile, (rlim_t)variant->nofile };
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(7004) };
	int fd = -1;

	if (variant->small_pidns)
		pidns_enter_small();
	if (variant->nofile)
		setrlimit(RLIMIT_NOFILE, &nofile);
	if (variant->gives == GIVES_TUN)
		make_tun();
	if (variant->gives == GIVES_BTRFS)
		make_btrfs();
	if (variant->gives == GIVES_NOTHING || variant->gives >= GIVES_TUN)
		return;
	fd = socket(AF_INET, variant->gives == GIVES_LISTENER ? SOCK_STREAM : SOCK_DGRAM, 0);
	if (variant->gives == GIVES_LISTENER)
		(void)!bind(fd, (struct sockaddr *)&any, sizeof(any));
	dup2(fd, variant->gives == GIVES_STDIN ? STDIN_FILENO : GIVEN_FD);
	close(fd);
}

static void run(struct attack_data *self, const struct attack_variant *variant,
		const char *const options[])
{
	char victim[16], paths[6][128];
	const char *argv[12] = { "attacker", variant->args[0], ALLOWED_TEXT, FORBIDDEN_TEXT,
				 victim };

	snprintf(victim, sizeof(victim), "%d", self->at.victim.pid);
	for (int i = 1; i < 6 && variant->args[i]; i++) {
		argv[i + 4] = variant->args[i];
		if (!strncmp(variant->args[i], "DIR", 3)) {
			snprintf(paths[i], sizeof(paths[i]), "%s%s", harness_dir(),
				 variant->args[i] + 3);
			argv[i + 4] = paths[i];
		} else if (!strcmp(variant->args[i], "SERVICE")) {
			argv[i + 4] = self->at.abstract;
		} else if (options && !strcmp(variant->args[i], "keep")) {
			argv[i + 4] = "drop";
		}
	}
	ASSERT_EQ(0, sandbox_start(&self->at.sandbox, options, argv, prepare, (void *)variant));
	ASSERT_EQ(0, sandbox_wait(&self->at.sandbox))
	{
		TH_LOG("%s%s", self->at.sandbox.command.out.text,
		       self->at.sandbox.command.err.text);
	}
	EXPECT_EQ(0, command_code(&self->at.sandbox.command))
	{
		TH_LOG("%s%s", self->at.sandbox.command.out.text,
		       self->at.sandbox.command.err.text);
	}
	EXPECT_STRIN("done\n", self->at.sandbox.command.out.text)
	{
		TH_LOG("%s%s", self->at.sandbox.command.out.text,
		       self->at.sandbox.command.err.text);
	}
}

/* What differs from run to run is of interest all the same: "# WORDS". */
static void log_figures(const struct attack_data *self, const char *who)
{
	const char *at = self->at.sandbox.command.out.text;

	while ((at = strstr(at, "# "))) {
		TH_LOG("%s: %.*s", who, (int)strcspn(at + 2, "\n"), at + 2);
		at += 2;
	}
}

TEST_F(attack, succeeds_without_sandtop)
{
	int rounds = variant->is_race ? RACE_ROUNDS : 1;
	const char *reason;
	size_t count;

	if (variant->no_control)
		return;
	/* A race may be lost on a loaded machine: natively, too. */
	for (count = 0; !count && rounds; rounds--) {
		sandbox_free(&self->at.sandbox);
		run(self, variant, NULL);
		count = attacked_effects(&self->at);
	}
	reason = strstr(self->at.sandbox.command.out.text, "absent: ");
	if (reason && !count) {
		TH_LOG("door absent: %.*s", (int)strcspn(reason + 8, "\n"), reason + 8);
		return;
	}
	EXPECT_NE(0, count)
	{
		TH_LOG("%s%s", self->at.sandbox.command.out.text,
		       self->at.sandbox.command.err.text);
	}
	log_figures(self, "native");
}

static void expect_failure(struct attack_data *self, const struct attack_variant *variant,
			   enum policy policy)
{
	static const char *const names[] = { "allow-list", "deny-list", "preset", "bind" };

	run(self, variant, attacked_options(policy));
	EXPECT_EQ(0, attacked_effects(&self->at))
	{
		TH_LOG("%s: %s%s", names[policy], self->at.sandbox.command.out.text,
		       self->at.sandbox.command.err.text);
	}
	log_figures(self, names[policy]);
	sandbox_free(&self->at.sandbox);
}

/* A race is run for as long as was asked for, in slices, as whatever hangs must be noticed. */
static void race_on(struct attack_data *self, const struct attack_variant *variant,
		    enum policy policy)
{
	const char *seconds = variant->is_race ? getenv("RACE_SECONDS") : NULL;
	int64_t deadline;

	if (seconds)
		setenv("RACE_MS", "1000", 1);
	deadline = deadline_in(seconds ? atoi(seconds) * 1000 : 0);
	do
		expect_failure(self, variant, policy);
	while (deadline_left(deadline));
}

/* Where an address goes is a matter of the whole policy; of the rest two or one show as much. */
static enum policy last_policy(const char *hazard)
{
	if (!strncmp(hazard, "address:", 8))
		return PRESET;
	return strncmp(hazard, "race:", 5) && strncmp(hazard, "door:", 5) ? ALLOW_LIST : DENY_LIST;
}

TEST_F_TIMEOUT(attack, fails_under_sandtop, DAY)
{
	if (variant->policy >= POLICIES) {
		expect_failure(self, variant, variant->policy);
		return;
	}
	for (enum policy policy = 0; policy <= last_policy(variant->hazard); policy++)
		race_on(self, variant, policy);
}

FIXTURE(authority)
{
	struct sandbox sandbox;
};

FIXTURE_SETUP(authority)
{
}

FIXTURE_TEARDOWN(authority)
{
	sandbox_free(&self->sandbox);
}

/* The command must find nothing that it could talk to instead. */
TEST_F(authority, no_control_socket)
{
	ASSERT_EQ(0, sandbox_run(&self->sandbox, attacked_options(ALLOW_LIST),
				 ARGS("sh", "-c", "ls -l /proc/$$/fd | grep -c socket:")));
	EXPECT_STREQ("0\n", self->sandbox.command.out.text);
}

TEST_HARNESS_MAIN
