/* SPDX-License-Identifier: MIT */
#include "tui/looks.h"

#include "tui/edits.h"
#include "tui/monitor_state.h"

enum {
	LOOK = 1000, /* ms between two requests for what a pane shows, or for the questions */
	JUDGE = 300, /* ms at least between two questions what the policy says to rows */
};

/*
 * What the ledger has not is asked for while it shows alone: it costs the sandbox nothing, but for
 * the connections the machine a look at every task. With --hold the rules are to show when nobody
 * can be asked any more.
 */
static void look(struct monitor *m)
{
	const enum pane_kind pane = m->model->pane;
	uint64_t now = feed_elapsed();

	if (m->over)
		return;
	if (pane != m->looked || now >= m->look) {
		m->looked = pane;
		m->look = now + LOOK * MILLISECOND;
		/* What does not go now goes the next time. */
		if (pane == MODEL_CONNECTIONS)
			link_ask_connections(&m->link);
		else if (pane == MODEL_RULES || m->config.hold)
			edits_look(&m->link, m->model);
	}
}

/* The sandbox has cut it off, as what the command wrote was not taken: this process was stopped. */
static void look_for_output(struct monitor *m)
{
	const uint64_t now = feed_elapsed();
	struct rect r;

	if (!m->output.pane || m->link.terminal >= 0 || m->over || now < m->look_output)
		return;
	r = monitor_output_rect(m);
	link_ask_terminal(&m->link, r.h > 0 ? r.h : 1, r.w > 0 ? r.w : 1);
	m->look_output = now + LOOK * MILLISECOND;
}

/*
 * As soon as their number changes, and now and then while there are some: the sandbox looks into
 * /proc for each of them. What does not go now goes the next time.
 */
static void look_at_questions(struct monitor *m)
{
	const uint64_t held = m->model->head.held, now = feed_elapsed();

	if (m->over || (held == m->held && (now < m->look_held || (!held && !m->model->prompt.n))))
		return;
	if (link_ask_questions(&m->link))
		return;
	m->held = held;
	m->look_held = now + LOOK * MILLISECOND;
}

/*
 * Only of the rows that show, and again when the policy is another or a name may have expired. The
 * supervisor answers between two decisions; in a flood there are other rows at every look.
 */
static void look_at_verdicts(struct monitor *m)
{
	static struct judged_batch batch;
	const uint64_t now = feed_elapsed();

	if (m->model->pane != MODEL_DECISIONS || m->over || now < m->judge ||
	    !judged_wanted(m->model, now, &batch))
		return;
	if (link_judge(&m->link, &batch))
		return;
	m->judged = batch;
	m->judge = now + JUDGE * MILLISECOND;
}

void looks_ask(struct monitor *m)
{
	look_for_output(m);
	look_at_questions(m);
	look(m);
	look_at_verdicts(m);
}
