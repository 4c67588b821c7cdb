// SPDX-License-Identifier: GPL-2.0-only
#include "harness/box.h"

#include "base/arena.h"
#include "compile/compile.h"
#include "lang/lang.h"

#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void die(const char *what)
{
	fprintf(stderr, "box: %s: %s\n", what, strerror(errno));
	abort();
}

int box_run(const char *const argv[])
{
	pid_t pid;
	int status;

	if (posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)argv, environ))
		die(argv[0]);
	if (waitpid(pid, &status, 0) < 0)
		die("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

void box_ip(const char *args)
{
	const char *argv[24] = {"ip"};
	char copy[256], *save = NULL;
	int n = 1;

	snprintf(copy, sizeof(copy), "%s", args);
	for (char *w = strtok_r(copy, " ", &save); w && n < 23; w = strtok_r(NULL, " ", &save))
		argv[n++] = w;
	errno = 0;
	if (box_run(argv))
		die(args);
}

bool box_rename(const char *from, const char *to)
{
	const char *down[] = {"ip", "link", "set", "dev", from, "down", NULL};
	const char *name[] = {"ip", "link", "set", "dev", from, "name", to, NULL};
	const char *up[] = {"ip", "link", "set", "dev", NULL, "up", NULL};
	bool done;

	errno = 0;
	if (box_run(down))
		die(from);
	done = !box_run(name);
	up[4] = done ? to : from;
	if (box_run(up))
		die(up[4]);
	return done;
}

/* Or the kernel sends datagrams of its own, and counts are no longer those of the test. */
static void silence_ipv6(void)
{
	int fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "1", 1) != 1)
		die("disable_ipv6");
	if (fd >= 0)
		close(fd);
}

static void make_pair(void)
{
	silence_ipv6();
	box_ip("link add " BOX_IF " type veth peer name " BOX_PEER);
	box_ip("link set " BOX_IF " up");
	box_ip("link set " BOX_PEER " up");
}

const char *box_enter(const char **ret_why)
{
	static char path[64];

	if (geteuid()) {
		*ret_why = "needs root";
		return NULL;
	}
	if (unshare(CLONE_NEWNET | CLONE_NEWNS)) {
		*ret_why = "cannot make namespaces";
		return NULL;
	}
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		die("mount --make-rprivate /");
	/* The directory is below a tmpfs of our own: nothing of it is left on the machine. */
	if (mount("box", "/mnt", "tmpfs", 0, "size=1m"))
		die("mount tmpfs on /mnt");
	snprintf(path, sizeof(path), "/mnt/bpf");
	if (mkdir(path, 0700))
		die(path);
	if (mount("bpf", path, "bpf", 0, "mode=0700")) {
		*ret_why = "this kernel has no BPF file system";
		return NULL;
	}
	make_pair();
	return path;
}

void box_renew_netns(void)
{
	if (unshare(CLONE_NEWNET))
		die("unshare");
	make_pair();
}

int box_netns(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("/proc/self/ns/net");
	return fd;
}

void box_setns(int fd)
{
	if (setns(fd, CLONE_NEWNET))
		die("setns");
}

struct image box_compile(const char *text, const char *policy)
{
	struct arena *arena = arena_new();
	struct compile_opts opts = {.no_warnings = true};
	struct ruleset *rs = NULL;
	struct image img = {};
	struct str out = {};
	struct diags d;

	diags_init(&d, arena);
	if (lang_parse(arena, "box.fw", text, strlen(text), NULL, &d, &rs) || !ruleset_policy(rs, policy) ||
	    compile_policy(ruleset_policy(rs, policy), "box.fw", text, &d, &opts, &img)) {
		diags_print(&d, &out);
		fprintf(stderr, "%s", str_get(&out));
		die("rules of the test");
	}
	diags_fini(&d);
	arena_free(arena);
	return img;
}

struct image box_many(const char *policy, size_t n, unsigned int base)
{
	struct image img;
	struct str text = {};

	str_addf(&text, "policy %s {\n essentials off\n ingress default drop {\n", policy);
	for (size_t i = 0; i < n; i++)
		str_addf(&text, "  pass port %zu label \"r%zu\"\n", base + i, base + i);
	str_add(&text, " }\n}\n");
	img = box_compile(str_get(&text), policy);
	str_fini(&text);
	return img;
}

void box_udp_frame(uint8_t f[60], uint16_t dport)
{
	static const uint8_t head[] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 46, 0, 1, 0, 0, 64, 17, 0, 0,
				       10, 0, 0, 1, 10, 0, 0, 2, 4, 0, 0, 0, 0, 26, 0, 0};

	memset(f, 0, 60);
	memcpy(f, head, sizeof(head));
	f[36] = dport >> 8;
	f[37] = dport & 255;
}

void box_send_udp(const char *ifname, uint16_t dport, unsigned int count)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)box_ifindex(ifname), .sll_halen = 6};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	uint8_t frame[60];

	if (fd < 0)
		die("packet socket");
	box_udp_frame(frame, dport);
	for (unsigned int i = 0; i < count; i++)
		if (sendto(fd, frame, sizeof(frame), 0, (struct sockaddr *)&to, sizeof(to)) != sizeof(frame))
			die("send");
	close(fd);
}

static void find_into(const char *path, struct str *out)
{
	DIR *d = opendir(path);
	struct dirent *e;
	char below[512];

	if (!d)
		return;
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, e->d_name);
		str_addf(out, "%s\n", below);
		find_into(below, out);
	}
	closedir(d);
}

const char *box_find(const char *path)
{
	static struct str out;

	str_reset(&out);
	find_into(path, &out);
	return str_get(&out);
}

unsigned int box_ifindex(const char *ifname)
{
	unsigned int i = if_nametoindex(ifname);

	if (!i)
		die(ifname);
	return i;
}

unsigned long box_rx_packets(const char *ifname)
{
	FILE *f = fopen("/proc/net/dev", "re");
	unsigned long bytes = 0, packets = 0;
	char line[512], name[32];

	if (!f)
		die("/proc/net/dev");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, " %31[^:]: %lu %lu", name, &bytes, &packets) == 3 && !strcmp(name, ifname))
			break;
	fclose(f);
	return packets;
}

uint32_t box_xdp_id(const char *ifname)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, q);

	if (bpf_xdp_query((int)box_ifindex(ifname), 0, &q))
		die("bpf_xdp_query");
	return q.prog_id ?: q.drv_prog_id ?: q.skb_prog_id;
}

bool box_has_tcx(void)
{
	unsigned int major = 0, minor = 0;
	struct utsname u;

	if (uname(&u) || sscanf(u.release, "%u.%u", &major, &minor) != 2)
		die("uname");
	return major > 6 || (major == 6 && minor >= 6);
}
