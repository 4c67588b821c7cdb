// SPDX-License-Identifier: GPL-2.0-only
#include "compile/compile.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "compile/plan.h"

#include <errno.h>

static void compile_dump(const struct plan *p, const struct image *img, const struct compile_opts *opts)
{
	if (!opts->out)
		return;
	if (opts->dump == COMPILE_DUMP_BOXES)
		boxes_dump(&p->boxes, plan_dir_name(p), opts->out);
	else if (opts->dump == COMPILE_DUMP_TABLES)
		tables_dump(p, img, opts->out);
	if (opts->dump != COMPILE_DUMP_NONE)
		extras_dump(p, opts->out);
}

static int compile_plans(struct arena *arena, const struct policy *policy, const char *source_name,
			 const char *source_text, struct diags *d, const struct compile_opts *opts,
			 struct setpool *pool, struct plan plan[FW_DIR_COUNT], struct image *ret)
{
	size_t used = sizeof(struct fw_image);
	struct meta meta;
	int err = 0;

	for (int dir = 0; dir < FW_DIR_COUNT && !err; dir++)
		err = plan_build(arena, policy, dir, opts, pool, d, &used, &plan[dir]);
	if (!err)
		err = meta_build(arena, policy, source_name, source_text, &meta);
	if (!err)
		err = encode_image(arena, plan, pool, &meta, d, !opts->no_warnings, ret);
	if (err)
		return err;
	for (int dir = 0; dir < FW_DIR_COUNT; dir++)
		compile_dump(&plan[dir], ret, opts);
	if (opts->cost)
		cost_fill(plan, ret, opts->cost);
	return 0;
}

int compile_policy(const struct policy *policy, const char *source_name, const char *source_text, struct diags *d,
		   const struct compile_opts *opts, struct image *ret_image)
{
	static const struct compile_opts none;
	struct arena *arena cleanup(arena_freep) = arena_new();
	struct plan plan[FW_DIR_COUNT] = {};
	struct setpool pool = {};
	struct image img;
	int err;

	if (!arena)
		return -ENOMEM;
	err = compile_plans(arena, policy, source_name, source_text, d, opts ? opts : &none, &pool, plan, &img);
	for (int dir = 0; dir < FW_DIR_COUNT; dir++)
		plan_fini(&plan[dir]);
	setpool_fini(&pool);
	if (!err)
		*ret_image = img;
	return err;
}
