/* SPDX-License-Identifier: MIT */
#include "core/ledger.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/json.h"
#include "policy/addr.h"

static struct record record(uint64_t seq, uint16_t port)
{
	struct record r = {
		.seq = seq,
		.generation = 1,
		.ts = { 100, 5 },
		.endpoint = { .dir = DIR_OUT, .proto = PROTO_TCP, .port = port },
		.decision = { .verdict = VERDICT_DENY, .reason = REASON_DEFAULT },
		.pid = 10,
		.tid = 11,
		.comm = "curl",
		.exe = "/usr/bin/curl",
		.syscall = "connect",
		.error = ECONNREFUSED,
		.latency_ns = 4321,
	};

	cr_assert_eq(addr_parse("10.0.0.1", &r.endpoint.addr), 0);
	return r;
}

static void add(struct ledger *l, uint64_t seq, uint16_t port)
{
	struct record r = record(seq, port);
	bool is_new;

	cr_assert_not_null(ledger_add(l, &r, &is_new));
}

static struct ledger *new_ledger(void)
{
	struct ledger *l = ledger_new();

	cr_assert_not_null(l, "%s", strerror(errno));
	return l;
}

static struct ledger_reader *new_reader(const struct ledger *l)
{
	struct ledger_reader *r = ledger_reader_new(fcntl(ledger_fd(l), F_DUPFD_CLOEXEC, 0));

	cr_assert_not_null(r, "%s", strerror(errno));
	return r;
}

Test(ledger, a_reader_sees_the_run)
{
	char *argv[] = { (char *)"npm", (char *)"install", (char *)"a b", NULL };
	struct ledger *l = new_ledger();
	struct ledger_reader *r = new_reader(l);
	struct ledger_head head;

	ledger_read_head(r, &head);
	cr_assert_str_empty(head.name);
	cr_assert_eq(head.start, 0);

	ledger_set_run(l, "npm-7", 7, argv);
	ledger_set_policy(l, 1, "deny", NULL);
	ledger_read_head(r, &head);
	cr_assert_str_eq(head.name, "npm-7");
	cr_assert_str_eq(head.command, "npm install a b");
	cr_assert_str_eq(head.fallback, "deny");
	cr_assert_str_empty(head.profile);
	cr_assert_eq(head.pid, 7);
	cr_assert_gt(head.start, 0);
	cr_assert_eq(head.generation, 1);
	cr_assert_eq(head.decisions, 0);

	ledger_set_policy(l, 2, "allow", "sandtop.toml");
	ledger_set_held(l, 3);
	ledger_set_tasks(l, 37);
	stats_add(ledger_stats(l), STAT_HELD, 5);
	histogram_record(&ledger_stats(l)->latency, 1000);
	add(l, 1, 443);
	ledger_read_head(r, &head);
	cr_assert_str_eq(head.fallback, "allow");
	cr_assert_str_eq(head.profile, "sandtop.toml");
	cr_assert_eq(head.generation, 2);
	cr_assert_eq(head.held, 3);
	cr_assert_eq(head.tasks, 37);
	cr_assert_eq(head.decisions, 1);
	cr_assert_eq(head.stats.counter[STAT_HELD], 5);
	cr_assert_eq(head.stats.latency.count, 1);
	ledger_reader_free(r);
	ledger_free(l);
}

Test(ledger, a_command_line_that_is_too_long_is_cut)
{
	char word[LEDGER_COMMAND_MAX], *argv[] = { (char *)"sh", word, word, NULL };
	struct ledger *l = new_ledger();
	struct ledger_reader *r = new_reader(l);
	struct ledger_head head;

	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	ledger_set_run(l, "sh-1", 1, argv);
	ledger_read_head(r, &head);
	cr_assert_eq(strlen(head.command), LEDGER_COMMAND_MAX - 1);
	ledger_reader_free(r);
	ledger_free(l);
}

Test(ledger, a_decision_comes_back_as_its_record)
{
	struct ledger *l = new_ledger();
	struct ledger_reader *reader = new_reader(l);
	struct record in = record(1, 443), out;
	char a[JSON_LINE_MAX], b[JSON_LINE_MAX];
	struct ledger_decision d;
	struct flow flow;
	uint64_t next = 0;
	bool is_new;

	in.decision.reason = REASON_RULE;
	in.decision.rule = 2;
	in.rule = "deny 10.0.0.0/8";
	in.host = "intra.example";
	in.answers = 9;
	ledger_add(l, &in, &is_new);
	cr_assert_eq(ledger_read_decisions(reader, &next, &d, 1, NULL), 1);
	cr_assert_eq(next, 2);
	out = ledger_record(&d);
	cr_assert_gt(json_decision(&in, a, sizeof(a)), 0);
	cr_assert_gt(json_decision(&out, b, sizeof(b)), 0);
	cr_assert_str_eq(a, b);

	cr_assert_eq(ledger_read_flows(reader, &flow, 1), 1);
	cr_assert_eq(d.flow, flow.id);
	cr_assert_str_eq(flow.rule_text, "deny 10.0.0.0/8");
	cr_assert_str_eq(flow.host, "intra.example");
	ledger_reader_free(reader);
	ledger_free(l);
}

