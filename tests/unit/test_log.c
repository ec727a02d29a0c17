/* tests/unit/test_log.c - one message is one line, whatever is in it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "log.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static int captured = -1;
static int saved_stderr = -1;

/* Standard error goes to a file until end_capture(). */
static void begin_capture(void)
{
	captured = memfd_create("stderr", MFD_CLOEXEC);
	saved_stderr = dup(STDERR_FILENO);
	assert_true(captured >= 0 && saved_stderr >= 0);
	dup2(captured, STDERR_FILENO);
}

/* What was written; the caller's to free. */
static char *end_capture(void)
{
	off_t bytes = lseek(captured, 0, SEEK_END);
	char *text = calloc(1, (size_t)bytes + 1);

	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	assert_non_null(text);
	assert_int_equal(pread(captured, text, (size_t)bytes, 0), bytes);
	close(captured);
	return text;
}

static void check_captured(const char *want, const char *why)
{
	char *got = end_capture();
	int same = strcmp(got, want) == 0;

	if (!same)
		print_error("got:  %s\nwant: %s\n", got, want);
	free(got);
	if (!same)
		fail_msg("%s", why);
}

static void lines_start_with_the_program(void **state)
{
	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_open("netto-aggregator");
	begin_capture();
	log_error("cannot open %s: %d", "/run/netto/ring", 2);
	log_warn("two");
	log_info("three");
	check_captured("netto-aggregator: cannot open /run/netto/ring: 2\n"
		       "netto-aggregator: two\nnetto-aggregator: three\n", "three lines");
}

static void what_could_forge_a_line_is_escaped(void **state)
{
	static const struct { const char *text, *want, *why; } cases[] = {
		{ "a\nnetto: b", "a\\nnetto: b", "a second line" },
		{ "a\rb", "a\\x0db", "back to the start of the line" },
		{ "a\tb", "a\\tb", "a tab" },
		{ "\x1b[2J", "\\x1b[2J", "clears a terminal" },
		{ "\x7f", "\\x7f", "delete" },
		{ "\xc2\x9b" "2J", "\\xc2\\x9b2J", "the same in C1, as UTF-8" },
		{ "\x9b" "2J", "\\x9b2J", "the same in C1, as one byte" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f", "letters stay" },
		{ "\xe2\x82\xac \xf0\x9f\x98\x80", "\xe2\x82\xac \xf0\x9f\x98\x80", "3 and 4 bytes stay" },
		{ "\xc3", "\\xc3", "half a letter at the end" },
		{ "\xc3(", "\\xc3(", "half a letter" },
		{ "\xe2\x82", "\\xe2\\x82", "two thirds of a letter at the end" },
		{ "\xff\xfe", "\\xff\\xfe", "never in UTF-8" },
		{ "\xc0\x8a", "\\xc0\\x8a", "a newline written too long" },
		{ "back\\slash %s", "back\\slash %s", "nothing else is touched" },
	};

	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_open("p");
	for (size_t i = 0; i < COUNT(cases); i++) {
		char want[256];

		begin_capture();
		log_warn("%s", cases[i].text);
		(void)snprintf(want, sizeof(want), "p: %s\n", cases[i].want);
		check_captured(want, cases[i].why);
	}
}

static void long_messages_are_one_line(void **state)
{
	char text[10000];
	char *got;

	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_open("p");
	memset(text, '\n', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	begin_capture();
	log_warn("%s", text);
	got = end_capture();
	assert_int_equal(strlen(got), strlen("p: ") + 1023 * strlen("\\n") + 1);
	assert_ptr_equal(strchr(got, '\n'), got + strlen(got) - 1);
	free(got);
}

/* The variable is inherited by programs whose standard error is something else. */
static void the_journal_gets_priorities_if_it_listens(void **state)
{
	struct stat st;
	char stream[64];

	(void)state;
	begin_capture();
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	(void)snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
		       (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_open("p");
	log_error("one");
	log_warn("two");
	log_info("three\n<0>four");
	log_hold();
	log_error("five");
	log_info("six");
	log_release();
	check_captured("<3>one\n<4>two\n<6>three\\n<0>four\n<3>five\n<6>six\n",
		       "to the journal");

	begin_capture();
	log_open("p");   /* another file now */
	log_error("one");
	check_captured("p: one\n", "to another file");
	unsetenv("JOURNAL_STREAM");
}

static void held_lines_come_after_the_release(void **state)
{
	(void)state;
	log_open("p");
	begin_capture();
	log_hold();
	log_warn("one\n");
	log_error("two");
	assert_int_equal(lseek(captured, 0, SEEK_END), 0);
	log_release();
	log_warn("three");
	log_release();
	check_captured("p: one\\n\np: two\np: three\n", "in order, once");
}

static void of_many_held_lines_the_last_sixteen_are_kept(void **state)
{
	char want[512] = "p: 4 earlier messages were not kept\n";

	(void)state;
	log_open("p");
	begin_capture();
	for (int round = 0; round < 2; round++) {
		log_hold();
		for (int i = 1; i <= 20; i++)
			log_info("line %d", i);
		if (round == 0)
			assert_int_equal(ftruncate(captured, 0), 0);
		log_release();
		if (round == 0) {
			assert_int_equal(ftruncate(captured, 0), 0);
			lseek(captured, 0, SEEK_SET);
		}
	}
	for (int i = 5; i <= 20; i++)
		(void)snprintf(want + strlen(want), sizeof(want) - strlen(want), "p: line %d\n", i);
	check_captured(want, "the second round as the first");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_start_with_the_program),
		cmocka_unit_test(what_could_forge_a_line_is_escaped),
		cmocka_unit_test(long_messages_are_one_line),
		cmocka_unit_test(the_journal_gets_priorities_if_it_listens),
		cmocka_unit_test(held_lines_come_after_the_release),
		cmocka_unit_test(of_many_held_lines_the_last_sixteen_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
