/* SPDX-License-Identifier: MIT */
/* A policy as the text of a profile. */
#include "policy/profile.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile.h"

void profile_write_text(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		unsigned char c = *text;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			fprintf(out, "\\u%04X", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

/* `key = "text"`, or nothing. */
static void write_key(FILE *out, const char *key, const char *text)
{
	if (!text)
		return;
	fprintf(out, "%s = ", key);
	profile_write_text(out, text);
	fputc('\n', out);
}

static void write_program(FILE *out, const struct profile *rest)
{
	if (!rest->command)
		return;
	fputs("[program]\n", out);
	write_key(out, "exec", rest->command[0]);
	fputs("args = [", out);
	for (char **arg = rest->command + 1; *arg; arg++) {
		if (arg > rest->command + 1)
			fputs(", ", out);
		profile_write_text(out, *arg);
	}
	fputs("]\n\n", out);
}

/* Behind a rule: its number, and how long it stays. */
static void write_remark(FILE *out, const struct draft_rule *rule, size_t number, uint64_t now)
{
	uint64_t left = rule->until > now ? rule->until - now : 0;

	fprintf(out, ", # %zu", number);
	if (rule->until)
		fprintf(out, ", ends in %" PRIu64 " s", (left + 999999999) / 1000000000);
	fputc('\n', out);
}

/* The list of a family. Its key says the action of `allow` and `deny`, a rule its own. */
static void write_rules(FILE *out, const struct draft *d, uint64_t now)
{
	static const char *const names[] = {
		[FAMILY_ALLOW] = "allow",
		[FAMILY_DENY] = "deny",
		[FAMILY_RULES] = "rules",
	};
	const char *name = names[d->family];

	if (!d->rules.n)
		return;
	fprintf(out, "%s = [\n", name);
	for (size_t i = 0; i < d->rules.n; i++) {
		const char *text = d->rules.v[i].text;

		fputc('\t', out);
		profile_write_text(out, d->family == FAMILY_RULES ? text : text + strlen(name) + 1);
		write_remark(out, &d->rules.v[i], i + 1, now);
	}
	fputs("]\n", out);
}

static void write_end(FILE *out, const struct draft *d, bool implies_dns)
{
	if (implies_dns)
		fputs("# implied-dns: allow tcp and udp port 53 of this machine's name servers\n",
		      out);
	if (!d->preset_name) {
		write_key(out, "default", verdict_name(draft_fallback(d)));
		return;
	}
	write_key(out, "preset", d->preset_name);
	for (size_t i = 0; i < d->preset.n; i++)
		fprintf(out, "# %zu: %s\n", d->rules.n + i + 1, d->preset.v[i].text);
}

static void write_binds(FILE *out, const struct draft *d)
{
	if (d->bind == BIND_NONE)
		return;
	fprintf(out, "%s = [", d->bind == BIND_ALLOW ? "allow_bind" : "deny_bind");
	for (size_t i = 0; i < d->binds.n; i++) {
		if (i)
			fputs(", ", out);
		profile_write_text(out, d->binds.v[i].text);
	}
	fputs("]\n", out);
}

/* A list of texts, or nothing. */
static void write_list(FILE *out, const char *key, char *const *texts, size_t n)
{
	if (!n)
		return;
	fprintf(out, "%s = [", key);
	for (size_t i = 0; i < n; i++) {
		if (i)
			fputs(", ", out);
		profile_write_text(out, texts[i]);
	}
	fputs("]\n", out);
}

static void write_upstream(FILE *out, const struct dns_draft *dns)
{
	char addr[ADDR_TEXT_MAX];

	for (size_t i = 0; i < dns->n_upstream; i++)
		fprintf(out, dns->upstream[i].addr.family == 6 ? "%s\"[%s]:%u\"" : "%s\"%s:%u\"",
			i ? ", " : "upstream = [", addr_text(dns->upstream[i].addr, addr),
			dns->upstream[i].port);
	if (dns->n_upstream)
		fputs("]\n", out);
}

/* What was chosen, as far as it is not what holds anyway. */
static void write_dns(FILE *out, const struct dns_draft *dns, const struct profile *rest)
{
	static const char *const resolve[] = { NULL, "all", "none" };
	static const char *const denied[] = { NULL, "nxdomain", "refused" };
	const struct dns_settings *s = &dns->settings;

	if (!dns->n_blocked && !dns->n_suffixes && !rest->n_block_files && !dns->n_upstream &&
	    !s->resolve && !s->denied && !s->rebinding && !s->encrypted)
		return;
	fputs("\n[dns]\n", out);
	write_list(out, "block", dns->blocked, dns->n_blocked);
	write_list(out, "block_suffix", dns->suffixes, dns->n_suffixes);
	write_list(out, "block_file", rest->block_files, rest->n_block_files);
	write_key(out, "resolve", resolve[s->resolve]);
	write_key(out, "denied", denied[s->denied]);
	if (s->rebinding)
		fputs("rebind_protection = false\n", out);
	write_key(out, "encrypted", s->encrypted ? "allow" : NULL);
	write_upstream(out, dns);
}

char *profile_write(const struct draft *d, const struct profile *rest)
{
	char *text = NULL;
	bool failed;
	size_t size;
	int implies_dns = draft_implies_dns(d);
	FILE *out;

	if (implies_dns < 0)
		return NULL;
	out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	write_program(out, rest);
	if (d->panic)
		fputs("# panic: everything is denied until that is undone\n", out);
	fputs("[network]\n", out);
	write_rules(out, d, rest->now);
	write_end(out, d, implies_dns);
	write_binds(out, d);
	if (rest->max_connections)
		fprintf(out, "max_connections = %u\n", rest->max_connections);
	write_dns(out, &d->dns, rest);
	if (rest->log_json || rest->log_text)
		fputs("\n[log]\n", out);
	write_key(out, "json", rest->log_json);
	write_key(out, "text", rest->log_text);
	failed = ferror(out);
	if (!fclose(out) && !failed)
		return text;
	free(text);
	return NULL;
}
