/* SPDX-License-Identifier: MIT */
/*
 * The ledger as its readers have it, of a writer alone and of the real program.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/ledger.h"
#include "selftests/harness.h"
#include "selftests/lib/command.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/scribe.h"

enum {
	ROUNDS = 400000,    /* decisions of the writer below */
	FDS_SEARCHED = 100, /* of the supervisor */
};

/* ---- one writer, several readers --------------------------------------- */

FIXTURE(writer)
{
	struct ledger *ledger;
	_Atomic uint64_t *stop; /* shared with the readers */
};

FIXTURE_SETUP(writer)
{
	self->ledger = ledger_new();
	ASSERT_NE(NULL, self->ledger);
	self->stop = mmap(NULL, sizeof(*self->stop), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)self->stop);
}

FIXTURE_TEARDOWN(writer)
{
	ledger_free(self->ledger);
	munmap((void *)self->stop, sizeof(*self->stop));
}

/* Every field of a decision says the same number: half of one and half of another would show. */
static void write_number(struct ledger *l, uint64_t seq)
{
	char rule[FLOW_RULE_MAX], host[FLOW_HOST_MAX];
	struct record r = {
		.seq = seq,
		.generation = seq,
		.ts = { .tv_nsec = 1 },
		.endpoint = { .proto = PROTO_TCP,
			      .addr.family = 4,
			      .port = (uint16_t)(1 + seq % 3) },
		.decision = { .verdict = VERDICT_ALLOW, .rule = (int)seq },
		.rule = rule,
		.host = host,
		.pid = (int)seq,
		.tid = (int)seq,
		.error = (int)seq,
		.latency_ns = seq,
	};
	bool is_new;

	/* From the last byte of the field to its first. */
	snprintf(rule, sizeof(rule), "%0*" PRIu64, (int)sizeof(rule) - 1, seq);
	snprintf(host, sizeof(host), "%" PRIu64, seq);
	ledger_add(l, &r, &is_new);
}

static bool flow_is_whole(const struct flow *f)
{
	uint64_t n = f->generation;

	return f->rule == (int)n && f->pid == (int)n && f->tid == (int)n && f->error == (int)n &&
	       f->port == 1 + n % 3 && strlen(f->rule_text) == sizeof(f->rule_text) - 1 &&
	       strtoull(f->rule_text, NULL, 10) == n && strtoull(f->host, NULL, 10) == n;
}

static bool decision_is_whole(const struct ledger_decision *d)
{
	uint64_t n = d->seq;

	return d->generation == n && d->rule == (int)n && d->pid == (int)n && d->latency_ns == n &&
	       d->port == 1 + n % 3 && d->flow == 1 + (d->port + 1u) % 3 &&
	       strtoull(d->rule_text, NULL, 10) == n && strtoull(d->host, NULL, 10) == n;
}

/* What a reader saw that cannot be, as text; NULL when all was well. */
static const char *read_until(struct ledger_reader *r, const _Atomic uint64_t *stop)
{
	static struct ledger_decision decisions[64];
	uint64_t hits[3] = { 0 }, next = 1, missed = 0, seen = 0, flows = 0;
	struct flow f[3];
	unsigned n;

	/* One more time after the end: what was read then is all there is. */
	for (bool last = false; !last;) {
		last = *stop;
		n = ledger_read_flows(r, f, 3);
		for (unsigned i = 0; i < n; i++) {
			if (!flow_is_whole(&f[i]))
				return "a torn row";
			if (f[i].id < 1 || f[i].id > 3 || f[i].allowed < hits[f[i].id - 1])
				return "hits that went back";
			hits[f[i].id - 1] = f[i].allowed;
			flows++;
		}
		while ((n = ledger_read_decisions(r, &next, decisions, 64, &missed)) > 0) {
			for (unsigned i = 0; i < n; i++) {
				if (!decision_is_whole(&decisions[i]))
					return "a torn decision";
				if (decisions[i].seq != ++seen + missed)
					return "a decision out of order";
			}
		}
	}
	if (seen + missed != ROUNDS)
		return "decisions that are neither read nor counted as missed";
	return flows && seen ? NULL : "nothing read";
}

static pid_t fork_reader(struct writer_data *self)
{
	struct ledger_reader *r;
	const char *wrong;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	r = ledger_reader_new(dup(ledger_fd(self->ledger)));
	wrong = r ? read_until(r, self->stop) : "no reader";
	if (wrong)
		TH_LOG("reader: %s", wrong);
	_exit(wrong != NULL);
}

static int ended(pid_t pid)
{
	int status;

	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	return status;
}

TEST_F_TIMEOUT(writer, is_read_whole_while_it_writes, 60)
{
	pid_t reader[2];

	for (int i = 0; i < 2; i++) {
		reader[i] = fork_reader(self);
		ASSERT_LT(0, reader[i]);
	}
	for (uint64_t seq = 1; seq <= ROUNDS; seq++)
		write_number(self->ledger, seq);
	*self->stop = 1;
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(0, ended(reader[i]));
}

