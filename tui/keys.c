/* SPDX-License-Identifier: MIT */
#include "tui/keys.h"

#include <assert.h>
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum {
	IN_SORTED = KEYS_IN_LIST | KEYS_IN_CONNECTIONS,
	IN_LIST = IN_SORTED | KEYS_IN_RULES,
	IN_POLICY = KEYS_IN_LIST | KEYS_IN_RULES,
	IN_FLOW = KEYS_IN_LIST | KEYS_IN_DETAIL,
	IN_LINES = IN_LIST | KEYS_IN_LOG,
	IN_ROWS = IN_LINES | KEYS_IN_DETAIL,
	IN_SCROLL = IN_ROWS | KEYS_IN_HELP,
	IN_ALL = IN_SCROLL | KEYS_IN_QUIT | KEYS_IN_PANIC,
};

/* In the order in which help and function bar show them. */
static const struct keys_row table[] = {
	[COMMAND_NONE] = { .places = 0 },
	[COMMAND_HELP] = { .keys = { KEYS_F(1), '?', 'h' },
			   .places = IN_ROWS,
			   .bar_places = IN_ROWS,
			   .bar = "Help",
			   .help = "this help" },
	[COMMAND_RULES] = { .keys = { KEYS_F(2) },
			    .places = IN_SCROLL,
			    .bar_places = IN_SORTED,
			    .bar = "Rules",
			    .help = "the rules of the live policy" },
	[COMMAND_SEARCH] = { .keys = { KEYS_F(3), '/' },
			     .places = IN_LINES,
			     .bar_places = IN_LINES,
			     .bar = "Search",
			     .help = "go to a row that contains a text" },
	[COMMAND_FILTER] = { .keys = { KEYS_F(4), '\\' },
			     .places = IN_LINES,
			     .bar_places = IN_LINES,
			     .bar = "Filter",
			     .help = "show only rows that contain a text" },
	[COMMAND_OUTPUT] = { .keys = { KEYS_F(5), KEYS_CTRL(']') },
			     .places = IN_SCROLL,
			     .bar_places = IN_SORTED | KEYS_IN_LOG,
			     .bar = "Output",
			     .help = "the command's own terminal" },
	[COMMAND_LEAVE_OUTPUT] = { .keys = { KEYS_CTRL(']') },
				   .places = KEYS_IN_OUTPUT | KEYS_IN_ENDED,
				   .help = "back from the command's terminal; twice sends one to "
					   "it" },
	[COMMAND_SORT] = { .keys = { KEYS_F(6), 's' },
			   .places = IN_SORTED,
			   .bar_places = KEYS_IN_CONNECTIONS,
			   .bar = "Sort",
			   .help = "sort by the next column" },
	[COMMAND_PAUSE] = { .keys = { 'Z' },
			    .places = KEYS_IN_LOG,
			    .bar_places = KEYS_IN_LOG,
			    .bar = "Pause",
			    .help = "Log: stand still, or go on" },
	[COMMAND_FIND_NEXT] = { .keys = { 'n' },
				.places = IN_LINES,
				.help = "the next row that contains it; in Log an older one" },
	[COMMAND_FIND_PREVIOUS] = { .keys = { 'N' }, .places = IN_LINES, .help = "the one before" },
	[COMMAND_NEXT_PANE] = { .keys = { '\t' },
				.places = IN_SCROLL | KEYS_IN_ENDED,
				.help = "the next pane" },
	[COMMAND_PREVIOUS_PANE] = { .keys = { KEYS_BACKTAB },
				    .places = IN_SCROLL | KEYS_IN_ENDED,
				    .help = "the pane before" },
	[COMMAND_UP] = { .keys = { KEYS_UP }, .places = IN_SCROLL, .help = "the row above" },
	[COMMAND_DOWN] = { .keys = { KEYS_DOWN }, .places = IN_SCROLL, .help = "the row below" },
	[COMMAND_PAGE_UP] = { .keys = { KEYS_PAGE_UP }, .places = IN_SCROLL, .help = "a page up" },
	[COMMAND_PAGE_DOWN] = { .keys = { KEYS_PAGE_DOWN, ' ' },
				.places = IN_SCROLL,
				.help = "a page down" },
	[COMMAND_FIRST] = { .keys = { KEYS_HOME, 'g' },
			    .places = IN_SCROLL,
			    .help = "the first row" },
	[COMMAND_LAST] = { .keys = { KEYS_END, 'G' }, .places = IN_SCROLL, .help = "the last row" },
	[COMMAND_DETAIL] = { .keys = { '\r', KEYS_KEYPAD_ENTER },
			     .places = IN_POLICY,
			     .help = "Decisions, Rules: all about the selected one" },
	[COMMAND_ALLOW] = { .keys = { 'a' },
			    .places = IN_FLOW,
			    .bar_places = IN_FLOW,
			    .bar = "Allow",
			    .help = "Decisions: allow what the selected one wants, from now on",
			    .changes = true },
	[COMMAND_DENY] = { .keys = { 'd' },
			   .places = IN_FLOW,
			   .bar_places = IN_FLOW,
			   .bar = "Deny",
			   .help = "Decisions: deny what the selected one wants, from now on",
			   .changes = true },
	[COMMAND_ALLOW_SCOPE] = { .keys = { 'A' },
				  .places = IN_FLOW,
				  .help = "Decisions: allow it, or more: asks how much",
				  .changes = true },
	[COMMAND_DENY_SCOPE] = { .keys = { 'D' },
				 .places = IN_FLOW,
				 .help = "Decisions: deny it, or more: asks how much",
				 .changes = true },
	[COMMAND_EDIT] = { .keys = { 'e' },
			   .places = KEYS_IN_RULES,
			   .bar_places = KEYS_IN_RULES,
			   .bar = "Edit",
			   .help = "Rules: edit the selected one",
			   .changes = true },
	[COMMAND_INSERT] = { .keys = { 'i', KEYS_INSERT },
			     .places = KEYS_IN_RULES,
			     .bar_places = KEYS_IN_RULES,
			     .bar = "Insert",
			     .help = "Rules: insert one above the selected one",
			     .changes = true },
	[COMMAND_REMOVE] = { .keys = { 'x', KEYS_DELETE },
			     .places = KEYS_IN_RULES,
			     .bar_places = KEYS_IN_RULES,
			     .bar = "Delete",
			     .help = "Rules: delete the selected one",
			     .changes = true },
	[COMMAND_TOGGLE] = { .keys = { 't' },
			     .places = KEYS_IN_RULES,
			     .bar_places = KEYS_IN_RULES,
			     .bar = "On/off",
			     .help = "Rules: switch the selected one off, or on again",
			     .changes = true },
	[COMMAND_RAISE] = { .keys = { '<' },
			    .places = KEYS_IN_RULES,
			    .bar_places = KEYS_IN_RULES,
			    .bar = "Up",
			    .help = "Rules: move the selected one up",
			    .changes = true },
	[COMMAND_LOWER] = { .keys = { '>' },
			    .places = KEYS_IN_RULES,
			    .bar_places = KEYS_IN_RULES,
			    .bar = "Down",
			    .help = "Rules: move the selected one down",
			    .changes = true },
	[COMMAND_UNDO] = { .keys = { 'u' },
			   .places = IN_ROWS,
			   .bar_places = IN_FLOW | KEYS_IN_RULES,
			   .bar = "Undo",
			   .help = "take the last change of the policy back",
			   .changes = true },
	[COMMAND_RELOAD] = { .keys = { 'r' },
			     .places = IN_LINES,
			     .bar_places = KEYS_IN_RULES,
			     .bar = "Reload",
			     .help = "read the profile again; what would change shows first",
			     .changes = true },
	[COMMAND_SAVE] = { .keys = { 'w' },
			   .places = IN_LINES,
			   .bar_places = KEYS_IN_RULES,
			   .bar = "Save",
			   .help = "write the live policy to a profile",
			   .changes = true },
	[COMMAND_DISCONNECT] = { .keys = { 'k' },
				 .places = KEYS_IN_CONNECTIONS,
				 .bar_places = KEYS_IN_CONNECTIONS,
				 .bar = "Shut",
				 .help = "Connections: shut the selected one",
				 .changes = true },
	[COMMAND_SHUT] = { .keys = { 'K' },
			   .places = KEYS_IN_CONNECTIONS,
			   .bar_places = KEYS_IN_CONNECTIONS,
			   .bar = "Shut flow",
			   .help = "Connections: shut all to the same address and port",
			   .changes = true },
	[COMMAND_MOUSE] = { .keys = { 'M' },
			    .places = IN_SCROLL,
			    .help = "the mouse: for the terminal to select text, or for clicks" },
	[COMMAND_BACK] = { .keys = { KEYS_ESCAPE },
			   .places = IN_ALL,
			   .bar_places = IN_ALL & ~IN_LINES,
			   .bar = "Back",
			   .help = "leave this" },
	[COMMAND_QUIT] = { .keys = { 'q', KEYS_F(10), KEYS_CTRL('c') },
			   .places = IN_SCROLL | KEYS_IN_ENDED,
			   .bar_places = IN_SCROLL,
			   .bar = "Quit",
			   .help = "leave the monitor; it asks how" },
	[COMMAND_REDRAW] = { .keys = { KEYS_CTRL('l') },
			     .places = IN_ALL,
			     .help = "draw the screen again" },
	[COMMAND_STOP] = { .keys = { KEYS_CTRL('z') },
			   .places = IN_ALL | KEYS_IN_ENDED,
			   .help = "stop the monitor, not the command; fg in the shell goes on" },
	[COMMAND_DETACH] = { .keys = { 'd' },
			     .places = KEYS_IN_QUIT,
			     .bar_places = KEYS_IN_QUIT,
			     .bar = "Detach" },
	[COMMAND_KILL] = { .keys = { 'k' },
			   .places = KEYS_IN_QUIT,
			   .bar_places = KEYS_IN_QUIT,
			   .bar = "Kill" },
	[COMMAND_ANSWER_ALLOW] = { .keys = { 'a' },
				   .places = KEYS_IN_PROMPT,
				   .bar_places = KEYS_IN_PROMPT,
				   .bar = "Allow",
				   .help = "a question: allow it" },
	[COMMAND_ANSWER_DENY] = { .keys = { 'd' },
				  .places = KEYS_IN_PROMPT,
				  .bar_places = KEYS_IN_PROMPT,
				  .bar = "Deny",
				  .help = "a question: deny it" },
	[COMMAND_SCOPE_HOST] = { .keys = { '1' },
				 .places = KEYS_IN_PROMPT,
				 .bar_places = KEYS_IN_PROMPT,
				 .bar = "host",
				 .help = "a question: the answer is for its host" },
	[COMMAND_SCOPE_ENDPOINT] = { .keys = { '2' },
				     .places = KEYS_IN_PROMPT,
				     .bar_places = KEYS_IN_PROMPT,
				     .bar = "ip:port",
				     .help = "a question: for its address and port" },
	[COMMAND_SCOPE_NETWORK] = { .keys = { '3' },
				    .places = KEYS_IN_PROMPT,
				    .bar_places = KEYS_IN_PROMPT,
				    .bar = "network",
				    .help = "a question: for its network, /24 or /64" },
	[COMMAND_SCOPE_PORT] = { .keys = { '4' },
				 .places = KEYS_IN_PROMPT,
				 .bar_places = KEYS_IN_PROMPT,
				 .bar = "port",
				 .help = "a question: for its port at every address" },
	[COMMAND_SCOPE_ANY] = { .keys = { '5' },
				.places = KEYS_IN_PROMPT,
				.bar_places = KEYS_IN_PROMPT,
				.bar = "any",
				.help = "a question: for everything" },
	[COMMAND_ONCE] = { .keys = { 'o' },
			   .places = KEYS_IN_PROMPT,
			   .bar_places = KEYS_IN_PROMPT,
			   .bar = "once",
			   .help = "a question: the answer holds this once" },
	[COMMAND_SESSION] = { .keys = { 's' },
			      .places = KEYS_IN_PROMPT,
			      .bar_places = KEYS_IN_PROMPT,
			      .bar = "session",
			      .help = "a question: as long as the command runs" },
	[COMMAND_PROFILE] = { .keys = { 'p' },
			      .places = KEYS_IN_PROMPT,
			      .bar_places = KEYS_IN_PROMPT,
			      .bar = "profile",
			      .help = "a question: from now on, by the profile" },
	[COMMAND_TEN_MINUTES] = { .keys = { 't' },
				  .places = KEYS_IN_PROMPT,
				  .bar_places = KEYS_IN_PROMPT,
				  .bar = "ten minutes",
				  .help = "a question: for ten minutes" },
	[COMMAND_ANSWER] = { .keys = { '\r', KEYS_KEYPAD_ENTER },
			     .places = KEYS_IN_PROMPT,
			     .bar_places = KEYS_IN_PROMPT,
			     .bar = "Send",
			     .help = "a question: send the answer" },
	[COMMAND_NEXT_QUESTION] = { .keys = { 'n' },
				    .places = KEYS_IN_PROMPT,
				    .bar_places = KEYS_IN_PROMPT,
				    .bar = "Next",
				    .help = "a question: show the next one" },
	[COMMAND_PAUSE_ALL] = { .keys = { 'P' },
				.places = IN_SCROLL,
				.help = "hold every new call of the command; again: go on",
				.changes = true },
	[COMMAND_PANIC] = { .keys = { 'X' },
			    .places = IN_SCROLL,
			    .help = "deny everything and shut what is open; it asks first",
			    .changes = true },
	[COMMAND_PANIC_NOW] = { .keys = { 'y' },
				.places = KEYS_IN_PANIC,
				.bar_places = KEYS_IN_PANIC,
				.bar = "Deny all" },
};

