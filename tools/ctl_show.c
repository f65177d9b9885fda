/* SPDX-License-Identifier: MIT */
/*
 * sandtop ctl: the verbs that show something.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/control.h"
#include "core/escape.h"
#include "core/json.h"
#include "core/ledger.h"
#include "core/line.h"
#include "core/profile_store.h"
#include "policy/addr.h"
#include "tools/cmd.h"
#include "tools/ctl.h"

enum {
	LOG_BATCH = 64,
	LOG_MS = 100, /* between two looks of log -f */
};

char *ctl_text_of(const char *verb, json_t *reply, int body)
{
	const char *inlined = json_string_value(json_object_get(reply, "text"));
	char *text = NULL;
	size_t len;

	if (inlined)
		text = strdup(inlined);
	else if (control_body_read(body, &text, &len))
		text = NULL;
	if (!text)
		complain("ctl %s: the sandbox sent something else than a text", verb);
	if (body >= 0)
		close(body);
	json_decref(reply);
	return text;
}

char *ctl_ask_text(int fd, const char *verb, const char *key, const char *value)
{
	int body;
	json_t *reply = ctl_ask(fd, verb, key, value, -1, &body);

	return reply ? ctl_text_of(verb, reply, body) : NULL;
}

/* Like fputs(), but with all escaped that is not text or a line's end. */
static void print_escaped(const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n\t");
		char *piece = strndup(text, n);
		size_t size = 8 * n + 8;
		char *shown = malloc(size);

		if (piece && shown) {
			/* A backslash is text here, not the beginning of an escape. */
			for (char *at = piece, *next; at; at = next) {
				next = strchr(at, '\\');
				if (next)
					*next++ = '\0';
				escape_text(at, shown, size);
				printf("%s%s", shown, next ? "\\" : "");
			}
		}
		free(piece);
		free(shown);
		text += n;
		if (*text)
			putchar(*text++);
	}
}

static int show(char *text)
{
	if (!text)
		return EXIT_FAILURE;
	print_escaped(text);
	free(text);
	return EXIT_SUCCESS;
}

int ctl_policy(const struct ctl_verb *verb, int fd, char **arg)
{
	(void)arg;
	return show(ctl_ask_text(fd, verb->name, NULL, NULL));
}

int ctl_metrics(const struct ctl_verb *verb, int fd, char **arg)
{
	(void)arg;
	return show(ctl_ask_text(fd, verb->name, NULL, NULL));
}

int ctl_why(const struct ctl_verb *verb, int fd, char **arg)
{
	char endpoint[1024];
	size_t len = 0;

	for (; *arg && len < sizeof(endpoint); arg++)
		len += (size_t)snprintf(endpoint + len, sizeof(endpoint) - len, "%s%s",
					len ? " " : "", *arg);
	if (len >= sizeof(endpoint)) {
		complain("ctl why: too long: expected an endpoint such as 'tcp 1.2.3.4 443'");
		return EXIT_USAGE;
	}
	return show(ctl_ask_text(fd, verb->name, "endpoint", endpoint));
}

int ctl_save(const struct ctl_verb *verb, int fd, char **arg)
{
	struct policy_error err = { "" };
	char *text = ctl_ask_text(fd, "policy", "rules", "lasting");
	char shown[4 * sizeof(err.text)];
	int ret;

	(void)verb;
	if (!text)
		return EXIT_FAILURE;
	ret = profile_store_save(arg[0], text, strlen(text), &err);
	free(text);
	if (!ret)
		return EXIT_SUCCESS;
	escape_text(err.text, shown, sizeof(shown));
	complain("ctl save: %s", shown);
	return EXIT_FAILURE;
}

/* The ledger of the sandbox; NULL with the user told. */
static struct ledger_reader *open_ledger(int fd)
{
	int ledger;
	json_t *reply = ctl_ask(fd, "ledger", NULL, NULL, -1, &ledger);
	struct ledger_reader *r = NULL;

	if (!reply)
		return NULL;
	json_decref(reply);
	if (ledger >= 0)
		r = ledger_reader_new(ledger);
	if (!r)
		complain("ctl: the sandbox is of another version of sandtop: its ledger cannot be "
			 "read");
	return r;
}

static int by_time(const void *a, const void *b)
{
	const struct flow *f = a;
	const struct flow *g = b;

	return (f->last < g->last) - (f->last > g->last);
}

static void print_flow(const struct flow *f, int width)
{
	struct record r = flow_record(f);
	char target[LINE_TARGET_MAX], rule[4 * FLOW_RULE_MAX], comm[80];

	line_target(&r.endpoint, target);
	escape_text(f->rule_text, rule, sizeof(rule));
	escape_text(f->comm, comm, sizeof(comm));
	printf("%-7s %-3s %-5s %-*s %7" PRIu64 " %7" PRIu64 " %s[%d] (%s)\n",
	       verdict_name((enum verdict)f->verdict), f->dir == DIR_IN ? "in" : "out",
	       proto_name((enum proto)f->proto), width, target, f->allowed, f->denied, comm, f->pid,
	       rule);
}

