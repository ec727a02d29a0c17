/* main.c - netto: one command for one machine
 *
 * Makes the runtime directory, starts netto-collector as root and
 * netto-aggregator as an unprivileged user, and takes both down together. It
 * stays root and reads nothing but its children's exit statuses.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "children.h"
#include "exit_status.h"
#include "log.h"
#include "options.h"
#include "parse.h"
#include "runtime_dir.h"

#define COLLECTOR_USER "netto-collector"
#define COLLECTOR_ID 65533
#define AGGREGATOR_USER "netto"
#define AGGREGATOR_ID 65532
#define END_TIMEOUT_MS 5000
#define RESTART_PAUSE_NS 1000000000ull
#define READY_POLL_NS 50000000

struct launcher {
	struct options options;
	struct runtime_dir dir;
	struct child collector;
	struct child aggregator;
	uid_t collector_uid;
	gid_t collector_gid;
	sigset_t signals;
	bool has_terminal;      /* a controlling one: closing it ends netto */
	uint64_t started_ns;    /* the collector, last */
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

/* A user of that name if there is one, else the number. */
static void default_user(const char *name, uid_t number, uid_t *uid, gid_t *gid)
{
	const struct passwd *pw = getpwnam(name);

	*uid = pw ? pw->pw_uid : number;
	*gid = pw ? pw->pw_gid : number;
}

static int choose_aggregator_user(struct launcher *l, gid_t group)
{
	gid_t own;

	if (!l->options.user) {
		default_user(AGGREGATOR_USER, AGGREGATOR_ID, &l->aggregator.uid, &own);
	} else if (parse_user(l->options.user, &l->aggregator.uid, &own)) {
		log_error("--user %s: no such user: give a name or a number", l->options.user);
		return EXIT_ERR(EX_USAGE);
	}
	l->aggregator.gid = group;
	l->aggregator.drop = true;
	if (l->aggregator.uid == 0 || l->aggregator.uid == l->collector_uid) {
		log_error("--user: the aggregator cannot run as uid %u: it must be neither root nor the "
			  "collector's user %u: give another", l->aggregator.uid, l->collector_uid);
		return EXIT_ERR(EX_USAGE);
	}
	return 0;
}

static int choose_users(struct launcher *l)
{
	if (geteuid()) {
		log_error("only root can load BPF programs and start a collector: use sudo, or \"netto "
			  "top\" to look at one that runs");
		return EXIT_ERR(EX_NOPERM);
	}
	default_user(COLLECTOR_USER, COLLECTOR_ID, &l->collector_uid, &l->collector_gid);
	return choose_aggregator_user(l, l->collector_gid);
}

/* The aggregator appends as its own user: a new file is made for it, one that
 * is there already keeps its owner. */
static int make_log_file(const struct launcher *l)
{
	const char *path = l->options.log_file;
	int fd, err = 0;

	if (!path)
		return 0;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0 && errno == EEXIST)
		return 0;
	if (fd < 0 || fchown(fd, l->aggregator.uid, l->aggregator.gid)) {
		log_error("cannot create %s: %s: give --log-file a path that can be written", path,
			  strerror(errno));
		err = EXIT_ERR(EX_CANTCREAT);
	}
	if (fd >= 0)
		close(fd);
	return err;
}

static void prepare_collector(struct launcher *l)
{
	struct child *c = &l->collector;

	c->program = "netto-collector";
	child_add(c, c->program, NULL);
	child_add(c, "--runtime-dir", l->options.runtime_dir);
	if (l->options.frequency)
		child_add(c, "--frequency", l->options.frequency);
	if (l->options.period)
		child_add(c, "--period", l->options.period);
	if (l->options.exact_syscalls)
		child_add(c, "--exact-syscalls", l->options.exact_syscalls);
}

static void prepare_aggregator(struct launcher *l)
{
	const struct options *o = &l->options;
	struct child *a = &l->aggregator;
	bool named = o->log_file || o->prometheus;

	a->program = "netto-aggregator";
	child_add(a, a->program, NULL);
	child_add(a, "--runtime-dir", o->runtime_dir);
	if (o->log_file)
		child_add(a, "--log-file", o->log_file);
	if (o->prometheus)
		child_add(a, "--prometheus", o->prometheus_address);
	if (o->pids)
		child_add(a, "--user-pids", o->pids);
	if (o->table)
		child_add(a, "--table", NULL);
	/* A table owns the terminal, and so does the plain default on one. */
	a->foreground = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) &&
			tcgetpgrp(STDIN_FILENO) == getpgrp() && (o->table || !named);
}

/* Blocked, and taken one by one in wait_for_signal(): no handler runs here. */
static void block_signals(struct launcher *l)
{
	static const int wanted[] = { SIGCHLD, SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGCONT };
	int terminal = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);

	l->has_terminal = terminal >= 0;
	if (terminal >= 0)
		close(terminal);
	sigemptyset(&l->signals);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		sigaddset(&l->signals, wanted[i]);
	sigprocmask(SIG_BLOCK, &l->signals, NULL);
	/* tcsetpgrp() from the background, when the terminal is taken back */
	signal(SIGTTOU, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
}

