// SPDX-License-Identifier: GPL-2.0-only
#include "bench/insns.h"
#include "base/vec.h"
#include "bench/measure.h"
#include "kern/clock.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PACKET_ROOM 4096
#define STACK	    512
#define DEPTH_MAX   8
#define INSNS_MAX   10000000 /* a packet that takes more has gone astray */

struct map {
	int fd;
	uint32_t value_size, entries;
	uint8_t *values; /* arrays: all elements, or one CPU's of them; else the element found last */
	bool array;
};

struct insns {
	const struct bpf_insn *code;
	struct {
		struct map *v;
		size_t n, cap;
	} maps;
	struct xdp_md *ctx; /* both below 4 GB, for the context holds 32-bit pointers */
	uint8_t *packet;
	struct insns_cost cost;
	uint64_t jiffies, ktime;
};

static struct map *map_find(struct insns *v, int fd)
{
	for (size_t i = 0; i < v->maps.n; i++)
		if (v->maps.v[i].fd == fd)
			return &v->maps.v[i];
	return NULL;
}

/* What an array holds now; per-CPU arrays begin with zeroes. */
static int map_copy(struct insns *v, const struct bpf_map *map)
{
	enum bpf_map_type type = bpf_map__type(map);
	struct map m = { .fd = bpf_map__fd(map),
			 .value_size = bpf_map__value_size(map),
			 .entries = bpf_map__max_entries(map) };
	size_t step = (m.value_size + 7) / 8 * 8;

	m.array = type == BPF_MAP_TYPE_ARRAY || type == BPF_MAP_TYPE_PERCPU_ARRAY;
	if (m.fd < 0 || !(m.array || type == BPF_MAP_TYPE_HASH || type == BPF_MAP_TYPE_LPM_TRIE))
		return 0;
	m.value_size = step;
	m.values = calloc(m.array ? m.entries : 1, step);
	if (!m.values || vec_push(&v->maps, m)) {
		free(m.values);
		return -ENOMEM;
	}
	for (uint32_t i = 0; type == BPF_MAP_TYPE_ARRAY && i < m.entries; i++)
		if (bpf_map_lookup_elem(m.fd, &i, m.values + i * step))
			return -errno;
	return 0;
}

int insns_open(const struct bpf_object *obj, const char *prog, struct insns **ret)
{
	struct bpf_program *p = bpf_object__find_program_by_name(obj, prog);
	struct insns *v = calloc(1, sizeof(*v));
	void *low = mmap(NULL, 2 * PACKET_ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	struct fail fail = {};
	struct bpf_map *map;
	int err = p && v && low != MAP_FAILED ? 0 : -ENOMEM;

	if (!err) {
		v->code = bpf_program__insns(p);
		v->ctx = low;
		v->packet = (uint8_t *)low + PACKET_ROOM;
		bpf_object__for_each_map(map, obj) err = err ? err : map_copy(v, map);
		/* Time stands still here. */
		v->ktime = (uint64_t)measure_wall_ns();
		err = err ? err : clock_ticks(&fail, &v->jiffies);
	} else if (low != MAP_FAILED) {
		munmap(low, 2 * PACKET_ROOM);
	}
	if (err) {
		fprintf(stderr, "bench: cannot interpret %s: %s\n", prog, strerror(-err));
		insns_close(v);
		return err;
	}
	*ret = v;
	return 0;
}

void insns_close(struct insns *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->maps.n; i++)
		free(v->maps.v[i].values);
	vec_fini(&v->maps);
	if (v->ctx)
		munmap(v->ctx, 2 * PACKET_ROOM);
	free(v);
}

/* a op b, in 64 or 32 bits. False: an operation that does not exist. */
static bool alu(uint8_t op, bool wide, uint64_t *a, uint64_t b)
{
	unsigned int shift = b & (wide ? 63 : 31);
	uint64_t x = wide ? *a : (uint32_t)*a, y = wide ? b : (uint32_t)b;

	switch (BPF_OP(op)) {
	case BPF_ADD:
		x += y;
		break;
	case BPF_SUB:
		x -= y;
		break;
	case BPF_MUL:
		x *= y;
		break;
	case BPF_DIV:
		x = y ? x / y : 0;
		break;
	case BPF_MOD:
		x = y ? x % y : x;
		break;
	case BPF_OR:
		x |= y;
		break;
	case BPF_AND:
		x &= y;
		break;
	case BPF_XOR:
		x ^= y;
		break;
	case BPF_LSH:
		x <<= shift;
		break;
	case BPF_RSH:
		x >>= shift;
		break;
	case BPF_ARSH:
		x = wide ? (uint64_t)((int64_t)x >> shift) : (uint32_t)((int32_t)x >> shift);
		break;
	case BPF_NEG:
		x = -x;
		break;
	case BPF_MOV:
		x = y;
		break;
	default:
		return false;
	}
	*a = wide ? x : (uint32_t)x;
	return true;
}

