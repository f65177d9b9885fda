/* SPDX-License-Identifier: MIT */
/*
 * What can be pressed and what it does: one table, from which the help and the
 * function bar are made too.
 */
#ifndef SANDTOP_TUI_KEYS_H
#define SANDTOP_TUI_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KEYS_RAW_MAX = 64 };

/* A byte of text, or one of these. */
enum keys_code {
	KEYS_ESCAPE = 0x1b,
	KEYS_UP = 0x100,
	KEYS_DOWN,
	KEYS_LEFT,
	KEYS_RIGHT,
	KEYS_INSERT,
	KEYS_DELETE,
	KEYS_HOME,
	KEYS_END,
	KEYS_PAGE_UP,
	KEYS_PAGE_DOWN,
	KEYS_KEYPAD_ENTER,
	KEYS_BACKTAB,
	KEYS_F0, /* F1 to F12 follow */
	KEYS_F12 = KEYS_F0 + 12,
	KEYS_PASTE_START, /* what comes up to the end was not typed */
	KEYS_PASTE_END,
	KEYS_MOUSE,
	KEYS_RAW, /* a sequence of the terminal's that has no meaning here */
};

#define KEYS_F(n)    (KEYS_F0 + (n))
#define KEYS_CTRL(c) ((c)&0x1f)

enum keys_mod { KEYS_SHIFT = 1, KEYS_ALT = 2, KEYS_CONTROL = 4 };

struct key {
	uint16_t code;
	uint8_t mods;
	/* KEYS_MOUSE: buttons from 1, 4 and 5 are the wheel; 0: a movement. */
	uint8_t button;
	bool pressed;
	int x, y; /* from 0 */
	/* KEYS_RAW: the bytes of it. */
	uint8_t raw_len;
	char raw[KEYS_RAW_MAX];
};

enum command {
	COMMAND_NONE,
	COMMAND_HELP,
	COMMAND_RULES,
	COMMAND_SEARCH,
	COMMAND_FILTER,
	COMMAND_OUTPUT,
	COMMAND_LEAVE_OUTPUT,
	COMMAND_SORT,
	COMMAND_PAUSE,
	COMMAND_FIND_NEXT,
	COMMAND_FIND_PREVIOUS,
	COMMAND_NEXT_PANE,
	COMMAND_PREVIOUS_PANE,
	COMMAND_UP,
	COMMAND_DOWN,
	COMMAND_PAGE_UP,
	COMMAND_PAGE_DOWN,
	COMMAND_FIRST,
	COMMAND_LAST,
	COMMAND_DETAIL,
	COMMAND_ALLOW,
	COMMAND_DENY,
	COMMAND_ALLOW_SCOPE,
	COMMAND_DENY_SCOPE,
	COMMAND_EDIT,
	COMMAND_INSERT,
	COMMAND_REMOVE,
	COMMAND_TOGGLE,
	COMMAND_RAISE,
	COMMAND_LOWER,
	COMMAND_UNDO,
	COMMAND_RELOAD,
	COMMAND_SAVE,
	COMMAND_DISCONNECT,
	COMMAND_SHUT,
	COMMAND_MOUSE,
	COMMAND_BACK,
	COMMAND_QUIT,
	COMMAND_REDRAW,
	COMMAND_STOP,
	COMMAND_DETACH,
	COMMAND_KILL,
	COMMAND_ANSWER_ALLOW,
	COMMAND_ANSWER_DENY,
	COMMAND_SCOPE_HOST, /* the scopes, as enum prompt_scope has them */
	COMMAND_SCOPE_ENDPOINT,
	COMMAND_SCOPE_NETWORK,
	COMMAND_SCOPE_PORT,
	COMMAND_SCOPE_ANY,
	COMMAND_ONCE, /* the lifetimes, as enum prompt_lifetime has them */
	COMMAND_SESSION,
	COMMAND_PROFILE,
	COMMAND_TEN_MINUTES,
	COMMAND_ANSWER,
	COMMAND_NEXT_QUESTION,
	COMMAND_PAUSE_ALL,
	COMMAND_PANIC,
	COMMAND_PANIC_NOW,
	COMMAND_COUNT,
};

/* Where a key counts. */
enum keys_place {
	KEYS_IN_LIST = 1 << 0,   /* Decisions */
	KEYS_IN_DETAIL = 1 << 1, /* one row in full */
	KEYS_IN_HELP = 1 << 2,
	KEYS_IN_QUIT = 1 << 3,   /* the question how to leave */
	KEYS_IN_OUTPUT = 1 << 4, /* the command's terminal */
	KEYS_IN_CONNECTIONS = 1 << 5,
	KEYS_IN_PROMPT = 1 << 6, /* a question of the command's, below whatever shows */
	KEYS_IN_ENDED = 1 << 7,  /* how to leave, when the command has ended */
	KEYS_IN_LOG = 1 << 8,
	KEYS_IN_PANIC = 1 << 9, /* whether that is meant */
	KEYS_IN_RULES = 1 << 10,
	KEYS_PLACES = 11,
};

enum { KEYS_PER_COMMAND = 3 };

struct keys_row {
	uint16_t keys[KEYS_PER_COMMAND]; /* codes, 0 behind the last */
	uint16_t places;                 /* where it counts, */
	uint16_t bar_places;             /* and where the function bar shows it */
	bool changes;                    /* it is for a command that still runs alone */
	const char *bar;                 /* for the function bar, or NULL */
	const char *help;                /* what it does, for the help, or NULL */
};

/* The row of a command; COMMAND_NONE has an empty one. */
const struct keys_row *keys_row(enum command command);

/* What the key does there. A key with a modifier, the mouse, or what was pasted does nothing. */
enum command keys_command(const struct key *k, enum keys_place place);

/* What such a key does in the panes where it counts, by the help; NULL: in none. */
const char *keys_help(const struct key *k);

enum { KEYS_NAME_MAX = 16 };

/* "F1", "Enter", "Ctrl-]", "a"; returns `buf`. */
const char *keys_name(uint16_t code, char buf[static KEYS_NAME_MAX]);

/*
 * Puts together what the terminal sends beyond plain text: an escape sequence is one key,
 * so that no byte of it can be taken for a typed letter.
 */
struct keys_decoder {
	uint8_t state;
	bool too_long; /* for any that could matter: it is dropped */
	struct key key;
};

/* Take one byte. Returns whether that completed a key, which is then in *out. */
bool keys_decode(struct keys_decoder *d, uint8_t byte, struct key *out);

/* Whether more bytes are needed. */
bool keys_is_pending(const struct keys_decoder *d);

/* No more bytes come. Returns whether there were some, which are then a key in *out. */
bool keys_flush(struct keys_decoder *d, struct key *out);

#endif
