/* test_collector_options.c - the command line, each mistake in one line */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "options.h"

#define ARGS_MAX 8
#define GOES_ON 200   /* no exit status of the program's */

#define args(...) { "netto-collector", __VA_ARGS__, NULL }

/* Parse in a child; its exit status, GOES_ON if it did not end, and what it said. */
static int parse(char *const argv[], char *said, size_t said_bytes)
{
	int channel[2], status, argc = 0;
	ssize_t bytes, used = 0;
	pid_t pid;

	while (argv[argc])
		argc++;
	assert_return_code(pipe(channel), errno);
	pid = fork();
	if (!pid) {
		struct options options;

		dup2(channel[1], STDERR_FILENO);
		dup2(channel[1], STDOUT_FILENO);
		log_open("netto-collector");
		options_parse(&options, argc, (char **)argv);
		_exit(GOES_ON);
	}
	close(channel[1]);
	while ((bytes = read(channel[0], said + used, said_bytes - 1 - used)) > 0)
		used += bytes;
	said[used] = '\0';
	close(channel[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void a_mistake_is_one_line_with_the_value_seen(void **state)
{
	static const struct { char *argv[ARGS_MAX]; const char *says; } rows[] = {
		{ args("-f", "0"), "--frequency 0: " },
		{ args("-f", "-5"), "--frequency -5: " },
		{ args("--frequency=12q"), "--frequency 12q: " },
		{ args("-f", "10001"), "give 1 to 10000" },
		{ args("-f", ""), "--frequency : " },
		{ args("-f"), "-f: its value is missing" },
		{ args("--period=99"), "give 100 to 60000" },
		{ args("--period=60001"), "--period 60001: " },
		{ args("--period"), "--period: its value is missing" },
		{ args("--ring-size=3MiB"), "--ring-size 3MiB: " },
		{ args("--ring-size=4194304"), "a power of two from 64KiB" },
		{ args("--ring-size=32KiB"), "--ring-size 32KiB: " },
		{ args("--ring-size=2048MiB"), "--ring-size 2048MiB: " },
		{ args("--ring-size=99999999999999999999MiB"), "a power of two" },
		{ args("--ring-size=MiB"), "--ring-size MiB: " },
		{ args("--ring-size=-4MiB"), "--ring-size -4MiB: " },
		{ args("--user=no-such-user-here"), "--user no-such-user-here: " },
		{ args("--user=0"), "cannot stay root" },
		{ args("--runtime-dir="), "--runtime-dir: an empty value" },
		{ args("--exact-syscalls=yes"), "--exact-syscalls yes: no such way" },
		{ args("--exact-syscalls="), "give auto, fentry, tracepoint or off" },
		{ args("--exact-syscalls"), "--exact-syscalls: its value is missing" },
		{ args("--no-filter=yes"), "--no-filter=yes: " },
		{ args("--check=yes"), "--check=yes: " },
		{ args("-x"), "-x: no such option" },
		{ args("--wrong"), "--wrong: no such option" },
		{ args("word"), "word: an argument too many" },
	};
	char said[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int status = parse(rows[i].argv, said, sizeof(said));
		const char *end = strchr(said, '\n');

		if (status != 64 || !strstr(said, rows[i].says) || !end || end[1])
			fail_msg("%s %s: %d, \"%s\"", rows[i].argv[1],
				 rows[i].argv[2] ? rows[i].argv[2] : "", status, said);
	}
}

static void help_and_version_end_well(void **state)
{
	static const struct { char *argv[ARGS_MAX]; const char *says; } rows[] = {
		{ args("-h"), "usage: netto-collector" },
		{ args("--help"), "--ring-size=" },
		{ args("-V"), "netto-collector " NETTO_VERSION "\n" },
		{ args("--version"), "netto-collector " },
	};
	char said[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(parse(rows[i].argv, said, sizeof(said)), 0);
		assert_non_null(strstr(said, rows[i].says));
	}
}

static void defaults_are_those_of_the_help(void **state)
{
	char *argv[] = args("--runtime-dir=/run/netto");
	struct options o;

	(void)state;
	options_parse(&o, 1, argv);
	assert_string_equal(o.runtime_dir, "/run/netto");
	assert_int_equal(o.rate_hz, 997);
	assert_int_equal(o.period_ns, 500000000);
	assert_int_equal(o.ring_bytes, 4 << 20);
	assert_true(o.filter);
	assert_false(o.check);
	assert_int_equal(o.exact, PROBES_EXACT_AUTO);
	assert_int_not_equal(o.uid, 0);
}

static void every_option_arrives(void **state)
{
	char *argv[] = args("-f", "10", "--period=1000", "--ring-size=64KiB", "--no-filter",
			    "--runtime-dir=/x", "--exact-syscalls=off", "--check");
	struct options o;

	(void)state;
	optind = 1;
	options_parse(&o, 9, argv);
	assert_int_equal(o.rate_hz, 10);
	assert_int_equal(o.period_ns, 1000000000);
	assert_int_equal(o.ring_bytes, 64 << 10);
	assert_string_equal(o.runtime_dir, "/x");
	assert_false(o.filter);
	assert_true(o.check);
	assert_int_equal(o.exact, PROBES_EXACT_OFF);
}

static void sends_and_receives_are_timed_in_four_ways(void **state)
{
	static const struct { const char *text; enum probes_exact_mode want; } rows[] = {
		{ "--exact-syscalls=auto", PROBES_EXACT_AUTO },
		{ "--exact-syscalls=fentry", PROBES_EXACT_FENTRY },
		{ "--exact-syscalls=tracepoint", PROBES_EXACT_TRACEPOINT },
		{ "--exact-syscalls=off", PROBES_EXACT_OFF },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *argv[] = args((char *)rows[i].text);
		struct options o;

		optind = 1;
		options_parse(&o, 2, argv);
		assert_int_equal(o.exact, rows[i].want);
	}
}

static void sizes_are_written_in_four_ways(void **state)
{
	static const struct { const char *text; uint32_t want; } rows[] = {
		{ "--ring-size=8MiB", 8 << 20 }, { "--ring-size=8M", 8 << 20 },
		{ "--ring-size=512KiB", 512 << 10 }, { "--ring-size=512K", 512 << 10 },
		{ "--ring-size=1024MiB", 1024 << 20 }, { "--ring-size=1024KiB", 1 << 20 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *argv[] = args((char *)rows[i].text);
		struct options o;

		optind = 1;
		options_parse(&o, 2, argv);
		assert_int_equal(o.ring_bytes, rows[i].want);
	}
}

static void root_becomes_whom_it_is_told(void **state)
{
	char *argv[] = args("--user=1234:5678");
	struct options o;

	(void)state;
	if (geteuid())
		skip();
	optind = 1;
	options_parse(&o, 2, argv);
	assert_int_equal(o.uid, 1234);
	assert_int_equal(o.gid, 5678);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mistake_is_one_line_with_the_value_seen),
		cmocka_unit_test(help_and_version_end_well),
		cmocka_unit_test(defaults_are_those_of_the_help),
		cmocka_unit_test(every_option_arrives),
		cmocka_unit_test(sizes_are_written_in_four_ways),
		cmocka_unit_test(sends_and_receives_are_timed_in_four_ways),
		cmocka_unit_test(root_becomes_whom_it_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
