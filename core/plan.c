/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation
 *
 * plan_rows[] is the plan: each row names a system call, tests on its
 * arguments that must all hold, the answer in either mode, and the words for
 * people. Rows of one call never overlap unless they give the same answer, so
 * their order means nothing; libseccomp refuses (-EEXIST) most contradictions.
 *
 * A test that is true for a set of values becomes one comparison for each value.
 * The complement of a set becomes the aligned blocks of numbers that hold none
 * of its members, one masked comparison each. A row is the product of its tests.
 * This is what libseccomp can express: it has neither "not equal" under a mask
 * nor two comparisons of one argument in a rule.
 *
 * The kernel reads an int in the low half of a register and ignores the upper
 * half, so a test on an int looks at 32 bits only; a test on a pointer or a
 * long looks at all 64.
 */
#include "core/plan.h"

#include <errno.h>
#include <linux/ioprio.h>
#include <linux/keyctl.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <linux/in6.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/own_calls.h"
#include "core/uapi.h"

/* Other architectures multiplex with socketcall(2) or order the arguments of clone(2) otherwise. */
#if !defined(__x86_64__) && !defined(__aarch64__)
#error "the filter plan is written for x86-64 and arm64"
#endif

enum {
	PLAN_TESTS_MAX = 3,
	PLAN_VALUES_MAX = 4,
	PLAN_CHOICES_MAX = 32 * PLAN_VALUES_MAX,
	PLAN_FOREIGN = -1, /* the row of calls by the entry of another architecture */
};

/* What must hold for one argument. */
struct plan_test {
	enum {
		PLAN_END,     /* no more tests */
		PLAN_IN,      /* int: under the mask it is one of the values */
		PLAN_NOT_IN,  /* int: under the mask it is none of the values */
		PLAN_NONZERO, /* pointer or long */
		PLAN_ZERO,    /* pointer or long */
	} kind;
	unsigned int arg;
	uint32_t mask;
	unsigned int count;
	uint32_t value[PLAN_VALUES_MAX];
};

