/* children.c - the two processes that netto starts and takes down */
#include "children.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exit_status.h"
#include "log.h"

void child_add(struct child *child, const char *option, const char *value)
{
	size_t n = 0;
	char *joined;

	while (child->args[n])
		n++;
	assert(n + 1 < CHILD_ARGS_MAX);
	if (!value) {
		child->args[n] = option;
		return;
	}
	/* lives as long as netto does */
	if (asprintf(&joined, "%s=%s", option, value) < 0)
		abort();
	child->args[n] = joined;
}

/* Beside netto itself, as in a build tree, or in sbin next to its bin. */
static int find_program(const char *program, char path[static PATH_MAX])
{
	static const char *const places[] = { "%.*s/%s", "%.*s/../sbin/%s" };
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0)
		return -errno;
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int written = snprintf(path, PATH_MAX, places[i], (int)strlen(self), self, program);

		if (written > 0 && written < PATH_MAX && !access(path, X_OK))
			return 0;
	}
	return -ENOENT;
}

static int become_user(const struct child *child)
{
	if (!child->drop)
		return 0;
	if (setgroups(1, &child->gid) || setresgid(child->gid, child->gid, child->gid) ||
	    setresuid(child->uid, child->uid, child->uid))
		return -errno;
	return 0;
}

static void run_program(struct child *child)
{
	char path[PATH_MAX];
	int err = find_program(child->program, path);

	if (!err)
		err = become_user(child);
	if (!err) {
		execv(path, (char *const *)child->args);
		err = -errno;
	}
	log_error("cannot start %s: %s: is it installed beside netto?", child->program,
		  strerror(-err));
}

/* The kernel forgets this signal when a process changes its user, so it is
 * asked for after that; a parent that died in between is seen by getppid(). */
static void die_with(pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(EX_SOFTWARE);
}

static void run_child(struct child *child, pid_t parent)
{
	sigset_t none;
	int null;

	(void)setpgid(0, 0);
	if (child->foreground)
		(void)tcsetpgrp(STDIN_FILENO, getpgrp());
	sigemptyset(&none);
	signal(SIGTTOU, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (!child->drop) {
		/* the collector reads nothing from anybody */
		null = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (null >= 0)
			(void)dup2(null, STDIN_FILENO);
	}
	if (child->output_fd)
		(void)dup2(child->output_fd, STDOUT_FILENO);
	if (become_user(child)) {
		log_error("cannot become uid %u: %s", child->uid, strerror(errno));
		_exit(EX_NOPERM);
	}
	child->drop = false;
	die_with(parent);
	run_program(child);
	_exit(EX_SOFTWARE);
}

int child_start(struct child *child)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid < 0) {
		log_error("cannot start %s: %s", child->program, strerror(errno));
		return EXIT_ERR(EX_SOFTWARE);
	}
	if (!pid)
		run_child(child, parent);
	/* in both, so that neither depends on who runs first */
	(void)setpgid(pid, pid);
	if (child->foreground)
		(void)tcsetpgrp(STDIN_FILENO, pid);
	child->pid = pid;
	return 0;
}

int child_become(struct child *child)
{
	run_program(child);
	return EXIT_ERR(EX_SOFTWARE);
}

void child_stop_with(const struct child *child)
{
	if (child->foreground)
		(void)tcsetpgrp(STDIN_FILENO, getpgrp());
	raise(SIGSTOP);
}

void child_continue(const struct child *child)
{
	/* in the background (bg) the terminal is somebody else's */
	if (child->foreground && tcgetpgrp(STDIN_FILENO) == getpgrp())
		(void)tcsetpgrp(STDIN_FILENO, child->pid);
	(void)kill(-child->pid, SIGCONT);
}

static void end_process(struct child *child, int timeout_ms)
{
	(void)kill(child->pid, SIGTERM);
	(void)kill(child->pid, SIGCONT);   /* a stopped one does not hear SIGTERM */
	for (int waited_ms = 0; waited_ms < timeout_ms; waited_ms += 10) {
		if (waitpid(child->pid, NULL, WNOHANG) == child->pid) {
			child->pid = 0;
			return;
		}
		usleep(10 * 1000);
	}
	(void)kill(child->pid, SIGKILL);
	(void)waitpid(child->pid, NULL, 0);
	child->pid = 0;
}

void child_end(struct child *child, int timeout_ms)
{
	if (child->pid)
		end_process(child, timeout_ms);
	/* a script that goes on after netto needs the terminal; a shell takes it itself */
	if (child->foreground)
		(void)tcsetpgrp(STDIN_FILENO, getpgrp());
}