static uint64_t swap(uint64_t x, int bits, bool to_be)
{
	if (!to_be) /* this machine is little-endian, as all that this is built for */
		return bits == 16 ? (uint16_t)x : bits == 32 ? (uint32_t)x : x;
	return bits == 16 ? __builtin_bswap16(x) : bits == 32 ? __builtin_bswap32(x) : __builtin_bswap64(x);
}

static bool jumps(uint8_t op, bool wide, uint64_t a, uint64_t b)
{
	int64_t sa = wide ? (int64_t)a : (int32_t)a, sb = wide ? (int64_t)b : (int32_t)b;

	if (!wide) {
		a = (uint32_t)a;
		b = (uint32_t)b;
	}
	switch (BPF_OP(op)) {
	case BPF_JA:
		return true;
	case BPF_JEQ:
		return a == b;
	case BPF_JNE:
		return a != b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	case BPF_JLT:
		return a < b;
	case BPF_JLE:
		return a <= b;
	case BPF_JSET:
		return a & b;
	case BPF_JSGT:
		return sa > sb;
	case BPF_JSGE:
		return sa >= sb;
	case BPF_JSLT:
		return sa < sb;
	default:
		return sa <= sb;
	}
}

static uint64_t memory_load(const void *at, uint8_t size)
{
	uint64_t x = 0;

	memcpy(&x, at, size == BPF_B ? 1 : size == BPF_H ? 2 : size == BPF_W ? 4 : 8);
	return x;
}

static void memory_store(void *at, uint8_t size, uint64_t x)
{
	memcpy(at, &x, size == BPF_B ? 1 : size == BPF_H ? 2 : size == BPF_W ? 4 : 8);
}

static int run_from(struct insns *v, const struct bpf_insn *at, const uint64_t args[5], unsigned int depth,
		    uint64_t *ret);

static int call_helper(struct insns *v, int id, uint64_t r[11], unsigned int depth)
{
	const struct map *m;
	uint64_t ret = 0;
	int err = 0;

	v->cost.calls++;
	switch (id) {
	case BPF_FUNC_map_lookup_elem:
		m = (const struct map *)r[1];
		if (!m)
			return -ENOTSUP;
		if (!m->array) {
			r[0] = bpf_map_lookup_elem(m->fd, (const void *)r[2], m->values) ? 0 : (uint64_t)m->values;
			return 0;
		}
		ret = *(const uint32_t *)r[2];
		r[0] = ret < m->entries ? (uint64_t)(m->values + ret * m->value_size) : 0;
		return 0;
	case BPF_FUNC_loop:
		for (uint64_t i = 0; !err && !ret && i < r[1]; i++)
			err = run_from(v, (const struct bpf_insn *)r[2], (uint64_t[]){ i, r[3], 0, 0, 0 }, depth + 1,
				       &ret);
		r[0] = 0;
		return err;
	case BPF_FUNC_jiffies64:
		r[0] = v->jiffies;
		return 0;
	case BPF_FUNC_ktime_get_ns:
		r[0] = v->ktime;
		return 0;
	case BPF_FUNC_xdp_load_bytes:
		if (r[2] + r[4] > v->ctx->data_end - v->ctx->data) {
			r[0] = (uint64_t)-EINVAL;
			return 0;
		}
		memcpy((void *)r[3], v->packet + r[2], r[4]);
		r[0] = 0;
		return 0;
	default:
		return -ENOTSUP;
	}
}

/* The two halves of a 64-bit constant: a number, a map, a place in a map, a function. */
static uint64_t constant(struct insns *v, const struct bpf_insn *i)
{
	struct map *m;

	switch (i->src_reg) {
	case BPF_PSEUDO_MAP_FD:
		return (uint64_t)map_find(v, i->imm);
	case BPF_PSEUDO_MAP_VALUE:
		m = map_find(v, i->imm);
		return m ? (uint64_t)(m->values + (uint32_t)i[1].imm) : 0;
	case BPF_PSEUDO_FUNC:
		return (uint64_t)(i + i->imm + 1);
	default:
		return (uint32_t)i->imm | (uint64_t)(uint32_t)i[1].imm << 32;
	}
}