Test(ledger, what_a_reader_missed_is_counted)
{
	enum { MORE = 10 };
	static struct ledger_decision d[LEDGER_DECISIONS];
	struct ledger *l = new_ledger();
	struct ledger_reader *r = new_reader(l);
	uint64_t next = 0, missed = 0, seq;

	cr_assert_eq(ledger_read_decisions(r, &next, d, LEDGER_DECISIONS, &missed), 0);
	for (seq = 1; seq <= LEDGER_DECISIONS + MORE; seq++)
		add(l, seq, (uint16_t)seq);
	/* In two steps. */
	cr_assert_eq(ledger_read_decisions(r, &next, d, 4, &missed), 4);
	cr_assert_eq(missed, MORE);
	cr_assert_eq(d[0].seq, MORE + 1);
	cr_assert_eq(ledger_read_decisions(r, &next, d, LEDGER_DECISIONS, &missed),
		     LEDGER_DECISIONS - 4);
	cr_assert_eq(missed, MORE);
	for (seq = 0; seq < LEDGER_DECISIONS - 4; seq++) {
		cr_assert_eq(d[seq].seq, MORE + 5 + seq);
		cr_assert_eq(d[seq].port, (uint16_t)(MORE + 5 + seq));
	}
	cr_assert_eq(ledger_read_decisions(r, &next, d, LEDGER_DECISIONS, &missed), 0);
	add(l, LEDGER_DECISIONS + MORE + 1, 1);
	cr_assert_eq(ledger_read_decisions(r, &next, d, LEDGER_DECISIONS, &missed), 1);
	cr_assert_eq(missed, MORE);
	ledger_reader_free(r);
	ledger_free(l);
}

Test(ledger, flows_and_the_evicted_are_all_that_was_decided)
{
	enum { PORTS = FLOW_ROWS + 100 };
	static struct flow flows[FLOW_ROWS];
	struct ledger *l = new_ledger();
	struct ledger_reader *r = new_reader(l);
	struct ledger_head head;
	uint64_t denied = 0;
	unsigned int i, n;

	for (i = 1; i <= PORTS; i++)
		add(l, i, (uint16_t)i);
	n = ledger_read_flows(r, flows, FLOW_ROWS);
	cr_assert_eq(n, FLOW_ROWS);
	for (i = 0; i < n; i++) {
		denied += flows[i].denied;
		cr_assert_eq(flows[i].id, flows[i].port);
	}
	ledger_read_head(r, &head);
	cr_assert_eq(head.evicted.rows, PORTS - FLOW_ROWS);
	cr_assert_eq(denied + head.evicted.denied, PORTS);
	cr_assert_eq(ledger_read_flows(r, flows, 3), 3);
	ledger_reader_free(r);
	ledger_free(l);
}

Test(ledger, nobody_can_change_it_but_its_writer)
{
	struct ledger *l = new_ledger();
	int fd = ledger_fd(l);
	off_t size = lseek(fd, 0, SEEK_END);
	char byte = 0;

	cr_assert_eq(mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
		     MAP_FAILED);
	cr_assert_eq(errno, EPERM);
	cr_assert_eq(pwrite(fd, &byte, 1, 0), -1);
	cr_assert_eq(errno, EPERM);
	cr_assert_eq(ftruncate(fd, 0), -1);
	cr_assert_eq(errno, EPERM);
	cr_assert_eq(ftruncate(fd, size + 4096), -1);
	cr_assert_eq(errno, EPERM);
	cr_assert_eq(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), -1);
	cr_assert_eq(errno, EPERM);
	cr_assert_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	cr_assert_eq(errno, EPERM);
	add(l, 1, 1);
	ledger_free(l);
}

/* A file that is made as a ledger is, with `size` bytes of a ledger in it. */
static int counterfeit(const struct ledger *l, size_t size, int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char *from = mmap(NULL, size, PROT_READ, MAP_SHARED, ledger_fd(l), 0);

	cr_assert_geq(fd, 0);
	cr_assert_neq(from, MAP_FAILED);
	cr_assert_eq(write(fd, from, size), (ssize_t)size);
	cr_assert_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
	munmap(from, size);
	return fd;
}

Test(ledger, a_reader_refuses_what_is_no_ledger)
{
	int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;
	struct ledger *l = new_ledger();
	size_t size = (size_t)lseek(ledger_fd(l), 0, SEEK_END);
	struct ledger_reader *r;
	int pair[2], fd;

	cr_assert_null(ledger_reader_new(open("/dev/zero", O_RDONLY)));
	cr_assert_eq(errno, EINVAL);
	cr_assert_null(ledger_reader_new(open("/proc/self/status", O_RDONLY)));
	cr_assert_eq(errno, EINVAL);
	cr_assert_eq(pipe(pair), 0);
	cr_assert_null(ledger_reader_new(pair[0]));
	cr_assert_eq(errno, EINVAL);
	close(pair[1]);
	/* It could be shortened under the reader. */
	cr_assert_null(ledger_reader_new(counterfeit(l, size, seals & ~F_SEAL_SHRINK)));
	cr_assert_eq(errno, EINVAL);
	/* It is shorter than it says. */
	cr_assert_null(ledger_reader_new(counterfeit(l, 4096, seals)));
	cr_assert_eq(errno, EINVAL);
	cr_assert_null(ledger_reader_new(counterfeit(l, 8, seals)));
	cr_assert_eq(errno, EINVAL);

	fd = counterfeit(l, size, F_SEAL_SHRINK | F_SEAL_GROW);
	cr_assert_eq(pwrite(fd, "\1\1\1\1", 4, 8), 4); /* the version */
	cr_assert_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
	cr_assert_null(ledger_reader_new(fd));
	cr_assert_eq(errno, EPROTO);

	r = ledger_reader_new(counterfeit(l, size, seals));
	cr_assert_not_null(r);
	ledger_reader_free(r);
	ledger_free(l);
}
