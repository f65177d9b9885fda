/* SPDX-License-Identifier: MIT */
#include "policy/suffix.h"

#include <libpsl.h>

bool suffix_is_public(const char *name)
{
	const psl_ctx_t *psl = psl_builtin();

	return psl && psl_is_public_suffix2(psl, name, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE);
}