/* The tables read as tables: */
/* clang-format off */
#define VALUES(...) \
	.count = sizeof((uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t), .value = { __VA_ARGS__ }
#define IN(n, bits, ...)     { .kind = PLAN_IN, .arg = n, .mask = bits, VALUES(__VA_ARGS__) }
#define NOT_IN(n, bits, ...) { .kind = PLAN_NOT_IN, .arg = n, .mask = bits, VALUES(__VA_ARGS__) }
#define HAS(n, bit)          IN(n, bit, bit)
#define NONZERO(n)           { .kind = PLAN_NONZERO, .arg = n }
#define ZERO(n)              { .kind = PLAN_ZERO, .arg = n }

struct plan_row {
	const char *call;
	int nr; /* or PLAN_FOREIGN */
	struct plan_test test[PLAN_TESTS_MAX];
	const char *when;
	uint32_t answer[2]; /* by enum plan_mode; SCMP_ACT_ALLOW: no such row in this mode */
	const char *why;
};

#define CALL(name)     .call = #name, .nr = __NR_##name
#define TESTS(...)     .test = { __VA_ARGS__ }
#define ALWAYS         .when = "always"
#define BOTH(action)   .answer = { action, action }
#define TRAP           .answer = { SCMP_ACT_NOTIFY, SCMP_ACT_ALLOW }
#define FAIL(error)    BOTH(SCMP_ACT_ERRNO(error))
#define TRAP_OR(error) .answer = { SCMP_ACT_NOTIFY, SCMP_ACT_ERRNO(error) }
#define ALONE(error)   .answer = { SCMP_ACT_ALLOW, SCMP_ACT_ERRNO(error) }
#define SERVED(error)  .answer = { SCMP_ACT_ERRNO(error), SCMP_ACT_ALLOW }

#define INT UINT32_MAX
/*
 * Where the kernel itself refuses every number from a limit on, the bits below
 * the next power of two are all that a complement has to look at.
 */
#define FAMILY   0xffU     /* AF_MAX: __sock_create() in net/socket.c */
#define PROTOCOL 0x1ffU    /* IPPROTO_MAX: inet_create() in net/ipv4/af_inet.c, inet6_create() */
#define LINK     0x1fU     /* MAX_LINKS: netlink_create() in net/netlink/af_netlink.c */
#define PID      0x3fffffU /* PID_MAX_LIMIT: include/linux/threads.h */
_Static_assert(AF_MAX - 1 <= FAMILY && IPPROTO_MAX - 1 <= PROTOCOL && MAX_LINKS - 1 <= LINK,
	       "these limits have grown");

/* The two internet families differ in one bit, so that one masked comparison means both. */
#define INET IN(0, (uint32_t) ~(AF_INET ^ AF_INET6), AF_INET)
_Static_assert(__builtin_popcount(AF_INET ^ AF_INET6) == 1 && !(AF_INET & (AF_INET ^ AF_INET6)),
	       "AF_INET and AF_INET6 differ in one bit that AF_INET has not");

/* SOCK_TYPE_MASK of include/linux/net.h: the rest is flags. */
#define TYPE 0xfU

#define REACHES "reaches processes outside the sandbox, the supervisor first"
#define OTHERS  "continued with the caller's own number; EPERM with any other, which may be outside"

static const struct plan_row plan_rows[] = {
	{ CALL(connect), ALWAYS, TRAP, "judged" },
	{ CALL(sendto), TESTS(NONZERO(4)), .when = "an address is given", TRAP, "judged" },
	{ CALL(sendto), TESTS(HAS(3, MSG_FASTOPEN)), .when = "MSG_FASTOPEN", TRAP_OR(EACCES),
	  "it connects" },
	{ CALL(sendmsg), ALWAYS, TRAP, "the address is in memory" },
	{ CALL(sendmsg), TESTS(HAS(2, MSG_FASTOPEN)), .when = "MSG_FASTOPEN", ALONE(EACCES),
	  "it connects" },
	{ CALL(sendmmsg), ALWAYS, TRAP, "the addresses are in memory" },
	{ CALL(sendmmsg), TESTS(HAS(3, MSG_FASTOPEN)), .when = "MSG_FASTOPEN", ALONE(EACCES),
	  "it connects" },
	{ CALL(bind), ALWAYS, TRAP, "judged" },
	{ CALL(listen), ALWAYS, TRAP, "judged" },

	{ CALL(socket), TESTS(NOT_IN(0, FAMILY, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK)),
	  .when = "a domain other than AF_UNIX, AF_INET, AF_INET6, AF_NETLINK", FAIL(EAFNOSUPPORT),
	  "no rule speaks of it" },
	{ CALL(socket), TESTS(IN(0, INT, AF_NETLINK), NOT_IN(2, LINK, NETLINK_ROUTE)),
	  .when = "AF_NETLINK with a protocol other than NETLINK_ROUTE", FAIL(EPROTONOSUPPORT),
	  "it configures the kernel" },
	{ CALL(socket), TESTS(INET, IN(1, TYPE, SOCK_RAW, SOCK_PACKET)),
	  .when = "internet, SOCK_RAW or SOCK_PACKET", FAIL(EPERM), "writes its own headers" },
	{ CALL(socket),
	  TESTS(INET, NOT_IN(1, TYPE, SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_PACKET)),
	  .when = "internet, a type other than SOCK_STREAM, SOCK_DGRAM", FAIL(ESOCKTNOSUPPORT),
	  "no rule speaks of it" },
	{ CALL(socket), TESTS(INET, IN(1, TYPE, SOCK_STREAM), NOT_IN(2, PROTOCOL, 0, IPPROTO_TCP)),
	  .when = "internet, SOCK_STREAM with a protocol other than TCP", FAIL(EPROTONOSUPPORT),
	  "MPTCP, SMC, SCTP: programs fall back to TCP" },
	{ CALL(socket),
	  TESTS(INET, IN(1, TYPE, SOCK_DGRAM),
		NOT_IN(2, PROTOCOL, 0, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6)),
	  .when = "internet, SOCK_DGRAM with a protocol other than UDP, ICMP, ICMPv6",
	  SERVED(EPROTONOSUPPORT), "UDP-Lite, DCCP, L2TP: no rule speaks of them" },
	{ CALL(socket), TESTS(INET, IN(1, TYPE, SOCK_DGRAM)), .when = "internet, SOCK_DGRAM",
	  ALONE(EACCES), "Landlock knows TCP only" },
	{ CALL(socketpair), TESTS(NOT_IN(0, FAMILY, AF_UNIX)),
	  .when = "a domain other than AF_UNIX", FAIL(EAFNOSUPPORT), "no rule speaks of it" },

	{ CALL(setsockopt), TESTS(IN(1, INT, IPPROTO_IP), IN(2, INT, IP_OPTIONS), NONZERO(3)),
	  .when = "IP_OPTIONS, unless with a null pointer", FAIL(EPERM),
	  "a source route goes to another host than the one judged" },
	{ CALL(setsockopt),
	  TESTS(IN(1, INT, IPPROTO_IPV6), IN(2, INT, IPV6_RTHDR, IPV6_2292PKTOPTIONS), NONZERO(3)),
	  .when = "IPV6_RTHDR, IPV6_2292PKTOPTIONS, unless with a null pointer", FAIL(EPERM),
	  "a routing header goes to another host than the one judged" },
	{ CALL(setsockopt), TESTS(IN(1, INT, IPPROTO_IPV6), IN(2, INT, IPV6_FLOWLABEL_MGR)),
	  .when = "IPV6_FLOWLABEL_MGR", FAIL(EPERM), "a flow label can carry a routing header" },
	{ CALL(setsockopt), TESTS(IN(1, INT, SOL_SOCKET), IN(2, INT, SO_ZEROCOPY)),
	  .when = "SO_ZEROCOPY", FAIL(ENOPROTOOPT), "the pages sent are the supervisor's" },

	{ CALL(io_uring_setup), ALWAYS, FAIL(ENOSYS), "a ring's calls pass no filter" },
	{ CALL(io_uring_enter), ALWAYS, FAIL(ENOSYS), "a ring's calls pass no filter" },
	{ CALL(io_uring_register), ALWAYS, FAIL(ENOSYS), "a ring's calls pass no filter" },
	{ CALL(request_key), TESTS(NONZERO(2)), .when = "callout information is given",
	  FAIL(ENOKEY), "a root helper of the host resolves names (dns_resolver keys)" },

	{ CALL(clone), TESTS(IN(0, CLONE_FILES | CLONE_THREAD, CLONE_FILES)),
	  .when = "CLONE_FILES without CLONE_THREAD", TRAP,
	  "continued: from then on processes share descriptors" },
	{ CALL(clone3), ALWAYS, FAIL(ENOSYS), "its flags are in memory: libcs fall back to clone" },
	{ CALL(prctl), TESTS(IN(0, INT, PR_SET_DUMPABLE), ZERO(1)), .when = "PR_SET_DUMPABLE, 0",
	  FAIL(0), "a task that hides its memory could not be served" },
	{ CALL(keyctl), TESTS(IN(0, INT, KEYCTL_SESSION_TO_PARENT)),
	  .when = "KEYCTL_SESSION_TO_PARENT", FAIL(EPERM), "replaces the supervisor's keyring" },
	{ CALL(userfaultfd), ALWAYS, FAIL(EPERM), "a fault handler could stall the supervisor" },
	{ CALL(ioctl), TESTS(IN(1, INT, USERFAULTFD_IOC_NEW)), .when = "USERFAULTFD_IOC_NEW",
	  FAIL(EPERM), "as userfaultfd" },
	{ CALL(ioctl), TESTS(IN(1, INT, SIOCGSKNS)), .when = "SIOCGSKNS", FAIL(EPERM),
	  "hands out the namespace of a socket" },
	{ CALL(ioctl), TESTS(IN(1, INT, TIOCSTI, TIOCLINUX)), .when = "TIOCSTI, TIOCLINUX",
	  FAIL(EPERM), "types into the operator's terminal" },

	{ CALL(prlimit64), TESTS(NOT_IN(0, PID, 0), NONZERO(2)),
	  .when = "a new limit for a number other than 0", TRAP_OR(EPERM), OTHERS },
	{ CALL(setpriority), TESTS(IN(0, INT, PRIO_PGRP, PRIO_USER)),
	  .when = "a process group or a user", FAIL(EPERM), REACHES },
	{ CALL(setpriority), TESTS(IN(0, INT, PRIO_PROCESS), NOT_IN(1, PID, 0)),
	  .when = "a number other than 0", TRAP_OR(EPERM), OTHERS },
	{ CALL(ioprio_set), TESTS(IN(0, INT, IOPRIO_WHO_PGRP, IOPRIO_WHO_USER)),
	  .when = "a process group or a user", FAIL(EPERM), REACHES },
	{ CALL(ioprio_set), TESTS(IN(0, INT, IOPRIO_WHO_PROCESS), NOT_IN(1, PID, 0)),
	  .when = "a number other than 0", TRAP_OR(EPERM), OTHERS },
	{ CALL(sched_setparam), TESTS(NOT_IN(0, PID, 0)),
	  .when = "a number other than 0", TRAP_OR(EPERM), OTHERS },
	{ CALL(sched_setscheduler), TESTS(NOT_IN(0, PID, 0)),
	  .when = "a number other than 0", TRAP_OR(EPERM), OTHERS },
	{ CALL(sched_setaffinity), TESTS(NOT_IN(0, PID, 0)),
	  .when = "a number other than 0", TRAP_OR(EPERM), OTHERS },
	{ CALL(sched_setattr), TESTS(NOT_IN(0, PID, 0)),
	  .when = "a number other than 0", TRAP_OR(EPERM), OTHERS },

	{ .call = "any",
	  .nr = PLAN_FOREIGN,
	  .when = "by another architecture's entry (i386, x32)",
	  BOTH(SCMP_ACT_KILL_PROCESS),
	  "its numbers mean other calls" },
};

/* clang-format on */

/* The comparisons of one argument of which any may hold. */
struct plan_choices {
	unsigned int count;
	struct scmp_arg_cmp cmp[PLAN_CHOICES_MAX];
};

static void choices_push(struct plan_choices *c, unsigned int arg, enum scmp_compare op, uint64_t a,
			 uint64_t b)
{
	c->cmp[c->count++] = (struct scmp_arg_cmp){
		.arg = arg,
		.op = op,
		.datum_a = a,
		.datum_b = b,
	};
}

/*
 * Push the largest aligned blocks that hold no value of `t`, within the block
 * of numbers whose bits in `fixed` are those of `bits`.
 */
static void choices_push_others(struct plan_choices *c, const struct plan_test *t, uint32_t fixed,
				uint32_t bits)
{
	uint32_t rest = t->mask & ~fixed;
	bool holds_value = false;
	uint32_t split;
	unsigned int i;

	for (i = 0; i < t->count; i++)
		holds_value |= (t->value[i] & fixed) == bits;
	if (!holds_value) {
		choices_push(c, t->arg, SCMP_CMP_MASKED_EQ, fixed, bits);
	} else if (rest) {
		split = 1U << (31 - __builtin_clz(rest));
		choices_push_others(c, t, fixed | split, bits);
		choices_push_others(c, t, fixed | split, bits | split);
	}
}

static void choices_of(const struct plan_test *t, struct plan_choices *c)
{
	unsigned int i;

	c->count = 0;
	switch (t->kind) {
	case PLAN_END:
		break;
	case PLAN_IN:
		for (i = 0; i < t->count; i++)
			choices_push(c, t->arg, SCMP_CMP_MASKED_EQ, t->mask, t->value[i]);
		break;
	case PLAN_NOT_IN:
		choices_push_others(c, t, 0, 0);
		break;
	case PLAN_NONZERO:
		choices_push(c, t->arg, SCMP_CMP_NE, 0, 0);
		break;
	case PLAN_ZERO:
		choices_push(c, t->arg, SCMP_CMP_EQ, 0, 0);
		break;
	}
}

/* Add the rules of `row`; cmp[0..done) are the comparisons chosen for its first tests. */
static int row_add(scmp_filter_ctx ctx, const struct plan_row *row, uint32_t answer,
		   unsigned int done, struct scmp_arg_cmp cmp[static PLAN_TESTS_MAX])
{
	struct plan_choices choices;
	unsigned int i;
	int ret = 0;

	if (done == PLAN_TESTS_MAX || row->test[done].kind == PLAN_END)
		return seccomp_rule_add_array(ctx, answer, row->nr, done, cmp);

	choices_of(&row->test[done], &choices);
	for (i = 0; i < choices.count && !ret; i++) {
		cmp[done] = choices.cmp[i];
		ret = row_add(ctx, row, answer, done + 1, cmp);
	}
	return ret;
}

static int rows_add(scmp_filter_ctx ctx, int mode)
{
	struct scmp_arg_cmp cmp[PLAN_TESTS_MAX];
	const struct plan_row *row;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < sizeof(plan_rows) / sizeof(plan_rows[0]) && !ret; i++) {
		row = &plan_rows[i];
		if (row->answer[mode] == SCMP_ACT_ALLOW)
			continue;
		if (row->nr == PLAN_FOREIGN)
			ret = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, row->answer[mode]);
		else
			ret = row_add(ctx, row, row->answer[mode], 0, cmp);
	}
	return ret;
}

