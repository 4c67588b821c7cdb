// SPDX-License-Identifier: GPL-2.0-only
#include "image/image.h"

static const char *const dump_dim_name[] = {
#define FW_X(id, bits) [FW_DIM_##id] = #id,
	FW_SMALL_DIMS(FW_X)
#undef FW_X
		[FW_DIM_MAC] = "MAC",
	[FW_DIM_SRC] = "SRC",
	[FW_DIM_DST] = "DST",
};

static void image_dump_features(const struct fw_image *img, struct str *out)
{
	static const char *const name[] = { "live sets", "state", "limits", "reject", "syn cookies", "events" };
	const char *before = "needs ";

	for (unsigned int i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		if (!(img->features >> i & 1))
			continue;
		str_addf(out, "%s%s", before, name[i]);
		before = ", ";
	}
	if (img->features)
		str_add(out, "\n");
}

static void image_dump_state(const struct fw_image *img, struct str *out)
{
	static const char *const words[] = {
#define FW_X(id, words, seconds) words,
		FW_TIMEOUTS(FW_X)
#undef FW_X
	};
	const struct fw_state_opts *s = &img->state;

	if (!(img->features & FW_FEAT_STATE))
		return;
	str_addf(out, "state: %u flows, %u half-open, full %s%s%s, pickup ", s->size, s->pending,
		 s->flags & FW_STATEF_FULL_PASS ? "pass" : "drop", s->flags & FW_STATEF_ASYMMETRIC ? ", asymmetric" : "",
		 s->flags & FW_STATEF_WINDOW ? ", window" : "");
	if (s->pickup_s == UINT32_MAX)
		str_add(out, "always\n");
	else
		str_addf(out, "%u s\n", s->pickup_s);
	for (int i = 0; i < FW_TIMEOUT_COUNT; i++)
		str_addf(out, "%s%s %u", i ? ", " : "  ticks: ", words[i], s->timeout[i]);
	str_add(out, "\n");
}

static void image_dump_live(const struct fw_image *img, struct str *out)
{
	size_t n;
	const struct fw_live_ref *ref = image_live(img, &n);

	for (size_t i = 0; i < n; i++)
		str_addf(out, "live set %zu: %s, id %u, size %u, timeout %llu ns%s%s\n", i, image_str(img, ref[i].name), ref[i].id,
			 ref[i].size, (unsigned long long)ref[i].timeout_ns, ref[i].flags & FW_LIVEF_COUNTERS ? ", counters" : "",
			 ref[i].flags & FW_LIVEF_WIDEN ? ", widen" : "");
}

static void image_dump_dir(const struct fw_image *img, enum fw_dir d, struct str *out)
{
	static const char *const name[] = { "ingress", "egress" };
	const struct fw_dir_hdr *dir = &img->dir[d];

	str_addf(out, "%s: %s, default %s%s%s%s\n", name[d], dir->flags & FW_DIRF_PRESENT ? "present" : "absent",
		 dir->default_verdict == FW_VERDICT_PASS ? "pass" : "drop",
		 dir->flags & FW_DIRF_L2 ? ", judges frames that are not IP" : "", dir->flags & FW_DIRF_TRACK ? ", tracks" : "",
		 dir->flags & FW_DIRF_KNOWN ? ", judges known flows" : "");
	if (dir->nlogs)
		str_addf(out, "  logs %u at %u\n", dir->nlogs, dir->logs);
	if (dir->log_default)
		str_addf(out, "  the default: log %u\n", dir->log_default - 1);
	if (dir->log_reasons)
		str_addf(out, "  reasons: log %u\n", dir->log_reasons - 1);
	if (!dir->nrules)
		return;
	str_addf(out, "  rules %u, words %u, summary words %u, row %u bytes\n", dir->nrules, dir->nwords, dir->nsum,
		 dir->stride);
	if (dir->flags & FW_DIRF_LISTS)
		str_addf(out, "  lists: %u rules own bits, %u service words, %u units at %u\n", dir->nbits, dir->nsvc, dir->nunits,
			 dir->units);
	for (unsigned int dim = 0; dim < FW_DIM_COUNT; dim++) {
		if (!(dir->dims >> dim & 1))
			continue;
		str_addf(out, "  %-10s table %u rows %u", dump_dim_name[dim], dir->dim[dim].tab, dir->dim[dim].rows);
		if (dim == FW_DIM_SRC || dim == FW_DIM_DST)
			str_addf(out, ", IPv6 table %u rows %u", dir->tab6[dim - FW_DIM_SRC],
				 dir->rows6[dim - FW_DIM_SRC]);
		str_add(out, "\n");
	}
	str_addf(out, "  ones %u, actions %u\n", dir->ones, dir->actions);
	if (dir->nsets)
		str_addf(out, "  sets %u at %u, of destinations %#x, live %#x\n", dir->nsets, dir->sets, dir->set_sides, dir->live_bits);
	if (dir->nextras)
		str_addf(out, "  extras %u at %u, by rule at %u\n", dir->nextras, dir->extras, dir->extra_of);
}

void image_dump(const struct fw_image *img, struct str *out)
{
	size_t nbases;
	char hex[65];

	image_digest_hex(img, hex);
	image_bases(img, &nbases);
	str_addf(out, "policy ");
	str_add_escaped(out, image_policy(img), __builtin_strlen(image_policy(img)));
	str_addf(out, "\ndigest %s\n", hex);
	str_addf(out, "image %u bytes: header %zu, tables %zu, names %u; generation %llu, counter bases %zu\n",
		 img->total_len, sizeof(*img), img->hot_len - sizeof(*img), img->meta_len,
		 (unsigned long long)img->generation, nbases);
	image_dump_features(img, out);
	image_dump_state(img, out);
	image_dump_live(img, out);
	for (int d = 0; d < FW_DIR_COUNT; d++)
		image_dump_dir(img, d, out);
}
