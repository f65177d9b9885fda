/* SPDX-License-Identifier: MIT */
#include "uring/report.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/escape.h"
#include "core/json.h"
#include "core/learn.h"
#include "core/line.h"
#include "core/socket.h"
#include "core/task.h"
#include "uring/summary.h"

enum { LINES_PER_MINUTE = 100 };

static const char prefix[] = "sandtop: ";

void report_init(struct report *r, const struct report_config *config, struct loop *loop,
		 struct ledger *ledger)
{
	r->config = *config;
	r->ledger = ledger;
	r->stats = ledger_stats(ledger);
	r->want_process_all = config->verbose || config->log_fd >= 0 || config->json_fd >= 0;
	sink_init(&r->err, loop, 2, "stderr", NULL);
	sink_init(&r->log, loop, config->log_fd, "--log", config->log_path);
	sink_init(&r->json, loop, config->json_fd, "--json", config->json_path);
}

void report_exit(struct report *r)
{
	sink_exit(&r->log);
	sink_exit(&r->json);
}

static void print(struct sink *s, const char *text)
{
	char line[sizeof(prefix) + LINE_TEXT_MAX];
	int len = snprintf(line, sizeof(line), "%s%s", prefix, text);

	sink_line(s, line, (size_t)len < sizeof(line) ? (size_t)len : sizeof(line) - 1);
}

