/* SPDX-License-Identifier: MIT */
/*
 * The ledger as its readers have it, the logs and the metrics of the real program.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/ledger.h"
#include "selftests/harness.h"
#include "selftests/lib/command.h"
#include "selftests/lib/deadline.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/sandbox.h"

enum {
	PATIENCE = 20000,   /* ms */
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
	char dir[32];
};

FIXTURE_SETUP(run)
{
	if (!netns_or_skip())
		return;
	snprintf(self->dir, sizeof(self->dir), "/tmp/ledger.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
}

FIXTURE_TEARDOWN(run)
{
	char path[128];

	command_free(&self->c);
	ledger_reader_free(self->reader);
	for (const char *const *name = ARGS("log", "json", "metrics"); *name; name++) {
		snprintf(path, sizeof(path), "%s/%s", self->dir, *name);
		unlink(path);
	}
	/* With another file in it, one that was left behind, this fails. */
	if (self->dir[0])
		EXPECT_EQ(0, rmdir(self->dir));
}

static const char *file_in(struct run_data *self, const char *name, char path[static 128])
{
	snprintf(path, 128, "%s/%s", self->dir, name);
	return path;
}

/* The number behind a word of what the program said. */
static long said(const char *text, const char *word)
{
	const char *at = strstr(text, word);

	ASSERT_NE(NULL, at)
	{
		TH_LOG("no '%s' in: %s", word, text);
	}
	return atol(at + strlen(word));
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

static void expect_said(struct run_data *self, const char *text)
{
	ASSERT_EQ(0, command_wait_text(&self->c, &self->c.out, text, PATIENCE))
	{
		TH_LOG("%s%s", self->c.out.text, self->c.err.text);
	}
}

static void go_on(struct run_data *self)
{
	EXPECT_EQ(0, kill((pid_t)said(self->c.out.text, "command "), SIGUSR1));
}

static void finish(struct run_data *self)
{
	ASSERT_EQ(0, command_wait(&self->c, PATIENCE));
	EXPECT_EQ(0, command_code(&self->c))
	{
		TH_LOG("%s%s", self->c.out.text, self->c.err.text);
	}
}

/* scribe PORT PORTS COUNT under these rules, without a pause; ports from 3000 on get the default.
 */
#define RULES                                                                                      \
	"--rule", "allow udp://127.0.0.1:2000-2099", "--rule", "deny udp://127.0.0.1:2100-2199"

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
		ASSERT_LT(1, f->pid);
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
				   ARGS("sandtop", "-b", "-q", "--name", "watched", RULES, "--",
					"scribe", "2000", ports, counted),
				   NULL, NULL));
	expect_said(self, "ready\n");
	fd = take_ledger((pid_t)said(self->c.out.text, "supervisor "));
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, attack(dup(fd)));
	self->reader = ledger_reader_new(fd);
	ASSERT_NE(NULL, self->reader);
	ledger_read_head(self->reader, &head);
	EXPECT_STREQ("watched", head.name);
	EXPECT_STRIN("scribe 2000", head.command);
	EXPECT_STREQ("deny", head.fallback);
	EXPECT_EQ(said(self->c.out.text, "command "), head.pid);
	EXPECT_EQ(1, head.generation);
	EXPECT_EQ(0, head.decisions);
	go_on(self);
	/* As fast as it can, while the traffic runs. */
	while (command_wait_text(&self->c, &self->c.out, "done\n", 0) == -ETIMEDOUT)
		look(self, &seen);
	look(self, &seen);
	expect_said(self, "done\n");
	TH_LOG("%" PRIu64 " decisions read, %" PRIu64 " missed; %" PRIu64 " copies of rows",
	       seen.read, seen.missed, seen.flow_copies);
	EXPECT_EQ(count, seen.read + seen.missed);
	EXPECT_EQ(0, said(self->c.out.text, "strange "));

	ledger_read_head(self->reader, &head);
	EXPECT_EQ(count, head.decisions);
	EXPECT_EQ(count, head.stats.counter[STAT_ALLOWED] + head.stats.counter[STAT_DENIED]);
	EXPECT_EQ(said(self->c.out.text, "refused "), (long)head.stats.counter[STAT_DENIED]);
	EXPECT_EQ(said(self->c.out.text, "sent "), (long)head.stats.counter[STAT_ALLOWED]);
	n = ledger_read_flows(self->reader, seen.flows, FLOW_ROWS);
	for (unsigned i = 0; i < n; i++)
		decided += seen.flows[i].allowed + seen.flows[i].denied;
	EXPECT_EQ(count, decided + head.evicted.allowed + head.evicted.denied);
	go_on(self);
	finish(self);
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

