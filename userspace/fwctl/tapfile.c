// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/tapfile.h"

#include "base/vec.h"
#include "fwctl/elements.h"
#include "fwctl/out.h"
#include "fwctl/pcapng.h"
#include "fwctl/words.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

static void iface_write(struct tapfile *f, const struct tap_iface *i)
{
	struct str text = {};

	str_addf(&text, "fwctl at %s, %s", word_hook(i->hook), word_dir(hook_dir(i->hook)));
	/* The form wants UTF-8; a name may be any bytes. */
	pcapng_interface(&f->sink.pending, out_name(i->name), str_get(&text), f->snap);
	str_fini(&text);
}

/* The head of a file. */
static void begin(struct tapfile *f)
{
	struct moment now = moment_now();
	struct utsname u = {};
	char os[2 * sizeof(u.sysname) + 2];

	uname(&u);
	snprintf(os, sizeof(os), "%s %s", u.sysname, u.release);
	pcapng_section(&f->sink.pending, os, "fwctl " FWCTL_VERSION);
	f->began_mono = now.mono;
	f->began_wall = now.wall;
	f->lost = 0;
	for (size_t i = 0; i < f->n; i++) {
		f->iface[i].received = f->iface[i].written = f->iface[i].dropped = 0;
		iface_write(f, &f->iface[i]);
	}
}

/* Packets are nobody else's business. */
static int file_open_new(struct tapfile *f)
{
	struct stat st;
	int fd = open(f->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0600);

	if (fd < 0)
		return fail_set(&f->fail, -errno, "cannot write %s: %s", out_name(f->path), strerror(errno));
	if ((f->rotate_bytes || f->rotate_ns) && !fstat(fd, &st) && !S_ISREG(st.st_mode)) {
		close(fd);
		return fail_set(&f->fail, -EINVAL, "cannot write %s: it is no file that could be put away, so --rotate has no sense",
				out_name(f->path));
	}
	sink_init(&f->sink, fd, f->signals);
	if (f->sink.own)
		close(fd);
	f->sink.own = true;
	return 0;
}

int tapfile_open(struct tapfile *f)
{
	int err = 0;

	f->sink = (struct sink){ .fd = -1, .signals = -1 };
	if (f->path)
		err = file_open_new(f);
	else
		sink_init(&f->sink, STDOUT_FILENO, f->signals);
	if (!err)
		begin(f);
	return err;
}

bool tapfile_iface(struct tapfile *f, unsigned int ifindex, enum fw_hook hook, const char *name)
{
	struct tap_iface x = { .ifindex = ifindex, .hook = hook };

	snprintf(x.name, sizeof(x.name), "%s", name);
	if (vec_reserve_raw((void **)&f->iface, &f->cap, f->n + 1, sizeof(*f->iface)))
		return false;
	f->iface[f->n++] = x;
	iface_write(f, &x);
	return true;
}

static struct tap_iface *iface_of(struct tapfile *f, const struct event_view *v)
{
	const struct fw_event *e = v->event;

	for (size_t i = 0; i < f->n; i++)
		if (f->iface[i].ifindex == e->ifindex && f->iface[i].hook == (enum fw_hook)e->hook)
			return &f->iface[i];
	return tapfile_iface(f, e->ifindex, (enum fw_hook)e->hook, v->iface) ? &f->iface[f->n - 1] : NULL;
}

/* As the kernel numbers what programs answer; a rejected packet is answered by one of several. */
static void verdict_set(struct pcapng_packet *p, const struct fw_event *e)
{
	enum { XDP_IS_DROP = 1, XDP_IS_PASS = 2, TC_IS_OK = 0, TC_IS_SHOT = 2 };

	if (e->verdict != FW_VERDICT_DROP && e->verdict != FW_VERDICT_PASS)
		return;
	bool pass = e->verdict == FW_VERDICT_PASS, xdp = e->hook == FW_HOOK_XDP;
	p->verdict_kind = xdp ? PCAPNG_VERDICT_XDP : PCAPNG_VERDICT_TC;
	p->verdict = xdp ? (pass ? XDP_IS_PASS : XDP_IS_DROP) : (pass ? TC_IS_OK : TC_IS_SHOT);
}

static bool no_memory(struct tapfile *f)
{
	fail_set(&f->fail, -ENOMEM, "no memory");
	return false;
}

bool tapfile_unwanted(struct tapfile *f, const struct event_view *v)
{
	struct tap_iface *i = iface_of(f, v);

	if (!i)
		return no_memory(f);
	i->received++;
	return true;
}

