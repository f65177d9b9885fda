/* SPDX-License-Identifier: MIT */
/*
 * filters: write the BPF programs of core/filter.c as C to stdout, from the
 * tables in core/plan.c and core/own_calls.c. It runs when sandtop is built.
 *
 * Theory of operation
 *
 * A test that is true for a set of values becomes one comparison for each value.
 * The complement of a set becomes the aligned blocks of numbers that hold none
 * of its members, one masked comparison each. A row is the product of its tests.
 * This is what libseccomp can express: it has neither "not equal" under a mask
 * nor two comparisons of one argument in a rule. It refuses (-EEXIST) most
 * contradictions between rows.
 */
#include <err.h>
#include <errno.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/own_calls.h"
#include "core/plan.h"

enum {
	CHOICES_MAX = 32 * PLAN_VALUES_MAX,
	/*
	 * libseccomp's word for a kernel with user notifications: it is not asked what the kernel
	 * that it is built on has.
	 */
	API_LEVEL = 5,
};

/* The comparisons of one argument of which any may hold. */
struct plan_choices {
	unsigned int count;
	struct scmp_arg_cmp cmp[CHOICES_MAX];
};

static void choices_push(struct plan_choices *c, unsigned int arg, enum scmp_compare op, uint64_t a,
			 uint64_t b)
{
	c->cmp[c->count++] = (struct scmp_arg_cmp){
		.arg = arg,
		.op = op,
		.datum_a = a,
		.datum_b = b,
	};
}

/*
 * Push the largest aligned blocks that hold no value of `t`, within the block
 * of numbers whose bits in `fixed` are those of `bits`.
 */
static void choices_push_others(struct plan_choices *c, const struct plan_test *t, uint32_t fixed,
				uint32_t bits)
{
	uint32_t rest = t->mask & ~fixed;
	bool holds_value = false;
	uint32_t split;
	unsigned int i;

	for (i = 0; i < t->count; i++)
		holds_value |= (t->value[i] & fixed) == bits;
	if (!holds_value) {
		choices_push(c, t->arg, SCMP_CMP_MASKED_EQ, fixed, bits);
	} else if (rest) {
		split = 1U << (31 - __builtin_clz(rest));
		choices_push_others(c, t, fixed | split, bits);
		choices_push_others(c, t, fixed | split, bits | split);
	}
}

static void choices_of(const struct plan_test *t, struct plan_choices *c)
{
	unsigned int i;

	c->count = 0;
	switch (t->kind) {
	case PLAN_END:
		break;
	case PLAN_IN:
		for (i = 0; i < t->count; i++)
			choices_push(c, t->arg, SCMP_CMP_MASKED_EQ, t->mask, t->value[i]);
		break;
	case PLAN_NOT_IN:
		choices_push_others(c, t, 0, 0);
		break;
	case PLAN_NONZERO:
		choices_push(c, t->arg, SCMP_CMP_NE, 0, 0);
		break;
	case PLAN_ZERO:
		choices_push(c, t->arg, SCMP_CMP_EQ, 0, 0);
		break;
	}
}

/* Add the rules of `row`; cmp[0..done) are the comparisons chosen for its first tests. */
static int row_add(scmp_filter_ctx ctx, const struct plan_row *row, uint32_t answer,
		   unsigned int done, struct scmp_arg_cmp cmp[static PLAN_TESTS_MAX])
{
	struct plan_choices choices;
	unsigned int i;
	int ret = 0;

	if (done == PLAN_TESTS_MAX || row->test[done].kind == PLAN_END)
		return seccomp_rule_add_array(ctx, answer, row->nr, done, cmp);

	choices_of(&row->test[done], &choices);
	for (i = 0; i < choices.count && !ret; i++) {
		cmp[done] = choices.cmp[i];
		ret = row_add(ctx, row, answer, done + 1, cmp);
	}
	return ret;
}

static int rows_add(scmp_filter_ctx ctx, int mode)
{
	struct scmp_arg_cmp cmp[PLAN_TESTS_MAX];
	const struct plan_row *row;
	size_t i;
	int ret = 0;

	for (i = 0; i < n_plan_rows && !ret; i++) {
		row = &plan_rows[i];
		if (row->answer[mode] == SECCOMP_RET_ALLOW)
			continue;
		if (row->nr == PLAN_FOREIGN)
			ret = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, row->answer[mode]);
		else
			ret = row_add(ctx, row, row->answer[mode], 0, cmp);
	}
	return ret;
}

static int own_calls_add(scmp_filter_ctx ctx, int arg)
{
	int ret = 0;

	(void)arg;
	for (size_t i = 0; i < n_own_calls && !ret; i++) {
		const struct own_call *c = &own_calls[i];
		struct scmp_arg_cmp cmp = SCMP_A0_64(SCMP_CMP_MASKED_EQ, c->mask, c->value);

		ret = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, c->nr, c->mask ? 1 : 0, &cmp);
	}
	return ret;
}

/* libseccomp 2.5 exports to a descriptor only. */
static void print_program(scmp_filter_ctx ctx, const char *name)
{
	FILE *file = tmpfile();
	struct sock_filter f;
	int ret;

	if (!file)
		err(1, "%s: cannot make a temporary file", name);
	ret = seccomp_export_bpf(ctx, fileno(file));
	if (ret || lseek(fileno(file), 0, SEEK_SET))
		errx(1, "%s: cannot export: %s", name, strerror(ret ? -ret : errno));
	printf("static const struct sock_filter %s[] = {\n", name);
	while (fread(&f, sizeof(f), 1, file) == 1)
		printf("\t{ 0x%02x, %u, %u, 0x%08x },\n", f.code, f.jt, f.jf, f.k);
	printf("};\n");
	if (ferror(file))
		err(1, "%s: cannot read", name);
	fclose(file);
}

/* `add` adds the rules to a filter that answers `otherwise` to what they do not speak of. */
static void print_filter(const char *name, uint32_t otherwise,
			 int (*add)(scmp_filter_ctx ctx, int arg), int arg)
{
	scmp_filter_ctx ctx = seccomp_init(otherwise);
	int ret;

	if (!ctx)
		errx(1, "%s: out of memory", name);
	/* 2: a binary tree over the call numbers instead of a list. */
	ret = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (!ret)
		ret = add(ctx, arg);
	if (ret)
		errx(1, "%s: cannot be built: %s", name, strerror(-ret));
	print_program(ctx, name);
	seccomp_release(ctx);
}

int main(void)
{
	int ret = seccomp_api_set(API_LEVEL);

	if (ret)
		errx(1, "libseccomp knows no user notifications: %s", strerror(-ret));
	printf("/* Written by tools/filters. */\n");
	print_filter("filter_supervised", SCMP_ACT_ALLOW, rows_add, PLAN_SUPERVISED);
	print_filter("filter_static", SCMP_ACT_ALLOW, rows_add, PLAN_STATIC);
	print_filter("filter_own", SCMP_ACT_ERRNO(ENOSYS), own_calls_add, 0);
	if (fflush(stdout) || ferror(stdout))
		err(1, "cannot write");
	return 0;
}