/* In all three formats, whatever the command is called. */
TEST_F_TIMEOUT(run, hostile_names_leave_every_line_valid, 60)
{
	char line[20000], path[128];
	unsigned lines = 0;
	FILE *file;

	ASSERT_EQ(0,
		  command_start(&self->c,
				ARGS("sandtop", "-b", "-v", "--json", file_in(self, "json", path),
				     RULES, "--", "scribe", "2050", "100", "25500"),
				NULL, NULL));
	expect_said(self, "ready\n");
	go_on(self);
	expect_said(self, "done\n");
	go_on(self);
	finish(self);
	file = fopen(path, "re");
	ASSERT_NE(NULL, file);
	while (fgets(line, sizeof(line), file)) {
		json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

		ASSERT_NE(NULL, json)
		{
			TH_LOG("%s", line);
		}
		json_decref(json);
		for (char *c = line; *c && *c != '\n'; c++)
			ASSERT_LE(' ', (unsigned char)*c);
		lines++;
	}
	fclose(file);
	EXPECT_EQ(25500 + 2, lines);
	for (const char *c = self->c.err.text; *c; c++)
		ASSERT_TRUE(*c == '\n' || ((unsigned char)*c >= ' ' && *c != 0x7f));
}

static unsigned count_in(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

/* The run is what it would be with a log: each datagram judged, and the end told. */
static void expect_unharmed(struct run_data *self, long lost)
{
	char count[32];

	expect_said(self, "ready\n");
	go_on(self);
	expect_said(self, "done\n");
	EXPECT_EQ(500, said(self->c.out.text, "sent "));
	EXPECT_EQ(500, said(self->c.out.text, "refused "));
	go_on(self);
	finish(self);
	snprintf(count, sizeof(count), "%ld line", lost);
	EXPECT_STRIN(count, self->c.err.text);
	EXPECT_EQ(1, count_in(self->c.err.text, "further lines are lost"));
	EXPECT_EQ(1, count_in(self->c.err.text, " lost\n"));
	EXPECT_EQ(lost, said(self->c.err.text, "log lines lost "));
}

TEST_F(run, goes_on_with_a_full_disk)
{
	ASSERT_EQ(0, command_start(&self->c,
				   ARGS("sandtop", "-b", "--stats", "--log", "/dev/full", RULES,
					"--", "scribe", "2050", "100", "1000"),
				   NULL, NULL));
	expect_unharmed(self, 1000);
	EXPECT_STRIN("sandtop: --log: No space left on device: further lines are lost",
		     self->c.err.text);
	EXPECT_STRIN("sandtop: --log: 1000 lines were lost\n", self->c.err.text);
}

static void close_pipe(void *arg)
{
	int fds[2];

	(void)arg;
	if (pipe(fds))
		_exit(1);
	close(fds[0]);
	dup2(fds[1], 9);
}

TEST_F(run, goes_on_with_a_closed_pipe)
{
	ASSERT_EQ(0, command_start(&self->c,
				   ARGS("sandtop", "-b", "--stats", "--json", "/dev/fd/9", RULES,
					"--", "scribe", "2050", "100", "1000"),
				   close_pipe, NULL));
	expect_unharmed(self, 1002);
	EXPECT_STRIN("sandtop: --json: Broken pipe: further lines are lost", self->c.err.text);
	EXPECT_STRIN("sandtop: --json: 1002 lines were lost\n", self->c.err.text);
}

/* ---- --metrics-file ---------------------------------------------------- */

static char *read_text(const char *path)
{
	static char text[65536];
	FILE *file = fopen(path, "re");
	size_t n;

	if (!file)
		return NULL;
	n = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[n] = '\0';
	return text;
}

/* The value of a sample with these labels, and with no others but the sandbox. */
static double sample(const char *text, const char *name, const char *labels)
{
	char line[256];
	const char *at;

	snprintf(line, sizeof(line), "\nsandtop_%s{sandbox=\"measured\"%s} ", name, labels);
	at = strstr(text, line);
	ASSERT_NE(NULL, at)
	{
		TH_LOG("no '%s' in: %s", line, text);
	}
	return atof(at + strlen(line));
}

static void expect_sample(const char *text, long expected, const char *name, const char *labels)
{
	EXPECT_EQ(expected, (long)sample(text, name, labels))
	{
		TH_LOG("%s%s", name, labels);
	}
}

static void allow_group(void *arg)
{
	(void)arg;
	umask(027);
}

TEST_F(run, metrics_say_what_the_statistics_say)
{
	char path[128];
	struct stat st;
	const char *text;

	ASSERT_EQ(0, command_start(&self->c,
				   ARGS("sandtop", "-b", "-q", "--stats", "--name", "measured",
					"--metrics-file", file_in(self, "metrics", path), RULES,
					"--", "scribe", "2050", "100", "1000"),
				   allow_group, NULL));
	expect_said(self, "ready\n");
	/* It is there from the beginning. */
	for (int64_t end = deadline_in(PATIENCE); access(path, F_OK) && deadline_left(end);)
		sched_yield();
	text = read_text(path);
	ASSERT_NE(NULL, text);
	expect_sample(text, 0, "decisions_total", ",verdict=\"allow\",proto=\"udp\"");
	expect_sample(text, 1, "policy_generation", "");
	go_on(self);
	expect_said(self, "done\n");
	go_on(self);
	finish(self);

	text = read_text(path);
	ASSERT_NE(NULL, text);
	expect_sample(text, 500, "decisions_total", ",verdict=\"allow\",proto=\"udp\"");
	expect_sample(text, 500, "decisions_total", ",verdict=\"deny\",proto=\"udp\"");
	expect_sample(text, 0, "decisions_total", ",verdict=\"deny\",proto=\"tcp\"");
	expect_sample(text, said(self->c.err.text, "  allowed "), "decisions_total",
		      ",verdict=\"allow\",proto=\"udp\"");
	expect_sample(text, said(self->c.err.text, "  notifications "), "notifications_total", "");
	expect_sample(text, said(self->c.err.text, "  failed undecided "), "errors_total", "");
	expect_sample(text, said(self->c.err.text, "  log lines lost "), "log_lines_lost_total",
		      "");
	expect_sample(text, 0, "held", "");
	expect_sample(text, 0, "flows_evicted_total", "");
	expect_sample(text, 1000, "answer_latency_seconds_count", "");
	expect_sample(text, 1000, "answer_latency_seconds_bucket", ",le=\"+Inf\"");
	EXPECT_LT(0, (long)(1e6 * sample(text, "answer_latency_seconds_sum", "")));
	EXPECT_EQ(0, stat(path, &st));
	EXPECT_EQ(0640, st.st_mode & 07777);
}

static void expect_refused(struct run_data *self, const char *file, int code, const char *message)
{
	ASSERT_EQ(0, command_run(&self->c, ARGS("sandtop", "-b", "--metrics-file", file,
						"--net-allow", ":1", "--", "true")));
	EXPECT_EQ(code, command_code(&self->c));
	EXPECT_STRIN(message, self->c.err.text);
	command_free(&self->c);
	self->c = (struct command){ 0 };
}

TEST_F(run, metrics_replace_no_device)
{
	struct stat before, after;

	ASSERT_EQ(0, stat("/dev/null", &before));
	expect_refused(self, "/dev/null", 2,
		       "sandtop: --metrics-file: '/dev/null': expected a regular file");
	expect_refused(self, self->dir, 2, "expected a regular file");
	expect_refused(self, "-", 2, "sandtop: --metrics-file: invalid value '-'");
	expect_refused(
		self, "/nonexistent/metrics", 125,
		"sandtop: --metrics-file: cannot write '/nonexistent/metrics': No such file");
	ASSERT_EQ(0, stat("/dev/null", &after));
	EXPECT_EQ(before.st_ino, after.st_ino);
}

TEST_HARNESS_MAIN
