/* test_sandbox.c - a real way down */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/securebits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "sandbox.h"

#define COLLECTOR_ID 65533
#define LOCKED (SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED | \
		SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

static const struct filter_files no_files = { -1, -1, -1, -1 };

/* Down, with a runtime directory that stays empty. */
static int enter(unsigned int spare_files)
{
	const struct confine_files files = {
		.runtime_dir = open("/dev/shm", O_PATH | O_DIRECTORY | O_CLOEXEC),
	};

	return sandbox_enter(COLLECTOR_ID, COLLECTOR_ID, spare_files, &files);
}

static void *nothing(void *arg)
{
	return arg;
}

/* The steps of a child that went down; the number of the first that failed. */
static int go_down(void)
{
	struct rlimit core;
	pthread_t thread;

	log_hold();
	if (sandbox_prepare(-1) || sandbox_check())
		return 1;
	if (sandbox_borrow(COLLECTOR_ID, COLLECTOR_ID) || geteuid() != COLLECTOR_ID ||
	    getegid() != COLLECTOR_ID || open("/etc/shadow", O_RDONLY) >= 0)
		return 2;
	if (sandbox_return() || geteuid() || getegid())
		return 3;
	if (enter(3))
		return 4;
	if (!setuid(0) || !setgid(0) || open("/etc/shadow", O_RDONLY) >= 0)
		return 5;
	if (prctl(PR_GET_DUMPABLE) || getrlimit(RLIMIT_CORE, &core) || core.rlim_max)
		return 6;
	if ((prctl(PR_GET_SECUREBITS) & LOCKED) != LOCKED)
		return 7;
	if (pthread_create(&thread, NULL, nothing, NULL) || pthread_join(thread, NULL))
		return 8;
	return sandbox_seal(&no_files) ? 9 : 0;
}

static int go_down_and_start_a_thread(void)
{
	pthread_t thread;
	const int failed = go_down();

	if (failed)
		return failed;
	(void)pthread_create(&thread, NULL, nothing, NULL);
	return 10;
}

static int wait_for_child(int (*steps)(void))
{
	const pid_t pid = fork();
	int status;

	if (!pid)
		_exit(steps());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static int run_child(int (*steps)(void))
{
	const int status = wait_for_child(steps);

	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void root_goes_down_and_finds_no_way_back(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	assert_int_equal(run_child(go_down), 0);
}

static void a_sealed_process_starts_nothing(void **state)
{
	int status;

	(void)state;
	if (geteuid())
		skip();
	status = wait_for_child(go_down_and_start_a_thread);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static int use_spare_files(void)
{
	int count = 0;

	log_hold();
	if (sandbox_prepare(-1) || enter(8))
		return 255;
	while (count < 100 && dup(STDERR_FILENO) >= 0)
		count++;
	return count;
}

static void as_many_descriptors_are_left_as_were_asked_for(void **state)
{
	int count;

	(void)state;
	if (geteuid())
		skip();
	count = run_child(use_spare_files);
	assert_in_range(count, 8, 16);
}

/* What the seal says of a process that has undone a part of the way down. */
static int go_down_and_be_seen(void)
{
	log_hold();
	if (sandbox_prepare(-1) || enter(3) || prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
		return 1;
	return sandbox_seal(&no_files) ? 0 : 2;
}

static void a_process_that_can_be_looked_into_is_not_sealed(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	assert_int_equal(run_child(go_down_and_be_seen), 0);
}

static void *wait_for_ever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/* A thread from before has kept its bounding set: that must not pass. */
static int go_down_with_a_thread(void)
{
	pthread_t thread;

	log_hold();
	if (sandbox_prepare(-1) || pthread_create(&thread, NULL, wait_for_ever, NULL))
		return 1;
	return enter(3) ? 0 : 2;
}

static void a_thread_started_too_early_is_found(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	assert_int_equal(run_child(go_down_with_a_thread), 0);
}

static int close_inherited(void)
{
	log_hold();
	close(STDIN_FILENO);
	if (dup2(STDERR_FILENO, 77) != 77 || sandbox_prepare(-1))
		return 1;
	return fcntl(77, F_GETFD) >= 0 || fcntl(STDIN_FILENO, F_GETFD) < 0;
}

static void inherited_descriptors_are_closed_and_the_standard_ones_open(void **state)
{
	(void)state;
	assert_int_equal(run_child(close_inherited), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(root_goes_down_and_finds_no_way_back),
		cmocka_unit_test(a_sealed_process_starts_nothing),
		cmocka_unit_test(as_many_descriptors_are_left_as_were_asked_for),
		cmocka_unit_test(a_process_that_can_be_looked_into_is_not_sealed),
		cmocka_unit_test(a_thread_started_too_early_is_found),
		cmocka_unit_test(inherited_descriptors_are_closed_and_the_standard_ones_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