TEST_F_TIMEOUT(writer, does_not_care_who_sleeps_or_dies, 60)
{
	pid_t stopped = fork_reader(self), killed = fork_reader(self), reader;
	int status;

	for (uint64_t seq = 1; seq <= ROUNDS / 2; seq++)
		write_number(self->ledger, seq);
	ASSERT_EQ(0, kill(stopped, SIGSTOP));
	ASSERT_EQ(stopped, waitpid(stopped, &status, WUNTRACED));
	ASSERT_TRUE(WIFSTOPPED(status));
	ASSERT_EQ(0, kill(killed, SIGKILL));
	for (uint64_t seq = ROUNDS / 2 + 1; seq <= ROUNDS; seq++)
		write_number(self->ledger, seq);
	*self->stop = 1;
	EXPECT_TRUE(WIFSIGNALED(ended(killed)));
	/* A new one finds all well, and the one that slept knows what it missed. */
	reader = fork_reader(self);
	EXPECT_EQ(0, ended(reader));
	ASSERT_EQ(0, kill(stopped, SIGCONT));
	EXPECT_EQ(0, ended(stopped));
}

/* Everything that a holder of the descriptor could try. Returns how many attempts succeeded. */
static int attack(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char path[64], *map;
	int won = 0, again;

	map = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
	won += map == MAP_FAILED;
	won += mprotect(map, (size_t)size, PROT_READ | PROT_WRITE) == 0;
	won += madvise(map, (size_t)size, MADV_REMOVE) == 0;
	won += mmap(NULL, (size_t)size, PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED;
	won += pwrite(fd, "x", 1, 0) == 1;
	won += ftruncate(fd, 0) == 0;
	won += ftruncate(fd, 2 * size) == 0;
	won += fallocate(fd, 0, 0, 2 * size) == 0;
	won += fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, size) == 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDWR | O_TRUNC | O_CLOEXEC);
	won += again >= 0;
	again = open(path, O_RDWR | O_CLOEXEC);
	if (again >= 0) {
		won += mmap(NULL, (size_t)size, PROT_WRITE, MAP_SHARED, again, 0) != MAP_FAILED;
		won += pwrite(again, "x", 1, 0) == 1;
	}
	return won;
}

/* A file of the same kind without the seals: the attempts can succeed. */
TEST_F(writer, cannot_be_disturbed_through_the_descriptor)
{
	int control = memfd_create("control", MFD_CLOEXEC);
	pid_t liar, reader;

	ASSERT_EQ(0, ftruncate(control, 65536));
	EXPECT_LT(5, attack(control));
	reader = fork_reader(self);
	for (uint64_t seq = 1; seq <= ROUNDS; seq++) {
		if (seq == ROUNDS / 2) {
			liar = fork();
			if (liar == 0)
				_exit(attack(ledger_fd(self->ledger)));
			EXPECT_EQ(0, ended(liar));
		}
		write_number(self->ledger, seq);
	}
	*self->stop = 1;
	EXPECT_EQ(0, ended(reader));
}

/* ---- the real program -------------------------------------------------- */

FIXTURE(run)
{
	struct command c;
	struct ledger_reader *reader;
};

FIXTURE_SETUP(run)
{
	if (!netns_or_skip())
		return;
}

FIXTURE_TEARDOWN(run)
{
	command_free(&self->c);
	ledger_reader_free(self->reader);
}

/* The supervisor gives its ledger to nobody but over its socket; this process may take it. */
static int take_ledger(pid_t supervisor)
{
	int pidfd = (int)syscall(SYS_pidfd_open, supervisor, 0);
	char path[64], target[64];
	int ledger = -1;

	ASSERT_LE(0, pidfd);
	for (int i = 3; i < FDS_SEARCHED && ledger < 0; i++) {
		int fd = (int)syscall(SYS_pidfd_getfd, pidfd, i, 0);
		ssize_t n;

		if (fd < 0)
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		if (strstr(target, "sandtop-ledger"))
			ledger = fd;
		else
			close(fd);
	}
	close(pidfd);
	return ledger;
}

static bool texts_match(uint16_t port, int verdict, int rule, const char *text)
{
	if (port < 2100)
		return verdict == VERDICT_ALLOW && rule == 1 &&
		       !strcmp(text, "allow udp://127.0.0.1:2000-2099");
	if (port < 2200)
		return verdict == VERDICT_DENY && rule == 2 &&
		       !strcmp(text, "deny udp://127.0.0.1:2100-2199");
	return verdict == VERDICT_DENY && rule == 0 && !strcmp(text, "default");
}