static json_t *text_or_null(const char *text)
{
	json_t *json = *text ? json_string(text) : NULL;

	return json ? json : json_null();
}

static void print_flow_json(const struct flow *f)
{
	struct record r = flow_record(f);
	bool inet = f->family != 0, named = f->proto == PROTO_UNIX;
	char addr[ADDR_TEXT_MAX] = "";
	json_t *json;

	if (inet)
		addr_text(r.endpoint.addr, addr);
	json = json_pack(
		"{s:i, s:I, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:I, s:I, s:f, s:f, s:I, "
		"s:i, s:o, s:o, s:o}",
		"v", 1, "id", (json_int_t)f->id, "direction", f->dir == DIR_IN ? "in" : "out",
		"proto", proto_name((enum proto)f->proto), "verdict",
		verdict_name((enum verdict)f->verdict), "addr", text_or_null(addr), "port",
		inet && f->proto != PROTO_ICMP ? json_integer(f->port) : json_null(), "host",
		text_or_null(f->host), "path", named ? text_or_null(f->name) : json_null(),
		"allowed", (json_int_t)f->allowed, "denied", (json_int_t)f->denied, "first",
		(double)f->first / 1e9, "last", (double)f->last / 1e9, "generation",
		(json_int_t)f->generation, "pid", f->pid, "comm", text_or_null(f->comm), "rule",
		text_or_null(f->rule_text), "rule_index",
		f->rule ? json_integer(f->rule) : json_null());
	if (json)
		json_dumpf(json, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(json);
}

int ctl_flows(const struct ctl_verb *verb, int fd, char **arg)
{
	struct flow *flows = calloc(FLOW_ROWS, sizeof(*flows));
	struct ledger_reader *r = open_ledger(fd);
	char target[LINE_TARGET_MAX];
	int width = 6;
	unsigned n;

	(void)verb;
	if (!r || !flows) {
		free(flows);
		return EXIT_FAILURE;
	}
	n = ledger_read_flows(r, flows, FLOW_ROWS);
	ledger_reader_free(r);
	qsort(flows, n, sizeof(*flows), by_time);
	for (unsigned i = 0; i < n; i++) {
		struct record record = flow_record(&flows[i]);
		int len = (int)strlen(line_target(&record.endpoint, target));

		if (len > width && len < 48)
			width = len;
	}
	if (!arg[0])
		printf("%-7s %-3s %-5s %-*s %7s %7s %s\n", "VERDICT", "DIR", "PROTO", width,
		       "TARGET", "ALLOWED", "DENIED", "BY");
	for (unsigned i = 0; i < n; i++) {
		if (arg[0])
			print_flow_json(&flows[i]);
		else
			print_flow(&flows[i], width);
	}
	free(flows);
	return EXIT_SUCCESS;
}

static void print_decision(const struct ledger_decision *d)
{
	struct record r = ledger_record(d);
	char text[LINE_TEXT_MAX], time[LINE_TIME_MAX];

	line_format(&r, text, sizeof(text));
	printf("%s sandtop: %s\n", line_time(r.ts, time), text);
}

/* Print what is new. */
static void print_news(struct ledger_reader *r, uint64_t *next)
{
	static struct ledger_decision d[LOG_BATCH];
	uint64_t missed = 0;
	bool first = *next == 0;
	unsigned n;

	do {
		n = ledger_read_decisions(r, next, d, LOG_BATCH, &missed);
		/* What was overwritten before anybody asked is not missed. */
		if (missed && !first)
			complain("%" PRIu64 " decisions came faster than they could be read",
				 missed);
		missed = 0;
		for (unsigned i = 0; i < n; i++)
			print_decision(&d[i]);
	} while (n == LOG_BATCH);
	fflush(stdout);
}

int ctl_log(const struct ctl_verb *verb, int fd, char **arg)
{
	struct ledger_reader *r = open_ledger(fd);
	struct pollfd end = { .fd = fd, .events = POLLIN };
	uint64_t next = 0;

	(void)verb;
	if (!r)
		return EXIT_FAILURE;
	/* Who follows it can answer the questions that it shows. */
	if (arg[0])
		json_decref(ctl_ask(fd, "attend", NULL, NULL, -1, NULL));
	print_news(r, &next);
	/* Nothing is sent on the connection: that it is readable means that it has ended. */
	while (arg[0] && poll(&end, 1, LOG_MS) == 0 && !ferror(stdout))
		print_news(r, &next);
	if (arg[0])
		print_news(r, &next);
	ledger_reader_free(r);
	return EXIT_SUCCESS;
}
