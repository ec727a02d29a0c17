/* test_options.c - the command line of netto-aggregator */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "log.h"
#include "options.h"

#define ARGS_MAX 8
#define PARSED 200   /* status of a child whose options were taken */

struct outcome {
	int status;
	char out[4096];
	char err[4096];
};

static void read_back(FILE *file, char *text, size_t bytes)
{
	rewind(file);
	text[fread(text, 1, bytes - 1, file)] = '\0';
	fclose(file);
}

/* options_parse() may end the program: let it end a child. */
static void parse_in_child(const char *const args[], struct outcome *outcome)
{
	FILE *out = tmpfile(), *err = tmpfile();
	char *argv[ARGS_MAX + 1] = { "netto-aggregator" };
	int argc = 1, status;
	pid_t pid;

	for (; args[argc - 1]; argc++)
		argv[argc] = (char *)args[argc - 1];
	fflush(NULL);
	pid = fork();
	if (!pid) {
		struct options options;

		dup2(fileno(out), STDOUT_FILENO);
		dup2(fileno(err), STDERR_FILENO);
		log_open("netto-aggregator");
		options_parse(&options, argc, argv);
		_exit(PARSED);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	outcome->status = WEXITSTATUS(status);
	read_back(out, outcome->out, sizeof(outcome->out));
	read_back(err, outcome->err, sizeof(outcome->err));
}

static const struct { const char *args[ARGS_MAX]; const char *says; } refused[] = {
	{ { "--nonsense" }, "--nonsense: not an option" },
	{ { "--log-x" }, "--log-x: not an option" },
	{ { "--l" }, "--l: not an option, or short for several" },
	{ { "-x" }, "-x: not an option" },
	{ { "file" }, "file: not an option" },
	{ { "--log", "file" }, "file: not an option" },
	{ { "-u" }, "-u: its value is missing" },
	{ { "--log-file" }, "--log-file: its value is missing" },
	{ { "--log=yes" }, "--log=yes: takes no value" },
	{ { "--log-file=" }, "--log-file: an empty value" },
	{ { "--runtime-dir", "" }, "--runtime-dir: an empty value" },
	{ { "-u", "1,x" }, "--user-pids 1,x: not a list of pids" },
	{ { "-u", "0" }, "--user-pids 0: not a list of pids" },
	{ { "-u", "7,7" }, "--user-pids 7,7: a pid stands there twice" },
	{ { "--prometheus", "127.0.0.1" }, "--prometheus 127.0.0.1: not an address" },
	{ { "--prometheus=:99999" }, "--prometheus :99999: not an address" },
	{ { "--table", "--log" }, "--table and --log both want standard output" },
};

static void a_mistake_is_one_clear_line_and_status_64(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct outcome outcome;
		char *newline;

		parse_in_child(refused[i].args, &outcome);
		newline = strchr(outcome.err, '\n');
		if (outcome.status != 64 || *outcome.out || !strstr(outcome.err, refused[i].says) ||
		    strncmp(outcome.err, "netto-aggregator: ", 18) || !newline || newline[1])
			fail_msg("%s: status %d, out %s, err %s", refused[i].says, outcome.status,
				 outcome.out, outcome.err);
	}
}

static void too_many_pids_are_refused_without_repeating_them(void **state)
{
	char list[4096] = "";
	const char *args[] = { "-u", list, NULL };
	struct outcome outcome;

	(void)state;
	for (int i = 1; i <= OPTIONS_PIDS_MAX + 1; i++)
		sprintf(list + strlen(list), "%s%d", i > 1 ? "," : "", i);
	parse_in_child(args, &outcome);
	assert_int_equal(outcome.status, 64);
	assert_string_equal(outcome.err,
			    "netto-aggregator: --user-pids: too many pids: give at most 256\n");
}

static void help_and_version_go_to_standard_output(void **state)
{
	static const struct { const char *args[ARGS_MAX]; const char *says; } cases[] = {
		{ { "-h" }, "usage: netto-aggregator" },
		{ { "--help" }, "--prometheus=ADDR:PORT" },
		{ { "-V" }, "netto-aggregator " NETTO_VERSION },
		{ { "--version" }, "netto-aggregator " NETTO_VERSION },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct outcome outcome;

		parse_in_child(cases[i].args, &outcome);
		assert_int_equal(outcome.status, 0);
		assert_non_null(strstr(outcome.out, cases[i].says));
		assert_string_equal(outcome.err, "");
	}
}

/* In this process: the options themselves. */
static struct options parse(const char *const args[])
{
	char *argv[ARGS_MAX + 1] = { "netto-aggregator" };
	struct options options;
	int argc = 1;

	for (; args[argc - 1]; argc++)
		argv[argc] = (char *)args[argc - 1];
	optind = 0;   /* getopt_long starts anew */
	options_parse(&options, argc, argv);
	return options;
}

static void every_option_arrives(void **state)
{
	static const char *const args[] = { "--runtime-dir=/d", "--log-file=/f", "--prometheus=[::1]:99",
					    "--user-pids=5,6", "--table", "--allow-root", NULL };
	struct options o = parse(args);

	(void)state;
	assert_string_equal(o.runtime_dir, "/d");
	assert_string_equal(o.log_file, "/f");
	assert_true(o.prometheus);
	assert_string_equal(o.prometheus_host, "::1");
	assert_int_equal(o.prometheus_port, 99);
	assert_int_equal(o.pid_count, 2);
	assert_int_equal(o.pids[1], 6);
	assert_true(o.table);
	assert_true(o.allow_root);
	assert_false(o.log_stdout);
}

static void without_a_backend_a_pipe_gets_the_log(void **state)
{
	static const char *const nothing[] = { NULL };
	static const char *const prometheus[] = { "--prometheus=:0", NULL };
	int saved = dup(STDOUT_FILENO), ends[2];
	struct options o, named;

	(void)state;
	fflush(stdout);
	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDOUT_FILENO);
	o = parse(nothing);
	named = parse(prometheus);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(ends[0]);
	close(ends[1]);
	assert_string_equal(o.runtime_dir, "/run/netto");
	assert_true(o.log_stdout);
	assert_false(o.table);
	assert_false(named.log_stdout);
	assert_false(named.table);
}

static void without_a_backend_a_terminal_gets_the_table(void **state)
{
	static const char *const nothing[] = { NULL };
	int saved = dup(STDOUT_FILENO), master = posix_openpt(O_RDWR | O_NOCTTY), terminal;
	struct options o;

	(void)state;
	if (master < 0 || grantpt(master) || unlockpt(master))
		skip();
	terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
	fflush(stdout);
	dup2(terminal, STDOUT_FILENO);
	o = parse(nothing);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(terminal);
	close(master);
	assert_true(o.table);
	assert_false(o.log_stdout);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mistake_is_one_clear_line_and_status_64),
		cmocka_unit_test(too_many_pids_are_refused_without_repeating_them),
		cmocka_unit_test(help_and_version_go_to_standard_output),
		cmocka_unit_test(every_option_arrives),
		cmocka_unit_test(without_a_backend_a_pipe_gets_the_log),
		cmocka_unit_test(without_a_backend_a_terminal_gets_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
