/* test_sandbox.c - what a thread's status must not hold, and a real way down */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
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

/* As the kernel writes it, with what one row replaces. */
static void write_status(char *out, size_t bytes, const char *key, const char *value)
{
	static const char *const lines[][2] = {
		{ "Name", "netto" }, { "Uid", "65533\t65533\t65533\t65533" },
		{ "Gid", "65532\t65532\t65532\t65532" }, { "Groups", " " },
		{ "CapInh", "0000000000000000" }, { "CapPrm", "0000000000000000" },
		{ "CapEff", "0000000000000000" }, { "CapBnd", "0000000000000000" },
		{ "CapAmb", "0000000000000000" }, { "NoNewPrivs", "1" }, { "Seccomp", "0" },
	};
	size_t used = 0;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const bool replaced = !strcmp(lines[i][0], key);

		if (replaced && !value)
			continue;
		used += (size_t)snprintf(out + used, bytes - used, "%s:\t%s\n", lines[i][0],
					 replaced ? value : lines[i][1]);
	}
}

static void every_rest_of_privilege_is_found(void **state)
{
	static const struct { const char *key; const char *value; bool from_root; const char *why; }
	rows[] = {
		{ "Uid", "65533\t65533\t0\t65533", true, "a saved uid of root" },
		{ "Uid", "65533\t65533\t65533\t0", true, "a file-system uid of root" },
		{ "Uid", "0\t65533\t65533\t65533", true, "a real uid of root" },
		{ "Gid", "65532\t65532\t0\t65532", true, "a saved group of root" },
		{ "Groups", "0 4 ", true, "groups of root" },
		{ "CapInh", "0000000000000001", true, "inheritable" },
		{ "CapPrm", "0000004000000000", true, "permitted" },
		{ "CapEff", "0000008000000000", true, "effective" },
		{ "CapBnd", "000001ffffffffff", true, "the bounding set of a thread started too early" },
		{ "CapAmb", "0000000000000002", false, "ambient" },
		{ "CapPrm", "0000000000000002", false, "permitted, started without root" },
		{ "NoNewPrivs", "0", true, "may still exec a setuid program" },
		{ "CapEff", NULL, true, "a line that is not there proves nothing" },
		{ "CapEff", "rubbish", true, "nor does rubbish" },
	};
	struct sandbox_promise promise = { .uid = COLLECTOR_ID, .gid = 65532 };
	char status[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *broken;

		promise.from_root = rows[i].from_root;
		write_status(status, sizeof(status), rows[i].key, rows[i].value);
		broken = sandbox_broken(&promise, status);
		if (!broken || strncmp(broken, rows[i].key, strlen(rows[i].key)))
			fail_msg("%s: got %s", rows[i].why, broken ? broken : "nothing");
	}
}

static void a_thread_without_privilege_passes(void **state)
{
	static const struct { const char *key; const char *value; bool from_root; const char *why; }
	rows[] = {
		{ "Name", "Uid:", true, "a name that looks like a key" },
		{ "Groups", "65533 ", false, "a unit's groups, never root" },
		{ "CapBnd", "000000c000000000", false, "a unit's bounding set, never root" },
	};
	struct sandbox_promise promise = { .uid = COLLECTOR_ID, .gid = 65532 };
	char status[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *broken;

		promise.from_root = rows[i].from_root;
		write_status(status, sizeof(status), rows[i].key, rows[i].value);
		broken = sandbox_broken(&promise, status);
		if (broken)
			fail_msg("%s: %s", rows[i].why, broken);
	}
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
	if (sandbox_prepare() || sandbox_check())
		return 1;
	if (sandbox_borrow(COLLECTOR_ID, COLLECTOR_ID) || geteuid() != COLLECTOR_ID ||
	    getegid() != COLLECTOR_ID || open("/etc/shadow", O_RDONLY) >= 0)
		return 2;
	if (sandbox_return() || geteuid() || getegid())
		return 3;
	if (sandbox_enter(COLLECTOR_ID, COLLECTOR_ID, 3))
		return 4;
	if (!setuid(0) || !setgid(0) || open("/etc/shadow", O_RDONLY) >= 0)
		return 5;
	if (prctl(PR_GET_DUMPABLE) || getrlimit(RLIMIT_CORE, &core) || core.rlim_max)
		return 6;
	if (pthread_create(&thread, NULL, nothing, NULL) || pthread_join(thread, NULL))
		return 7;
	if (sandbox_seal())
		return 8;
	return !pthread_create(&thread, NULL, nothing, NULL) || fork() != -1 ? 9 : 0;
}

static int run_child(int (*steps)(void))
{
	const pid_t pid = fork();
	int status;

	if (!pid)
		_exit(steps());
	assert_int_equal(waitpid(pid, &status, 0), pid);
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

static int use_spare_files(void)
{
	int count = 0;

	log_hold();
	if (sandbox_prepare() || sandbox_enter(COLLECTOR_ID, COLLECTOR_ID, 8))
		return 255;
	while (count < 100 && open("/dev/null", O_RDONLY) >= 0)
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
	if (sandbox_prepare() || pthread_create(&thread, NULL, wait_for_ever, NULL))
		return 1;
	return sandbox_enter(COLLECTOR_ID, COLLECTOR_ID, 3) ? 0 : 2;
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
	if (dup2(STDERR_FILENO, 77) != 77 || sandbox_prepare())
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
		cmocka_unit_test(every_rest_of_privilege_is_found),
		cmocka_unit_test(a_thread_without_privilege_passes),
		cmocka_unit_test(root_goes_down_and_finds_no_way_back),
		cmocka_unit_test(as_many_descriptors_are_left_as_were_asked_for),
		cmocka_unit_test(a_thread_started_too_early_is_found),
		cmocka_unit_test(inherited_descriptors_are_closed_and_the_standard_ones_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