/* libseccomp 2.5 exports to a descriptor only. */
static int program_export(scmp_filter_ctx ctx, struct plan_program *out)
{
	struct sock_filter *filter = NULL;
	struct stat st;
	int fd, ret;

	fd = memfd_create("plan", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = seccomp_export_bpf(ctx, fd);
	if (ret)
		goto out_close;
	ret = -EIO;
	if (fstat(fd, &st) || st.st_size > (off_t)(BPF_MAXINSNS * sizeof(*filter)))
		goto out_close;
	filter = malloc((size_t)st.st_size);
	if (!filter) {
		ret = -ENOMEM;
		goto out_close;
	}
	if (pread(fd, filter, (size_t)st.st_size, 0) != st.st_size) {
		free(filter);
		goto out_close;
	}
	out->filter = filter;
	out->len = (unsigned short)((size_t)st.st_size / sizeof(*filter));
	ret = 0;
out_close:
	close(fd);
	return ret;
}

/* `add` adds the rules to a filter that answers `otherwise` to what they do not speak of. */
static int build(uint32_t otherwise, int (*add)(scmp_filter_ctx ctx, int arg), int arg,
		 struct plan_program *out)
{
	scmp_filter_ctx ctx = seccomp_init(otherwise);
	int ret;

	if (!ctx)
		return -ENOMEM;
	/* 2: a binary tree over the call numbers instead of a list. */
	ret = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (!ret)
		ret = add(ctx, arg);
	if (!ret)
		ret = program_export(ctx, out);
	seccomp_release(ctx);
	return ret;
}

int plan_build(enum plan_mode mode, struct plan_program *out)
{
	return build(SCMP_ACT_ALLOW, rows_add, mode, out);
}

static int own_calls_add(scmp_filter_ctx ctx, int arg)
{
	int ret = 0;

	(void)arg;
	for (size_t i = 0; i < n_own_calls && !ret; i++) {
		const struct own_call *c = &own_calls[i];
		struct scmp_arg_cmp cmp = SCMP_A0_64(SCMP_CMP_MASKED_EQ, c->mask, c->value);

		ret = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, c->nr, c->mask ? 1 : 0, &cmp);
	}
	return ret;
}

int plan_build_own(struct plan_program *out)
{
	return build(SCMP_ACT_ERRNO(ENOSYS), own_calls_add, 0, out);
}

void plan_free(struct plan_program *p)
{
	free(p->filter);
	*p = (struct plan_program){ 0 };
}

static const char *answer_name(uint32_t answer)
{
	int error = (int)(answer & SECCOMP_RET_DATA);

	switch (answer & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_USER_NOTIF:
		return "trapped";
	case SECCOMP_RET_KILL_PROCESS:
		return "killed";
	default:
		return error ? strerrorname_np(error) : "success, without effect";
	}
}

void plan_print(enum plan_mode mode, FILE *out)
{
	const struct plan_row *row;
	unsigned int i;

	for (i = 0; i < sizeof(plan_rows) / sizeof(plan_rows[0]); i++) {
		row = &plan_rows[i];
		if (row->answer[mode] != SCMP_ACT_ALLOW)
			fprintf(out, "%s\t%s\t%s\t%s\n", row->call, row->when,
				answer_name(row->answer[mode]), row->why);
	}
}
