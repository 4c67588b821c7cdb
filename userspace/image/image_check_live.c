// SPDX-License-Identifier: GPL-2.0-only
/* The part of image_check that is about state, limits, live sets, answers and events. */
#include "image/check.h"

#define CHECK_FEATURES (FW_FEAT_LIVE | FW_FEAT_STATE | FW_FEAT_LIMIT | FW_FEAT_REJECT | FW_FEAT_SYNPROXY | FW_FEAT_LOG)
#define CHECK_STATEF   (FW_STATEF_FULL_PASS | FW_STATEF_ASYMMETRIC | FW_STATEF_WINDOW)
#define CHECK_LIVEF    (FW_LIVEF_COUNTERS | FW_LIVEF_WIDEN)
#define CHECK_BAN_REF 0xff000000u /* bits of FW_EXTRA_BAN_REF() */
#define CHECK_EXTRAS                                                                                                   \
	(FW_EXTRA_KEEP | FW_EXTRA_LIMIT | FW_EXTRA_BYTES | FW_EXTRA_FINE | FW_EXTRA_ELSE_PASS | FW_EXTRA_ELSE_BAN |    \
	 FW_EXTRA_SYNPROXY | CHECK_BAN_REF)

static bool check_state(const struct fw_image *img)
{
	const struct fw_state_opts *s = &img->state;
	bool tracks = img->features & FW_FEAT_STATE;

	for (int d = 0; d < FW_DIR_COUNT; d++)
		if (!(img->dir[d].flags & FW_DIRF_TRACK) == tracks || (!tracks && img->dir[d].flags & FW_DIRF_KNOWN))
			return false;
	if (!tracks)
		return true;
	return s->size && s->size <= FW_MAX_FLOWS && s->pending && s->pending <= FW_MAX_FLOWS && !(s->flags & ~CHECK_STATEF);
}

const char *check_policy(const struct fw_image *img)
{
	if (img->features & ~CHECK_FEATURES)
		return "features";
	if (!check_state(img))
		return "state";
	if (img->nlive > FW_MAX_LIVE || !img->nlive != !(img->features & FW_FEAT_LIVE) || (!img->nlive && img->live))
		return "live sets";
	if (img->nlive && !check_hot(img, img->live, img->nlive * sizeof(struct fw_live_ref)))
		return "live sets";
	return NULL;
}

const char *check_live_refs(const struct fw_image *img, const struct fw_meta *meta)
{
	size_t n;
	const struct fw_live_ref *ref = image_live(img, &n);

	for (size_t i = 0; i < n; i++)
		if (!check_str(meta, ref[i].name) || !ref[i].size || ref[i].size > FW_MAX_LIVE_SIZE || ref[i].flags & ~CHECK_LIVEF ||
		    ref[i].id >= FW_MAX_LIVE)
			return "live sets";
	return NULL;
}

/* A program has no part for what the image does not need. */
static bool check_needs(const struct fw_image *img, const struct fw_extra *x)
{
	uint32_t needs = (x->flags & FW_EXTRA_KEEP ? FW_FEAT_STATE : 0) | (x->flags & FW_EXTRA_LIMIT ? FW_FEAT_LIMIT : 0) |
			 (x->max_conn ? FW_FEAT_LIMIT : 0) | (x->flags & FW_EXTRA_ELSE_BAN ? FW_FEAT_LIVE : 0) |
			 (x->flags & FW_EXTRA_SYNPROXY ? FW_FEAT_SYNPROXY : 0);

	return !(needs & ~img->features);
}

static bool check_log(const struct fw_log *log)
{
	return log->sample && (log->cost ? log->burst >= log->cost : !log->burst);
}

const char *check_logs(const struct fw_image *img, const struct fw_dir_hdr *dir)
{
	const struct fw_log *log = (const struct fw_log *)((const uint8_t *)img + dir->logs);

	if (dir->log_default > dir->nlogs || dir->log_reasons > dir->nlogs || dir->nlogs > dir->nrules + 2 || (!dir->nlogs && dir->logs))
		return "logs";
	if (dir->nlogs && (!(img->features & FW_FEAT_LOG) || !check_hot(img, dir->logs, dir->nlogs * sizeof(*log))))
		return "logs";
	for (size_t i = 0; i < dir->nlogs; i++)
		if (!check_log(&log[i]))
			return "logs";
	return NULL;
}

static bool check_extra(const struct fw_image *img, const struct fw_dir_hdr *dir, const struct fw_extra *x)
{
	if (x->flags & ~CHECK_EXTRAS || !check_needs(img, x) || x->log > dir->nlogs)
		return false;
	if (x->per > FW_PER_FLOW || x->reject > FW_REJECT_PROHIBITED || x->max_conn > FW_MAX_CONN)
		return false;
	if (x->plen[0] > 32 || x->plen[1] > 128 || x->conn_plen[0] > 32 || x->conn_plen[1] > 128)
		return false;
	if (x->flags & FW_EXTRA_LIMIT ? !x->mult || !x->burst || x->shift > 63 : x->flags & (FW_EXTRA_BYTES | FW_EXTRA_FINE))
		return false;
	if (x->flags & FW_EXTRA_ELSE_BAN)
		return FW_EXTRA_BAN_REF(x->flags) < img->nlive && x->ban < FW_MAX_LIVE;
	return !x->ban && !FW_EXTRA_BAN_REF(x->flags);
}

/* A rule that does not decide is told of, and nothing else. */
static bool check_of_count(const struct fw_extra *x)
{
	return x->log && !x->flags && !x->max_conn && !x->reject;
}

const char *check_extras(const struct fw_image *img, const struct fw_dir_hdr *dir)
{
	const struct fw_action *action = (const struct fw_action *)((const uint8_t *)img + dir->actions);
	const uint32_t *of = (const uint32_t *)((const uint8_t *)img + dir->extra_of);
	const struct fw_extra *x = (const struct fw_extra *)((const uint8_t *)img + dir->extras);

	if (!dir->nextras && (dir->extras || dir->extra_of))
		return "extras";
	if (dir->nextras && (dir->nextras > dir->nrules || !check_hot(img, dir->extras, dir->nextras * sizeof(*x)) ||
			     !check_hot(img, dir->extra_of, dir->nrules * sizeof(*of))))
		return "extras";
	for (size_t i = 0; i < dir->nextras; i++)
		if (!check_extra(img, dir, &x[i]))
			return "extras";
	for (size_t i = 0; i < dir->nrules; i++) {
		uint32_t rv = action[i].rule_verdict, rule = FW_ACTION_RULE(rv);
		uint32_t extra = dir->nextras && rule < dir->nrules ? of[rule] : 0;

		if (extra > dir->nextras || !extra != !(rv & FW_ACTION_EXTRA))
			return "extras of rules";
		if (extra && FW_ACTION_VERDICT(rv) == FW_VERDICT_CONTINUE && !check_of_count(&x[extra - 1]))
			return "extras of rules";
		if (FW_ACTION_VERDICT(rv) == FW_VERDICT_REJECT && !(img->features & FW_FEAT_REJECT))
			return "features";
	}
	return NULL;
}
