/* SPDX-License-Identifier: MIT */
#include "tui/judged.h"

#include <stdio.h>

#include "policy/addr.h"
#include "tui/model.h"

#define SECOND UINT64_C(1000000000)

/* Ids are given one after the other: rows that are in the table are rarely at the same place. */
static struct judged_answer *place_of(const struct model *m, uint64_t flow)
{
	return &m->judged[flow % FLOW_ROWS];
}

/* "in tcp 1.2.3.4 443", or "" for what cannot be asked about. */
static void endpoint_text(const struct flow *f, char buf[static JUDGED_TEXT_MAX])
{
	const struct endpoint e = flow_record(f).endpoint;
	char addr[ADDR_TEXT_MAX];

	buf[0] = '\0';
	if (f->name_len && e.name)
		snprintf(buf, JUDGED_TEXT_MAX, "%s %s", proto_name(e.proto), e.name);
	else if (!f->name_len && f->family)
		snprintf(buf, JUDGED_TEXT_MAX, "%s%s %s %u", e.dir == DIR_IN ? "in " : "",
			 proto_name(e.proto), addr_text(e.addr, addr), e.port);
}

bool judged_wanted(const struct model *m, uint64_t elapsed, struct judged_batch *out)
{
	out->n = 0;
	for (unsigned int i = m->top; i < m->shown && i < m->top + m->page; i++) {
		const struct flow *f = &m->flows[m->order[i]];
		const struct judged_answer *a = place_of(m, f->id);

		if (out->n == CONTROL_JUDGE_MAX)
			break;
		if (a->flow == f->id && a->generation == m->head.generation &&
		    elapsed - a->elapsed < SECOND)
			continue;
		endpoint_text(f, out->endpoint[out->n]);
		out->flow[out->n++] = f->id;
	}
	return out->n > 0;
}

void judged_take(struct model *m, uint64_t elapsed, const struct judged_batch *batch,
		 const struct judged_reply *reply)
{
	for (unsigned int i = 0; i < batch->n && i < reply->n; i++) {
		struct judged_answer *a = place_of(m, batch->flow[i]);
		const struct judged_answer was = *a;

		*a = (struct judged_answer){ .flow = batch->flow[i],
					     .generation = reply->generation,
					     .elapsed = elapsed,
					     .known = reply->verdict[i] >= 0 };
		a->verdict = a->known ? (uint8_t)reply->verdict[i] : 0;
		m->dirty |= was.flow != a->flow || was.known != a->known ||
			    was.verdict != a->verdict || was.generation != a->generation;
	}
}

const struct judged_answer *judged_of(const struct model *m, const struct flow *f)
{
	const struct judged_answer *a = place_of(m, f->id);

	/* The head may be a moment older than the answer. */
	return a->flow == f->id && a->known && a->generation >= m->head.generation ? a : NULL;
}