static_assert(COUNT(table) == COMMAND_COUNT, "every command has its keys");

static const char *const names[] = {
	[KEYS_UP - KEYS_UP] = "Up",
	[KEYS_DOWN - KEYS_UP] = "Down",
	[KEYS_LEFT - KEYS_UP] = "Left",
	[KEYS_RIGHT - KEYS_UP] = "Right",
	[KEYS_INSERT - KEYS_UP] = "Ins",
	[KEYS_DELETE - KEYS_UP] = "Del",
	[KEYS_HOME - KEYS_UP] = "Home",
	[KEYS_END - KEYS_UP] = "End",
	[KEYS_PAGE_UP - KEYS_UP] = "PgUp",
	[KEYS_PAGE_DOWN - KEYS_UP] = "PgDn",
	[KEYS_KEYPAD_ENTER - KEYS_UP] = "Enter",
	[KEYS_BACKTAB - KEYS_UP] = "Shift-Tab",
};

static_assert(COUNT(names) == KEYS_F0 - KEYS_UP, "every key below F1 has a name");

const struct keys_row *keys_row(enum command command)
{
	return &table[command];
}

static enum command find(const struct key *k, unsigned int places)
{
	if (k->mods || k->code == 0 || k->code >= KEYS_PASTE_START)
		return COMMAND_NONE;
	for (enum command c = 0; c < COMMAND_COUNT; c++) {
		if (!(table[c].places & places))
			continue;
		for (size_t i = 0; i < KEYS_PER_COMMAND; i++)
			if (table[c].keys[i] == k->code)
				return c;
	}
	return COMMAND_NONE;
}

enum command keys_command(const struct key *k, enum keys_place place)
{
	return find(k, place);
}

const char *keys_help(const struct key *k)
{
	return table[find(k, IN_LINES)].help;
}

const char *keys_name(uint16_t code, char buf[static KEYS_NAME_MAX])
{
	if (code > KEYS_F0 && code <= KEYS_F12)
		snprintf(buf, KEYS_NAME_MAX, "F%d", code - KEYS_F0);
	else if (code >= KEYS_UP && code < KEYS_F0)
		snprintf(buf, KEYS_NAME_MAX, "%s", names[code - KEYS_UP]);
	else if (code == '\r' || code == '\t')
		snprintf(buf, KEYS_NAME_MAX, "%s", code == '\r' ? "Enter" : "Tab");
	else if (code == KEYS_ESCAPE || code == ' ')
		snprintf(buf, KEYS_NAME_MAX, "%s", code == ' ' ? "Space" : "Esc");
	else if (code < ' ')
		snprintf(buf, KEYS_NAME_MAX, "Ctrl-%c", code | 0x40);
	else if (code < 0x7f)
		snprintf(buf, KEYS_NAME_MAX, "%c", code);
	else
		buf[0] = '\0';
	return buf;
}