/* Nobody else is there. */
static int run_atomic(const struct bpf_insn *i, uint64_t r[11], void *to, uint8_t size)
{
	uint64_t old = memory_load(to, size);

	switch (i->imm) {
	case BPF_CMPXCHG:
		if (old == r[0])
			memory_store(to, size, r[i->src_reg]);
		r[0] = old;
		return 0;
	case BPF_ADD:
	case BPF_ADD | BPF_FETCH:
		memory_store(to, size, old + r[i->src_reg]);
		break;
	case BPF_OR:
	case BPF_OR | BPF_FETCH:
		memory_store(to, size, old | r[i->src_reg]);
		break;
	default:
		return -ENOTSUP;
	}
	if (i->imm & BPF_FETCH)
		r[i->src_reg] = old;
	return 0;
}

static int run_memory(struct insns *v, const struct bpf_insn *i, uint64_t r[11])
{
	uint8_t size = BPF_SIZE(i->code);
	void *to = (void *)(r[i->dst_reg] + i->off);

	switch (BPF_CLASS(i->code)) {
	case BPF_LDX:
		v->cost.loads++;
		r[i->dst_reg] = memory_load((void *)(r[i->src_reg] + i->off), size);
		return 0;
	case BPF_ST:
		memory_store(to, size, (int64_t)i->imm);
		return 0;
	default:
		if (BPF_MODE(i->code) == BPF_MEM)
			memory_store(to, size, r[i->src_reg]);
		else
			return run_atomic(i, r, to, size);
		return 0;
	}
}

static int run_jump(struct insns *v, const struct bpf_insn **at, uint64_t r[11], unsigned int depth)
{
	const struct bpf_insn *i = *at;
	bool wide = BPF_CLASS(i->code) == BPF_JMP;

	if (BPF_OP(i->code) == BPF_CALL && i->src_reg == BPF_PSEUDO_CALL)
		return run_from(v, i + i->imm + 1, &r[1], depth + 1, &r[0]);
	if (BPF_OP(i->code) == BPF_CALL)
		return i->src_reg ? -ENOTSUP : call_helper(v, i->imm, r, depth);
	if (jumps(i->code, wide, r[i->dst_reg], BPF_SRC(i->code) == BPF_X ? r[i->src_reg] : (uint64_t)(int64_t)i->imm))
		*at += i->off;
	return 0;
}

static int run_from(struct insns *v, const struct bpf_insn *at, const uint64_t args[5], unsigned int depth,
		    uint64_t *ret)
{
	uint64_t stack[STACK / 8], r[11] = { [1] = args[0], args[1], args[2], args[3], args[4] };
	int err = depth < DEPTH_MAX ? 0 : -ELOOP;

	r[10] = (uint64_t)(stack + STACK / 8);
	for (; !err; at++) {
		const struct bpf_insn *i = at;
		uint64_t b = BPF_SRC(i->code) == BPF_X ? r[i->src_reg] : (uint64_t)(int64_t)i->imm;

		if (++v->cost.insns > INSNS_MAX)
			return -ELOOP;
		switch (BPF_CLASS(i->code)) {
		case BPF_ALU:
		case BPF_ALU64:
			if (BPF_OP(i->code) == BPF_END)
				r[i->dst_reg] = swap(r[i->dst_reg], i->imm, BPF_SRC(i->code) == BPF_TO_BE);
			else if (!alu(i->code, BPF_CLASS(i->code) == BPF_ALU64, &r[i->dst_reg], b))
				err = -ENOTSUP;
			break;
		case BPF_LD:
			r[i->dst_reg] = constant(v, i);
			at++;
			break;
		case BPF_JMP:
			if (BPF_OP(i->code) == BPF_EXIT) {
				*ret = r[0];
				return 0;
			}
			/* fall through */
		case BPF_JMP32:
			err = run_jump(v, &at, r, depth);
			break;
		default:
			err = run_memory(v, i, r);
		}
	}
	return err;
}

int insns_run(struct insns *v, const uint8_t *frame, size_t len, struct insns_cost *ret, uint32_t *ret_action)
{
	uint64_t action = 0;
	int err;

	if (len > PACKET_ROOM)
		return -EINVAL;
	memcpy(v->packet, frame, len);
	*v->ctx = (struct xdp_md){ .data = (uint32_t)(uintptr_t)v->packet,
				   .data_end = (uint32_t)((uintptr_t)v->packet + len),
				   .data_meta = (uint32_t)(uintptr_t)v->packet };
	v->cost = (struct insns_cost){};
	err = run_from(v, v->code, (uint64_t[]){ (uint64_t)v->ctx, 0, 0, 0, 0 }, 0, &action);
	if (err)
		return err;
	*ret = v->cost;
	*ret_action = (uint32_t)action;
	return 0;
}
