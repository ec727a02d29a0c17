/* test_procfs.c - processes that are followed, and the machine's own accounts */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "procfs.h"

#define NO_PID 4194304       /* PID_MAX_LIMIT itself is never given */
#define BURN_US 60000        /* several ticks at any CONFIG_HZ */

static long user_us(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* User time alone: few system calls. */
static void burn(void)
{
	const long end_us = user_us() + BURN_US;

	/* until the time itself has passed: the machine may be busy */
	while (user_us() < end_us)
		for (volatile int i = 0; i < 100000; i++)
			;
}

/* A child of that name that burns BURN_US of user time for each byte it gets,
 * and answers with one. */
struct worker {
	pid_t pid;
	int to, from;
};

static void run_worker(const char *name, int in, int out)
{
	char byte;

	prctl(PR_SET_NAME, name);
	while (read(in, &byte, 1) == 1) {
		if (byte == 'w')
			burn();
		if (write(out, &byte, 1) != 1)
			break;
	}
	_exit(0);
}

static void tell(struct worker *w, char byte)
{
	assert_int_equal(write(w->to, &byte, 1), 1);
	assert_int_equal(read(w->from, &byte, 1), 1);
}

static struct worker start_worker(const char *name)
{
	int to[2], from[2];
	struct worker w;

	assert_int_equal(pipe(to), 0);
	assert_int_equal(pipe(from), 0);
	w.pid = fork();
	if (!w.pid) {
		close(to[1]);
		run_worker(name, to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	w.to = to[1];
	w.from = from[0];
	tell(&w, '.');   /* it has its name now */
	return w;
}

static void end_worker(struct worker *w)
{
	close(w->to);
	close(w->from);
	(void)kill(w->pid, SIGKILL);   /* later workers hold our ends of its pipes too */
	assert_int_equal(waitpid(w->pid, NULL, 0), w->pid);
}

static const char *const names[] = {
	"plain", "a) R 1 2 (b", "))) ", "new\nline", "\xff\x1b[2J", "",
};

static void user_time_is_followed_whatever_the_process_calls_itself(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct worker w = start_worker(names[i]);
		struct totals totals = { 0 };
		struct procfs *procfs;
		uint64_t first_ns;

		assert_int_equal(procfs_open(&procfs, &w.pid, 1), 0);
		tell(&w, 'w');
		procfs_read(procfs, &totals);
		assert_int_equal(totals.process_count, 1);
		assert_int_equal(totals.processes[0].pid, w.pid);
		assert_string_equal(totals.processes[0].comm, names[i]);
		assert_true(totals.processes[0].alive);
		first_ns = totals.processes[0].user_ns;
		/* the kernel's ticks lag behind by less than two of 10 ms */
		assert_true(first_ns >= BURN_US * 1000ull - 20000000);
		tell(&w, 'w');
		procfs_read(procfs, &totals);
		assert_int_equal(totals.processes[0].user_ns_total,
				 first_ns + totals.processes[0].user_ns);
		procfs_close(procfs);
		end_worker(&w);
	}
}

/* Lines on standard error since capture_messages(). */
static int saved_stderr;
static FILE *messages;

static void capture_messages(void)
{
	saved_stderr = dup(STDERR_FILENO);
	messages = tmpfile();
	dup2(fileno(messages), STDERR_FILENO);
}

static unsigned int count_messages(void)
{
	unsigned int lines = 0;
	int c;

	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	rewind(messages);
	while ((c = fgetc(messages)) != EOF)
		lines += c == '\n';
	fclose(messages);
	return lines;
}

static void a_process_that_ends_is_said_once_and_does_no_harm(void **state)
{
	struct worker ends = start_worker("ends"), stays = start_worker("stays");
	pid_t pids[] = { ends.pid, stays.pid };
	struct totals totals = { 0 };
	struct procfs *procfs;

	(void)state;
	assert_int_equal(procfs_open(&procfs, pids, 2), 0);
	procfs_read(procfs, &totals);
	assert_true(totals.processes[0].alive);
	end_worker(&ends);
	tell(&stays, 'w');
	capture_messages();
	for (int i = 0; i < 3; i++) {
		procfs_read(procfs, &totals);
		assert_false(totals.processes[0].alive);
		assert_int_equal(totals.processes[0].user_ns, 0);
		assert_string_equal(totals.processes[0].comm, "ends");
		assert_true(totals.processes[1].alive);
	}
	assert_int_equal(count_messages(), 1);
	assert_true(totals.processes[1].user_ns_total > 0);
	procfs_close(procfs);
	end_worker(&stays);
}

static void a_pid_that_never_existed_is_said_once(void **state)
{
	const pid_t pid = NO_PID;
	struct totals totals = { 0 };
	struct procfs *procfs;

	(void)state;
	capture_messages();
	assert_int_equal(procfs_open(&procfs, &pid, 1), 0);
	procfs_read(procfs, &totals);
	procfs_read(procfs, &totals);
	assert_int_equal(count_messages(), 1);
	assert_int_equal(totals.processes[0].pid, NO_PID);
	assert_false(totals.processes[0].alive);
	procfs_close(procfs);
}

static void time_of_machine_and_self_is_of_the_period(void **state)
{
	struct worker w = start_worker("load");
	struct totals totals = { 0 };
	struct procfs *procfs;
	const uint64_t start_ns = now_ns();
	uint64_t busy_ns = 0;

	(void)state;
	assert_int_equal(procfs_open(&procfs, NULL, 0), 0);
	tell(&w, 'w');
	burn();
	procfs_read(procfs, &totals);
	assert_int_equal(totals.process_count, 0);
	assert_true(totals.period.aggregator_cpu_ns >= BURN_US * 1000ull - 1000000);
	for (int i = 0; i < PROC_STAT_COUNT; i++)
		busy_ns += totals.proc_stat_ns[i];
	assert_true(busy_ns >= BURN_US * 1000ull);
	/* of the period, not since boot */
	assert_true(busy_ns <= 2 * (now_ns() - start_ns) * (uint64_t)sysconf(_SC_NPROCESSORS_CONF));
	procfs_read(procfs, &totals);
	assert_true(totals.period.aggregator_cpu_ns < BURN_US * 1000ull);
	procfs_close(procfs);
	end_worker(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(user_time_is_followed_whatever_the_process_calls_itself),
		cmocka_unit_test(a_process_that_ends_is_said_once_and_does_no_harm),
		cmocka_unit_test(a_pid_that_never_existed_is_said_once),
		cmocka_unit_test(time_of_machine_and_self_is_of_the_period),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
