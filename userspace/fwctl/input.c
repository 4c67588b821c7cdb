// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/input.h"

#include "base/cleanup.h"
#include "fwctl/cmd.h"
#include "fwctl/out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int grow(struct input *in, size_t *cap)
{
	size_t more = *cap ? *cap * 2 : 1 << 16;
	char *text = more > 2 * (size_t)INPUT_MAX ? NULL : realloc(in->text, more);

	if (!text)
		return -ENOMEM;
	in->text = text;
	*cap = more;
	return 0;
}

static int read_all(struct input *in, int fd)
{
	size_t cap = 0;

	for (;;) {
		if (in->len == cap && grow(in, &cap))
			return -ENOMEM;
		ssize_t n = read(fd, in->text + in->len, cap - in->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return 0;
		in->len += (size_t)n;
		if (in->len > INPUT_MAX)
			return -EFBIG;
	}
}

int input_read(struct input *in, const char *path)
{
	bool standard = !strcmp(path, "-");
	auto_close int opened = standard ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	int err;

	*in = (struct input){ .name = standard ? "standard input" : path };
	if (!standard && opened < 0)
		err = -errno;
	else
		err = read_all(in, standard ? STDIN_FILENO : opened);
	if (!err)
		return STATUS_DONE;
	if (err == -EFBIG)
		problem("cannot read %s: it is larger than 1 GiB", out_name(in->name));
	else
		problem("cannot read %s: %s", out_name(in->name), strerror(-err));
	input_free(in);
	return STATUS_REFUSED;
}

void input_free(struct input *in)
{
	free(in->text);
	*in = (struct input){};
}
