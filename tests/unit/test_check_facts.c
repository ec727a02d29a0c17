/* test_check_facts.c - what netto check reads of the kernel */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "check_facts.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define OPTION "CONFIG_IRQ_TIME_ACCOUNTING"

static void lockdown_is_the_word_in_brackets(void **state)
{
	static const struct { const char *text, *want, *why; } cases[] = {
		{ "[none] integrity confidentiality", "none", "the first" },
		{ "none [integrity] confidentiality", "integrity", "the second" },
		{ "none integrity [confidentiality]", "confidentiality", "the last" },
		{ "", "unknown", "no securityfs" },
		{ "none integrity", "unknown", "none is marked" },
		{ "none [integ", "unknown", "cut" },
		{ "[]", "unknown", "an empty word" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char word[32];

		check_facts_parse_lockdown(cases[i].text, word, sizeof(word));
		if (strcmp(word, cases[i].want) != 0)
			fail_msg("%s: %s, not %s", cases[i].why, word, cases[i].want);
	}
}

/* The answer to a configuration with that text, written plain or compressed. */
static enum answer ask(const char *text, const char *mode)
{
	char path[] = "/tmp/netto-config.XXXXXX";
	enum answer answer;
	gzFile file;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	file = gzdopen(fd, mode);
	assert_non_null(file);
	gzputs(file, text);
	gzclose(file);
	answer = check_facts_config(path, OPTION);
	unlink(path);
	return answer;
}

static void options_are_read_from_both_kinds_of_file(void **state)
{
	static const struct { const char *text; enum answer want; const char *why; } cases[] = {
		{ "CONFIG_X=y\n" OPTION "=y\n", ANSWER_YES, "it is set" },
		{ "CONFIG_X=y\n# " OPTION " is not set\n", ANSWER_NO, "it is not" },
		{ "CONFIG_HAVE_X=y\n", ANSWER_NO, "the architecture has no such option" },
		{ "CONFIG_X=y\n" OPTION "_LATER=y\n", ANSWER_NO, "a longer name" },
		{ "CONFIG_HAVE_" OPTION "=y\n", ANSWER_NO, "a name that ends with it" },
		{ "", ANSWER_UNKNOWN, "an empty file says nothing" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (ask(cases[i].text, "wT") != cases[i].want)
			fail_msg("plain: %s", cases[i].why);
		if (ask(cases[i].text, "w9") != cases[i].want)
			fail_msg("compressed: %s", cases[i].why);
	}
	assert_int_equal(check_facts_config("/nonexistent", OPTION), ANSWER_UNKNOWN);
}

static void this_kernel_is_told_of(void **state)
{
	struct check_facts facts;
	struct utsname host;

	(void)state;
	assert_int_equal(uname(&host), 0);
	check_facts_read(&facts);
	assert_string_equal(facts.host.release, host.release);
	assert_int_equal(facts.cpus_online, sysconf(_SC_NPROCESSORS_ONLN));
	assert_int_equal(facts.root, geteuid() == 0);
	assert_true(*facts.lockdown && *facts.clocksource);
	assert_int_equal(facts.sysctls[SYSCTL_PARANOID].known,
			 !access("/proc/sys/kernel/perf_event_paranoid", R_OK));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(lockdown_is_the_word_in_brackets),
		cmocka_unit_test(options_are_read_from_both_kinds_of_file),
		cmocka_unit_test(this_kernel_is_told_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