void report_message(struct report *r, const char *format, ...)
{
	char text[LINE_TEXT_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	print(&r->err, text);
}

static void end_minute(struct report *r)
{
	if (r->suppressed)
		report_message(r, "and %" PRIu64 " more decisions in this minute", r->suppressed);
	r->suppressed = 0;
	r->lines = 0;
}

/* A flood of decisions must not bury the command's own output. */
static void print_limited(struct report *r, const struct record *record, const char *text)
{
	if (r->config.monitored)
		return;
	if (record->ts.tv_sec - r->minute >= 60) {
		end_minute(r);
		r->minute = record->ts.tv_sec;
	}
	if (r->lines == LINES_PER_MINUTE) {
		r->suppressed++;
		return;
	}
	r->lines++;
	print(&r->err, text);
}

/*
 * getaddrinfo connects UDP sockets merely to learn which source address the kernel would choose:
 * refusals of those would only confuse. A ping that is refused says no more than that.
 */
static bool is_address_probe(const struct record *record)
{
	return record->endpoint.proto == PROTO_UDP && record->endpoint.dir == DIR_OUT &&
	       strcmp(record->syscall, "connect") == 0 && record->endpoint.port != PING_PROBE_PORT;
}

static bool wants_line(const struct report *r, const struct record *record, const struct flow *flow)
{
	if (r->config.quiet)
		return false;
	if (r->config.verbose)
		return true;
	return record->decision.verdict == VERDICT_DENY && !flow->printed &&
	       !is_address_probe(record);
}

/* As the ledger has it: no request is to wait for /proc. */
static void recall_process(struct report *r, struct record *record)
{
	uint64_t now = (uint64_t)record->ts.tv_sec * 1000000000 + (uint64_t)record->ts.tv_nsec;
	const struct process *p = process_find(&r->processes, record->tid, now);

	record->pid = p->pid;
	memcpy(record->comm, p->comm, sizeof(record->comm));
	record->exe = p->exe[0] ? p->exe : NULL;
}

static void fill_process(struct record *record, char *exe, size_t size)
{
	pid_t tgid = task_tgid(record->tid);

	record->pid = tgid < 0 ? record->tid : tgid;
	task_comm(record->tid, record->comm);
	if (exe && task_exe(record->tid, exe, size) == 0)
		record->exe = exe;
}

static void write_log(struct report *r, const struct record *record, const char *text)
{
	char line[LINE_TIME_MAX + sizeof(prefix) + LINE_TEXT_MAX];
	char time[LINE_TIME_MAX];
	int len =
		snprintf(line, sizeof(line), "%s %s%s", line_time(record->ts, time), prefix, text);

	sink_line(&r->log, line, (size_t)len < sizeof(line) ? (size_t)len : sizeof(line) - 1);
}

void report_decision(struct report *r, struct record *record)
{
	char exe[PATH_MAX];
	char text[LINE_TEXT_MAX];
	const struct flow *flow;
	bool is_new, line;

	record->seq = ++r->seq;
	/* For the flow table alone the time of the last timer tick will do; it costs a tenth. */
	clock_gettime(r->want_process_all ? CLOCK_REALTIME : CLOCK_REALTIME_COARSE, &record->ts);
	stats_decision(r->stats, record->decision.verdict, record->endpoint.proto);
	if (r->want_process_all)
		fill_process(record, exe, sizeof(exe));
	else
		recall_process(r, record);
	if (r->config.learn)
		learn_note(r->config.learn, record);
	flow = ledger_add(r->ledger, record, &is_new);
	line = wants_line(r, record, flow);
	if (!line && !r->want_process_all)
		return;
	if (!r->want_process_all)
		fill_process(record, NULL, 0);
	line_format(record, text, sizeof(text));
	if (line) {
		flow_set_printed(ledger_flows(r->ledger), flow);
		print_limited(r, record, text);
	}
	if (r->config.log_fd >= 0)
		write_log(r, record, text);
	if (r->config.json_fd >= 0) {
		char json[JSON_LINE_MAX];
		int len = json_decision(record, json, sizeof(json));

		if (len > 0)
			sink_line(&r->json, json, (size_t)len);
	}
}

void report_start(struct report *r, const char *name, pid_t pid, char *const *argv,
		  uint64_t generation)
{
	struct json_start start = {
		.generation = generation,
		.name = name,
		.pid = pid,
		.argv = argv,
	};
	char json[JSON_LINE_MAX];
	int len;

	if (r->config.json_fd < 0)
		return;
	clock_gettime(CLOCK_REALTIME, &start.ts);
	len = json_start(&start, json, sizeof(json));
	if (len > 0)
		sink_line(&r->json, json, (size_t)len);
}

static void tell_lost(struct report *r, const struct sink *s)
{
	if (s->lost)
		report_message(r, "%s: %" PRIu64 " line%s lost", s->what, s->lost,
			       s->lost == 1 ? " was" : "s were");
}

/* Once for each time that a file was open. */
static void tell_failure(struct report *r, struct sink *s, bool *told)
{
	if (s->error && !*told)
		report_message(r, "%s: %s: further lines are lost%s", s->what, strerror(s->error),
			       s->path ? " until it is opened anew (see sandtop ctl reopen)" : "");
	*told = s->error;
}

static void tell_failures(struct report *r)
{
	tell_failure(r, &r->log, &r->log_failed);
	tell_failure(r, &r->json, &r->json_failed);
}

void report_end(struct report *r, uint64_t generation, int status, int signal, const char *by)
{
	struct json_exit end = {
		.seq = r->seq,
		.generation = generation,
		.exit = status,
		.signal = signal,
		.by = by,
		.allowed = r->stats->counter[STAT_ALLOWED],
		.denied = r->stats->counter[STAT_DENIED],
	};
	char json[JSON_LINE_MAX];
	int len;

	end_minute(r);
	if (r->config.json_fd >= 0) {
		clock_gettime(CLOCK_REALTIME, &end.ts);
		len = json_exit(&end, json, sizeof(json));
		if (len > 0)
			sink_line(&r->json, json, (size_t)len);
	}
	tell_failures(r);
	tell_lost(r, &r->log);
	tell_lost(r, &r->json);
	tell_lost(r, &r->err);
	if (!r->config.quiet)
		summary_print(r);
}

void report_flush(struct report *r)
{
	tell_failures(r);
	stats_peak(r->stats, STAT_LINES_LOST, r->err.lost + r->log.lost + r->json.lost);
	sink_flush(&r->err);
	sink_flush(&r->log);
	sink_flush(&r->json);
}

static void reopened(struct report *r, const struct sink *s, int error)
{
	char path[sizeof(r->reopen_error) / 2];

	if (error && !r->reopen_error[0]) {
		escape_text(s->path, path, sizeof(path));
		snprintf(r->reopen_error, sizeof(r->reopen_error), "%s: cannot reopen '%s': %s",
			 s->what, path,
			 error == ENXIO ? "nobody reads this FIFO" : strerror(error));
	}
	if (--r->reopening || !r->reopened)
		return;
	r->reopened(r->reopened_arg, r->reopen_error[0] ? r->reopen_error : NULL);
}

static void log_reopened(struct sink *s, int error)
{
	reopened((struct report *)((char *)s - offsetof(struct report, log)), s, error);
}

static void json_reopened(struct sink *s, int error)
{
	reopened((struct report *)((char *)s - offsetof(struct report, json)), s, error);
}

int report_reopen(struct report *r, report_reopened_fn *fn, void *arg)
{
	int log, json;

	if (r->reopening)
		return -EBUSY;
	log = sink_reopen(&r->log, log_reopened);
	json = sink_reopen(&r->json, json_reopened);
	r->reopening = (log == 0) + (json == 0);
	r->reopen_error[0] = '\0';
	r->reopened = fn;
	r->reopened_arg = arg;
	if (r->reopening)
		return 0;
	return log == -ENOENT ? json : log;
}

bool report_is_idle(const struct report *r)
{
	return sink_is_idle(&r->err) && sink_is_idle(&r->log) && sink_is_idle(&r->json);
}
