// SPDX-License-Identifier: GPL-2.0-only
/*
 * A journald that keeps nothing: prints what comes to its socket, a line "-- datagram" in front of each, until it is killed.
 *
 *   tool_journal SOCKET
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	static char buf[65536];
	ssize_t n;

	if (argc != 2 || strlen(argv[1]) >= sizeof(at.sun_path))
		return 2;
	memcpy(at.sun_path, argv[1], strlen(argv[1]));
	unlink(argv[1]);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at))) {
		fprintf(stderr, "tool_journal: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	while ((n = recv(fd, buf, sizeof(buf), 0)) >= 0) {
		puts("-- datagram");
		fwrite(buf, 1, (size_t)n, stdout);
		fflush(stdout);
	}
	return 1;
}
