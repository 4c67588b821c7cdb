// SPDX-License-Identifier: GPL-2.0-only
/*
 * Run a command and do something at its N-th system call (ptrace; the command's first own call is 1).
 *
 *   tool_kill count FILE -- COMMAND…         run to the end; FILE gets a line "N name" per call
 *   tool_kill kill N -- COMMAND…             SIGKILL before call N is executed
 *   tool_kill fail N ERRNO -- COMMAND…       call N is not executed and returns -ERRNO
 *   tool_kill failbpf N ERRNO -- COMMAND…    the same, counting calls of bpf(2) alone
 *
 * The exit status is the command's; 137 when it was killed, 200 when it ended before call N, 3 when tracing broke.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum action { ACTION_COUNT, ACTION_KILL, ACTION_FAIL, ACTION_FAIL_BPF };

struct trace {
	enum action action;
	unsigned long at; /* the call meant */
	int err;
	FILE *out;
	pid_t pid;
	unsigned long calls, bpf_calls;
	bool failing; /* between entry and exit of the call that fails */
	bool done;
};

static void die(const char *what)
{
	fprintf(stderr, "tool_kill: %s: %s\n", what, strerror(errno));
	exit(3);
}

/* The call is replaced by an invalid one on entry, and its result written on exit. */
static void set_call(pid_t pid, bool entry, int err)
{
#ifdef __x86_64__
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs))
		die("PTRACE_GETREGS");
	if (entry)
		regs.orig_rax = (unsigned long)-1;
	else
		regs.rax = (unsigned long)-err;
	if (ptrace(PTRACE_SETREGS, pid, NULL, &regs))
		die("PTRACE_SETREGS");
#else
	(void)pid;
	(void)entry;
	(void)err;
	fprintf(stderr, "tool_kill: cannot make calls fail on this machine\n");
	exit(3);
#endif
}

static void log_call(const struct trace *t, const struct __ptrace_syscall_info *info)
{
	if (!t->out)
		return;
	if (info->entry.nr == SYS_bpf)
		fprintf(t->out, "%lu bpf:%llu\n", t->calls, (unsigned long long)info->entry.args[0]);
	else
		fprintf(t->out, "%lu %llu\n", t->calls, (unsigned long long)info->entry.nr);
}

static void on_entry(struct trace *t, const struct __ptrace_syscall_info *info)
{
	bool hit;

	t->calls++;
	t->bpf_calls += info->entry.nr == SYS_bpf;
	log_call(t, info);
	if (t->action == ACTION_FAIL_BPF)
		hit = info->entry.nr == SYS_bpf && t->bpf_calls == t->at;
	else
		hit = t->calls == t->at;
	if (!hit || t->action == ACTION_COUNT)
		return;
	t->done = true;
	if (t->action == ACTION_KILL) {
		/* A fatal signal at the entry stop: the call is not executed. */
		kill(t->pid, SIGKILL);
		return;
	}
	t->failing = true;
	set_call(t->pid, true, 0);
}

/* One stop of the command; false when it has ended and *ret_status is its status. */
static bool on_stop(struct trace *t, int *ret_status)
{
	struct __ptrace_syscall_info info;
	int status, sig = 0;

	if (waitpid(t->pid, &status, __WALL) < 0)
		die("waitpid");
	if (WIFEXITED(status) || WIFSIGNALED(status)) {
		*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		return false;
	}
	if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
		if (ptrace(PTRACE_GET_SYSCALL_INFO, t->pid, sizeof(info), &info) < 0) {
			if (errno == ESRCH)
				return true;
			die("PTRACE_GET_SYSCALL_INFO");
		}
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
			on_entry(t, &info);
		} else if (t->failing) {
			set_call(t->pid, false, t->err);
			t->failing = false;
		}
	} else if (WSTOPSIG(status) != SIGTRAP) {
		sig = WSTOPSIG(status);
	}
	if (ptrace(PTRACE_SYSCALL, t->pid, NULL, (void *)(long)sig) && errno != ESRCH)
		die("PTRACE_SYSCALL");
	return true;
}

static void start(struct trace *t, char **command)
{
	int status;

	t->pid = fork();
	if (t->pid < 0)
		die("fork");
	if (!t->pid) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			die("PTRACE_TRACEME");
		execvp(command[0], command);
		die(command[0]);
	}
	if (waitpid(t->pid, &status, __WALL) < 0 || !WIFSTOPPED(status))
		die("the command did not start");
	if (ptrace(PTRACE_SETOPTIONS, t->pid, NULL, (void *)(long)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)))
		die("PTRACE_SETOPTIONS");
	if (ptrace(PTRACE_SYSCALL, t->pid, NULL, NULL))
		die("PTRACE_SYSCALL");
}

static char **parse_arguments(struct trace *t, int argc, char **argv)
{
	static const char *const words[] = {"count", "kill", "fail", "failbpf"};
	int i = 2;

	if (argc < 5)
		goto usage;
	while ((int)t->action < 4 && strcmp(argv[1], words[t->action]))
		t->action++;
	if ((int)t->action == 4)
		goto usage;
	if (t->action == ACTION_COUNT) {
		t->out = fopen(argv[i++], "w");
		if (!t->out)
			die(argv[2]);
	} else {
		t->at = strtoul(argv[i++], NULL, 10);
	}
	if (t->action >= ACTION_FAIL)
		t->err = atoi(argv[i++]);
	if (i + 1 < argc && !strcmp(argv[i], "--"))
		return argv + i + 1;
usage:
	fprintf(stderr, "see the top of tool_kill.c\n");
	exit(3);
}

int main(int argc, char **argv)
{
	struct trace t = {0};
	char **command = parse_arguments(&t, argc, argv);
	int status;

	start(&t, command);
	while (on_stop(&t, &status))
		;
	if (t.out && fclose(t.out))
		die("cannot write the list");
	return t.action != ACTION_COUNT && !t.done ? 200 : status;
}