static int start_collector(struct launcher *l)
{
	l->started_ns = now_ns();
	return child_start(&l->collector);
}

/* What an ended child means for the whole: 0 or EXIT_ERR(). */
static int end_status(const struct child *child, int status)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status) ? EXIT_ERR(WEXITSTATUS(status)) : 0;
	log_error("%s was killed by signal %d (%s)", child->program, WTERMSIG(status),
		  strsignal(WTERMSIG(status)));
	return EXIT_ERR(EX_SOFTWARE);
}

/* Only a set of CPUs that changed is mended by a fresh start. */
static int restart_collector(struct launcher *l)
{
	uint64_t age_ns = now_ns() - l->started_ns;
	struct timespec pause = { .tv_nsec = 0 };

	if (age_ns < RESTART_PAUSE_NS) {
		pause.tv_nsec = RESTART_PAUSE_NS - age_ns - 1;
		nanosleep(&pause, NULL);
	}
	return start_collector(l);
}

/* Reap what ended. 1: go on; 0 or EXIT_ERR(): netto ends with that. */
static int on_child(struct launcher *l)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		if (WIFSTOPPED(status)) {
			if (pid == l->aggregator.pid && l->aggregator.foreground)
				child_stop_with(&l->aggregator);
			continue;
		}
		if (pid == l->collector.pid) {
			l->collector.pid = 0;
			if (!WIFEXITED(status) || WEXITSTATUS(status) != EX_TEMPFAIL)
				return end_status(&l->collector, status);
			if (restart_collector(l))
				return EXIT_ERR(EX_SOFTWARE);
		} else if (pid == l->aggregator.pid) {
			l->aggregator.pid = 0;
			return end_status(&l->aggregator, status);
		}
	}
	return 1;
}

/* 1: go on; 0 or EXIT_ERR(): netto ends with that. */
static int on_signal(struct launcher *l, int signal)
{
	switch (signal) {
	case SIGCHLD:
		return on_child(l);
	case SIGCONT:
		if (l->aggregator.pid && l->aggregator.foreground)
			child_continue(&l->aggregator);
		return 1;
	case SIGHUP:
		if (l->has_terminal)
			return 0;
		if (l->aggregator.pid)
			kill(l->aggregator.pid, SIGHUP);
		return 1;
	default:
		return 0;
	}
}

/* Loading BPF programs can take a while on a busy machine; the aggregator is
 * started when there is something to read. 1: ready; else as on_signal(). */
static int wait_until_ready(struct launcher *l)
{
	const struct timespec poll = { .tv_nsec = READY_POLL_NS };

	while (!runtime_dir_is_ready(&l->dir)) {
		int signal = sigtimedwait(&l->signals, NULL, &poll);
		int next = signal > 0 ? on_signal(l, signal) : 1;

		if (next != 1)
			return next;
	}
	return 1;
}

static int supervise(struct launcher *l)
{
	int next = wait_until_ready(l);

	if (next == 1 && child_start(&l->aggregator))
		next = EXIT_ERR(EX_SOFTWARE);
	while (next == 1) {
		int signal = sigwaitinfo(&l->signals, NULL);

		if (signal > 0)
			next = on_signal(l, signal);
	}
	return next;
}

static int run(struct launcher *l)
{
	int err;

	err = choose_users(l);
	if (!err)
		err = make_log_file(l);
	if (!err)
		err = runtime_dir_open(&l->dir, l->options.runtime_dir, l->collector_uid,
				       l->collector_gid);
	if (!err) {
		prepare_collector(l);
		prepare_aggregator(l);
		block_signals(l);
		err = start_collector(l);
	}
	if (!err)
		err = supervise(l);

	child_end(&l->aggregator, END_TIMEOUT_MS);
	child_end(&l->collector, END_TIMEOUT_MS);
	runtime_dir_close(&l->dir);
	return err;
}

/* As root, become the unprivileged consumer; as anybody else, be it already. */
static int top(struct launcher *l)
{
	gid_t group;
	int err = 0;

	if (!geteuid()) {
		err = runtime_dir_group(l->options.runtime_dir, &group);
		default_user(COLLECTOR_USER, COLLECTOR_ID, &l->collector_uid, &l->collector_gid);
		if (!err)
			err = choose_aggregator_user(l, group);
	}
	if (!err)
		err = make_log_file(l);
	if (err)
		return err;
	prepare_aggregator(l);
	return child_become(&l->aggregator);
}

int main(int argc, char *argv[])
{
	static struct launcher l;   /* what its arguments point to lives as long as netto */
	int err;

	log_open("netto");
	options_parse(&l.options, argc, argv);
	if (l.options.command == COMMAND_CHECK)
		err = check_command(&l.options.check);
	else
		err = l.options.command == COMMAND_TOP ? top(&l) : run(&l);
	return exit_status(err);
}
