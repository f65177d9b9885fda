/* SPDX-License-Identifier: MIT */
#include "tools/learn_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/escape.h"
#include "core/profile_store.h"
#include "core/read_file.h"
#include "core/replace_file.h"
#include "core/resolve.h"
#include "policy/dns.h"
#include "tools/cmd.h"

static const char head[] =
	"# Learned by sandtop --learn: what the command used, and nothing else.\n";

/* Tell that the file cannot be written. */
static void cannot_write(const char *path, int error)
{
	char file[1024];

	escape_text(path, file, sizeof(file));
	complain("--learn: cannot write '%s': %s", file, strerror(error));
}

/* What the profile is made of, as a policy of its own. Returns 0 or an exit status. */
static int compile(struct learn_file *l, const struct profile_file *f, bool sinkhole)
{
	struct policy_error err = { "" };
	struct draft *d = draft_new();
	char text[4 * sizeof(err.text)];
	int ret = d ? profile_add(&f->profile, d, &err) : -ENOMEM;

	if (!ret && sinkhole)
		draft_set_sinkhole(d);
	if (!ret)
		ret = resolve_policy(d, NULL, &l->have, &err);
	draft_free(d);
	if (!ret)
		return 0;
	escape_text(err.text, text, sizeof(text));
	complain("--learn: %s", *text ? text : strerror(-ret));
	return EXIT_HOST;
}

int learn_file_open(struct learn_file *out, const char *path, const struct profile_file *f,
		    bool sinkhole)
{
	struct learn_file l = {
		.path = path,
		.text = f->text ? f->text : head,
		.size = f->text ? f->size : strlen(head),
		.is_new = !f->text,
	};
	struct policy_error err = { "" };
	int ret = learned_check(l.text, l.size, &err);
	int status;

	if (ret == -EINVAL) {
		profile_file_complain(path, &err);
		return EXIT_USAGE;
	}
	if (!ret)
		ret = replace_file_find(path, &l.target);
	if (ret) {
		cannot_write(path, -ret);
		return EXIT_HOST;
	}
	status = compile(&l, f, sinkhole);
	l.learn = status ? NULL : learn_new();
	if (!status && !l.learn) {
		complain("--learn: out of memory");
		status = EXIT_HOST;
	}
	if (status)
		learn_file_close(&l);
	else
		*out = l;
	return status;
}

/* Whether the file is what it was at the start. */
static bool is_unchanged(const struct learn_file *l)
{
	char *text;
	size_t size;
	int ret = read_file(l->target, PROFILE_SIZE_MAX, &text, &size);
	bool same;

	if (ret)
		return l->is_new && ret == -ENOENT;
	same = !l->is_new && size == l->size && !memcmp(text, l->text, size);
	free(text);
	return same;
}

/* Returns 0 or -errno, with the user told of that. */
static int store(const struct learn_file *l, const char *text)
{
	char *beside = NULL;
	char file[1024], other[1024];
	const char *path = l->target;
	int ret;

	if (!is_unchanged(l)) {
		if (asprintf(&beside, "%s.learned", path) < 0)
			return -ENOMEM;
		escape_text(l->path, file, sizeof(file));
		escape_text(beside, other, sizeof(other));
		complain("--learn: '%s' has changed while the command ran: it stays, and what was "
			 "learned is written to '%s'",
			 file, other);
		path = beside;
	}
	/* Whoever the command runs as, a link of its making is not followed. */
	ret = replace_file_at(path, text, strlen(text));
	if (ret)
		cannot_write(path, -ret);
	free(beside);
	return ret;
}

static void tell(const struct learn_file *l, const struct learned_result *result)
{
	char file[1024];

	escape_text(l->path, file, sizeof(file));
	complain("--learn: '%s': %zu rule%s added, and %zu line%s of comment to judge", file,
		 result->n_rules, result->n_rules == 1 ? "" : "s", result->n_remarks,
		 result->n_remarks == 1 ? "" : "s");
}

int learn_file_write(const struct learn_file *l, int status, bool quiet)
{
	struct learned_result result = { 0 };
	struct policy_error err = { "" };
	size_t n;
	const struct learned *flows = learn_flows(l->learn, &n);
	int ret = learned_profile(l->text, l->size, l->have, flows, n, &result, &err);

	if (ret == -EINVAL)
		profile_file_complain(l->path, &err);
	else if (ret)
		cannot_write(l->path, -ret);
	else if (l->is_new || result.n_rules || result.n_remarks)
		ret = store(l, result.text);
	if (!ret && !quiet)
		tell(l, &result);
	free(result.text);
	return ret && !status ? EXIT_HOST : status;
}

void learn_file_close(struct learn_file *l)
{
	free(l->target);
	policy_free(l->have);
	learn_free(l->learn);
}
