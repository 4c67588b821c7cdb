// SPDX-License-Identifier: GPL-2.0-only
#include "harness/killed.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Calls that only look, or only touch the process itself: a kill before one of them leaves what the next one finds. */
static bool changes_nothing(long nr)
{
	switch (nr) {
	case SYS_read:
	case SYS_pread64:
	case SYS_write:
	case SYS_lseek:
	case SYS_brk:
	case SYS_mprotect:
	case SYS_openat:
	case SYS_newfstatat:
	case SYS_fstat:
	case SYS_fstatfs:
	case SYS_readlinkat:
	case SYS_getrandom:
	case SYS_getsockopt:
	case SYS_getdents64:
	case SYS_fcntl:
	case SYS_faccessat:
	case SYS_prlimit64:
	case SYS_uname:
	case SYS_capget:
	case SYS_clock_gettime:
		return true;
	}
	return false;
}

bool killed_at(void (*fn)(void), unsigned int n)
{
	unsigned int seen = 0;
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	for (;;) {
		struct __ptrace_syscall_info info;

		ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			return false;
		}
		assert_true(WIFSTOPPED(status));
		if (WSTOPSIG(status) != (SIGTRAP | 0x80))
			continue;
		if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0 && info.op == PTRACE_SYSCALL_INFO_ENTRY &&
		    !changes_nothing((long)info.entry.nr) && seen++ == n) {
			kill(pid, SIGKILL);
			assert_int_equal(waitpid(pid, &status, 0), pid);
			return true;
		}
	}
}