bool tapfile_packet(struct tapfile *f, const struct event_view *v, const uint8_t *data, uint32_t caplen, uint32_t wire)
{
	struct tap_iface *i = iface_of(f, v);
	struct str comment = {};

	if (!i)
		return no_memory(f);
	event_comment(v, &comment);
	struct pcapng_packet p = {
		.iface = (uint32_t)(i - f->iface),
		.time_ns = v->wall_ns,
		.data = data,
		.caplen = caplen,
		.wire = wire,
		.dir = v->event->hook == FW_HOOK_TC_EGRESS ? PCAPNG_OUTBOUND : PCAPNG_INBOUND,
		.dropped = i->dropped,
		.comment = str_get(&comment),
	};
	verdict_set(&p, v->event);
	pcapng_packet(&f->sink.pending, &p);
	str_fini(&comment);
	/* Whose packets were lost nobody knows: they count once, before the next packet of any interface. */
	for (size_t k = 0; k < f->n; k++)
		f->iface[k].dropped = 0;
	i->received++;
	i->written++;
	f->written++;
	if (f->rotate_bytes && f->sink.written + f->sink.pending.len >= f->rotate_bytes)
		return tapfile_settle(f);
	return sink_settle(&f->sink, false);
}

void tapfile_lost(struct tapfile *f, uint64_t n)
{
	f->lost += n;
	for (size_t i = 0; i < f->n; i++)
		f->iface[i].dropped += n;
}

/* The rings are of CPUs, not of interfaces: with several of them what was lost stands with the first. */
static void statistics(struct tapfile *f)
{
	struct moment now = moment_now();

	for (size_t i = 0; i < f->n; i++) {
		uint64_t lost = i ? 0 : f->lost;
		struct pcapng_stats s = {
			.iface = (uint32_t)i,
			.time_ns = now.wall,
			.start_ns = f->began_wall,
			.received = f->iface[i].received + lost,
			.lost = lost,
			.written = f->iface[i].written,
			.comment = lost && f->n > 1 ? "packets lost before they were read, of all interfaces together" : NULL,
		};
		pcapng_statistics(&f->sink.pending, &s);
	}
}

/* FILE.1, FILE.2 …: the lowest number that nobody has, above those that we gave. Never over a file of somebody else. */
static int put_away(struct tapfile *f)
{
	struct str name = {};
	int err;

	do {
		str_reset(&name);
		str_addf(&name, "%s.%" PRIu64, f->path, ++f->number);
		err = renameat2(AT_FDCWD, f->path, AT_FDCWD, str_get(&name), RENAME_NOREPLACE) ? -errno : 0;
	} while (err == -EEXIST && !name.failed);
	if (err)
		fail_set(&f->fail, err, "cannot rename %s to %s: %s", out_name(f->path), out_name(str_get(&name)), strerror(-err));
	if (!err && f->files && vec_push(&f->kept, f->number))
		err = fail_set(&f->fail, -ENOMEM, "no memory");
	while (!err && f->kept.n && f->kept.n >= f->files) {
		str_reset(&name);
		str_addf(&name, "%s.%" PRIu64, f->path, f->kept.v[0]);
		unlink(str_get(&name));
		memmove(f->kept.v, f->kept.v + 1, --f->kept.n * sizeof(*f->kept.v));
	}
	str_fini(&name);
	return err;
}

static bool is_time(const struct tapfile *f)
{
	bool any = false;

	for (size_t i = 0; i < f->n; i++)
		any |= f->iface[i].written > 0;
	if (!any)
		return false;
	return (f->rotate_bytes && f->sink.written >= f->rotate_bytes) ||
	       (f->rotate_ns && moment_now().mono - f->began_mono >= f->rotate_ns);
}

bool tapfile_settle(struct tapfile *f)
{
	if (!sink_settle(&f->sink, true))
		return false;
	if (!f->path || !is_time(f))
		return true;
	if (!tapfile_close(f))
		return false;
	bool ended = f->sink.ended;
	uint64_t deadline = f->sink.deadline_ns;
	sink_fini(&f->sink);
	if (put_away(f) || file_open_new(f))
		return false;
	f->sink.ended = ended;
	f->sink.deadline_ns = deadline;
	begin(f);
	return sink_settle(&f->sink, true);
}

bool tapfile_close(struct tapfile *f)
{
	statistics(f);
	return sink_settle(&f->sink, true);
}

void tapfile_fini(struct tapfile *f)
{
	sink_fini(&f->sink);
	vec_fini(&f->kept);
	free(f->iface);
	f->iface = NULL;
	f->n = f->cap = 0;
}