/* What a monitor accumulates. */
struct seen {
	struct flow flows[FLOW_ROWS];
	struct ledger_decision decisions[LEDGER_DECISIONS];
	uint64_t hits[65536]; /* by port */
	uint64_t next, read, missed, flow_copies;
	pid_t command;
};

static void look(struct run_data *self, struct seen *s)
{
	unsigned n = ledger_read_flows(self->reader, s->flows, FLOW_ROWS);

	s->flow_copies += n;
	for (unsigned i = 0; i < n; i++) {
		const struct flow *f = &s->flows[i];

		ASSERT_TRUE(texts_match(f->port, f->verdict, f->rule, f->rule_text))
		{
			TH_LOG("port %u has rule %d '%s'", f->port, f->rule, f->rule_text);
		}
		ASSERT_EQ(PROTO_UDP, f->proto);
		ASSERT_EQ(s->command, f->pid);
		/* A flow that was evicted begins anew. */
		if (f->id == s->hits[f->port] >> 32)
			ASSERT_LE(s->hits[f->port] & UINT32_MAX, f->allowed + f->denied);
		s->hits[f->port] = f->id << 32 | (f->allowed + f->denied);
	}
	n = ledger_read_decisions(self->reader, &s->next, s->decisions, LEDGER_DECISIONS,
				  &s->missed);
	for (unsigned i = 0; i < n; i++) {
		const struct ledger_decision *d = &s->decisions[i];

		ASSERT_TRUE(texts_match(d->port, d->verdict, d->rule, d->rule_text));
		ASSERT_STREQ("sendto", d->syscall);
		ASSERT_EQ(s->command, d->pid);
		ASSERT_NE(NULL, strstr(d->exe, "/scribe"));
		ASSERT_EQ(++s->read + s->missed, d->seq);
	}
}

static void expect_consistent(struct run_data *self, const char *ports, uint64_t count)
{
	static struct seen seen;
	struct ledger_head head;
	uint64_t decided = 0;
	char counted[32];
	unsigned n;
	int fd;

	snprintf(counted, sizeof(counted), "%" PRIu64, count);
	ASSERT_EQ(0, command_start(&self->c,
				   ARGS("sandtop", "-b", "-q", "--name", "watched", SCRIBE_RULES,
					"--", "scribe", "2000", ports, counted),
				   NULL, NULL));
	scribe_expect(&self->c, "ready\n");
	fd = take_ledger((pid_t)scribe_said(self->c.out.text, "supervisor "));
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, attack(dup(fd)));
	self->reader = ledger_reader_new(fd);
	ASSERT_NE(NULL, self->reader);
	ledger_read_head(self->reader, &head);
	EXPECT_STREQ("watched", head.name);
	EXPECT_STRIN("scribe 2000", head.command);
	EXPECT_STREQ("deny", head.fallback);
	EXPECT_EQ(scribe_said(self->c.out.text, "command "), head.pid);
	EXPECT_EQ(1, head.generation);
	EXPECT_EQ(0, head.decisions);
	seen.command = head.pid;
	scribe_go_on(&self->c);
	/* As fast as it can, while the traffic runs. */
	while (command_wait_text(&self->c, &self->c.out, "done\n", 0) == -ETIMEDOUT)
		look(self, &seen);
	look(self, &seen);
	scribe_expect(&self->c, "done\n");
	TH_LOG("%" PRIu64 " decisions read, %" PRIu64 " missed; %" PRIu64 " copies of rows",
	       seen.read, seen.missed, seen.flow_copies);
	EXPECT_EQ(count, seen.read + seen.missed);
	EXPECT_EQ(0, scribe_said(self->c.out.text, "strange "));

	ledger_read_head(self->reader, &head);
	EXPECT_EQ(count, head.decisions);
	EXPECT_EQ(count, head.stats.counter[STAT_ALLOWED] + head.stats.counter[STAT_DENIED]);
	EXPECT_EQ(scribe_said(self->c.out.text, "refused "), (long)head.stats.counter[STAT_DENIED]);
	EXPECT_EQ(scribe_said(self->c.out.text, "sent "), (long)head.stats.counter[STAT_ALLOWED]);
	n = ledger_read_flows(self->reader, seen.flows, FLOW_ROWS);
	for (unsigned i = 0; i < n; i++)
		decided += seen.flows[i].allowed + seen.flows[i].denied;
	EXPECT_EQ(count, decided + head.evicted.allowed + head.evicted.denied);
	scribe_go_on(&self->c);
	scribe_finish(&self->c);
	/* What the supervisor wrote stays, for whoever still looks. */
	ledger_read_head(self->reader, &head);
	EXPECT_EQ(count, head.decisions);
}

TEST_F_TIMEOUT(run, is_read_while_it_decides, 60)
{
	expect_consistent(self, "300", 60000);
}

TEST_F_TIMEOUT(run, is_read_while_it_evicts, 60)
{
	expect_consistent(self, "8000", 40000);
}

TEST_HARNESS_MAIN
