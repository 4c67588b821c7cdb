// SPDX-License-Identifier: GPL-2.0-only
/* The only place that opens rule files. */
#include "fwctl/read.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* O_NONBLOCK: a FIFO put in the place of a file must not hold up the command. */
#define READ_FLAGS (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

const char *reader_error(int err)
{
	switch (err) {
	case -EINVAL:
		return "not a regular file";
	case -EFBIG:
		return "larger than 256 MiB (with what it includes)";
	case -EXDEV:
	case -ELOOP:
		return "it leads out of the directory of the rule file";
	default:
		return strerror(-err);
	}
}

/* Whole file → arena. It may grow meanwhile (or have no size, as in /proc): read to the end, within the limit. */
static int fd_read(int fd, struct reader *r, struct arena *arena, const char **ret_text, size_t *ret_len)
{
	struct stat st;
	size_t len = 0, cap;

	if (fstat(fd, &st))
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((uint64_t)st.st_size > r->left)
		return -EFBIG;
	cap = st.st_size ? (size_t)st.st_size + 1 : 65536;
	char *text = arena_alloc(arena, cap);
	for (;;) {
		if (!text)
			return -ENOMEM;
		ssize_t n = read(fd, text + len, cap - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		len += (size_t)n;
		if (len > r->left)
			return -EFBIG;
		if (!n)
			break;
		if (len == cap) {
			char *more = arena_alloc(arena, cap * 2);
			if (more)
				memcpy(more, text, len);
			text = more;
			cap *= 2;
		}
	}
	r->left -= len;
	*ret_text = text;
	*ret_len = len;
	return 0;
}

int reader_open(struct reader *r, struct arena *arena, const char *top, const char **ret_text, size_t *ret_len)
{
	const char *slash = strrchr(top, '/');
	auto_close int fd = -1;

	*r = (struct reader){
		.dir = -1, .top = top, .left = READ_MAX, .prefix = slash ? (size_t)(slash - top) + 1 : 0
	};
	fd = open(top, READ_FLAGS);
	if (fd < 0)
		return -errno;
	int err = fd_read(fd, r, arena, ret_text, ret_len);
	if (err)
		return err;
	char *dir = slash ? arena_strndup(arena, top, r->prefix) : arena_strdup(arena, ".");
	if (!dir)
		return -ENOMEM;
	r->dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return r->dir < 0 ? -errno : 0;
}

void reader_close(struct reader *r)
{
	if (r->dir >= 0)
		close(r->dir);
	r->dir = -1;
}

/* lang keeps paths below the directory by their text; the kernel keeps symbolic links below it too. */
static int open_beneath(int dir, const char *path)
{
	struct open_how how = { .flags = READ_FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
	int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));

	/* Some sandboxes refuse calls they do not know: then no link at the end of the path. */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = openat(dir, path, READ_FLAGS | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

int reader_read(void *ctx, struct arena *arena, const char *path, const char **ret_text, size_t *ret_len)
{
	struct reader *r = ctx;

	if (strncmp(path, r->top, r->prefix))
		return -EXDEV;
	auto_close int fd = open_beneath(r->dir, path + r->prefix);
	if (fd < 0)
		return fd;
	return fd_read(fd, r, arena, ret_text, ret_len);
}
