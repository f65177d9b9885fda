/* SPDX-License-Identifier: MIT */
#include "uring/summary.h"

#include <inttypes.h>
#include <string.h>

#include "core/line.h"

enum { SUMMARY_FLOWS = 10 };

/* The flows that are worth a line, those with the most refusals first, else the first seen. */
struct top {
	const struct flow *flow[SUMMARY_FLOWS];
	unsigned int n, more;
	uint64_t denied; /* refusals of all of them */
};

static void top_add(struct top *top, const struct flow *flow)
{
	unsigned int i;

	top->denied += flow->denied;
	if (top->n == SUMMARY_FLOWS)
		top->more++;
	else
		top->flow[top->n++] = NULL;
	for (i = top->n; i > 0 && (!top->flow[i - 1] || top->flow[i - 1]->denied < flow->denied);
	     i--)
		if (i < top->n)
			top->flow[i] = top->flow[i - 1];
	if (i < top->n)
		top->flow[i] = flow;
}

static void print_more(struct report *r, const struct top *top)
{
	if (top->more)
		report_message(r, "  and %u more", top->more);
}

/* So that the lines add up to what the first one says. */
static void print_rest(struct report *r, const struct top *top)
{
	const uint64_t denied = r->stats->counter[STAT_DENIED];

	if (denied > top->denied)
		report_message(r,
			       "  %" PRIu64 " x others: UDP that was only connected, or what was "
			       "allowed later",
			       denied - top->denied);
}

static void print_flows(struct report *r)
{
	const struct flow_table *flows = ledger_flows(r->ledger);
	struct top top = { .n = 0 };
	char text[LINE_TEXT_MAX];

	for (unsigned int i = 0; i < flow_count(flows); i++) {
		const struct flow *flow = flow_at(flows, i);

		if (flow->printed && flow->verdict == VERDICT_DENY)
			top_add(&top, flow);
	}
	report_message(r, "%" PRIu64 " decision%s allowed, %" PRIu64 " denied%s",
		       r->stats->counter[STAT_ALLOWED],
		       r->stats->counter[STAT_ALLOWED] == 1 ? "" : "s",
		       r->stats->counter[STAT_DENIED], r->stats->counter[STAT_DENIED] ? ":" : "");
	for (unsigned int i = 0; i < top.n; i++) {
		struct record record = flow_record(top.flow[i]);

		line_format(&record, text, sizeof(text));
		report_message(r, "  %" PRIu64 " x %s", top.flow[i]->denied, text);
	}
	print_more(r, &top);
	print_rest(r, &top);
}

/* One option can be about several flows: a port that is bound over tcp and udp. */
static bool is_among(char said[][OPTION_TEXT_MAX], unsigned int n, const char *option)
{
	for (unsigned int i = 0; i < n; i++)
		if (strcmp(said[i], option) == 0)
			return true;
	return false;
}

static void print_options(struct report *r)
{
	const struct flow_table *flows = ledger_flows(r->ledger);
	struct top top = { .n = 0 };
	char option[OPTION_TEXT_MAX];
	char said[SUMMARY_FLOWS][OPTION_TEXT_MAX];
	unsigned int n = 0;

	for (unsigned int i = 0; i < flow_count(flows); i++) {
		struct record record = flow_record(flow_at(flows, i));

		if (flow_at(flows, i)->printed &&
		    option_to_allow(&r->config.policy, &record, option, sizeof(option)))
			top_add(&top, flow_at(flows, i));
	}
	if (top.n)
		report_message(r, "to allow what was denied:");
	for (unsigned int i = 0; i < top.n; i++) {
		struct record record = flow_record(top.flow[i]);

		option_to_allow(&r->config.policy, &record, said[n], sizeof(said[n]));
		if (!is_among(said, n, said[n]))
			report_message(r, "  %s", said[n++]);
	}
	print_more(r, &top);
}

void summary_print(struct report *r)
{
	if (r->config.monitored && r->seq)
		print_flows(r);
	print_options(r);
}
